{{- define "stream-enforcer.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* All pods of the release. */}}
{{- define "stream-enforcer.pods" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The pods of the service alone. */}}
{{- define "stream-enforcer.selector" -}}
{{ include "stream-enforcer.pods" . }}
app.kubernetes.io/component: service
{{- end -}}

{{- define "stream-enforcer.labels" -}}
{{ include "stream-enforcer.pods" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "stream-enforcer.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Names of the topics, by the field of the settings; what is not set has the program's default. */}}
{{- define "stream-enforcer.topics" -}}
{{- $defaults := dict "signups" "signups" "usage" "usage" "overrides" "overrides" "ownership" "ownership" "decisions" "decisions" "accounts" "enforcer-accounts" "dead_letters" "dead-letters" "partitions" 4 "replication" 1 -}}
{{- merge (dict) (.Values.settings.topics | default dict) $defaults | toYaml -}}
{{- end -}}

{{- define "stream-enforcer.group" -}}
{{- .Values.settings.kafka.group | default "stream-enforcer" -}}
{{- end -}}

{{- define "stream-enforcer.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "stream-enforcer.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "stream-enforcer.env" -}}
- {name: STREAM_ENFORCER_CONFIG, value: /etc/stream-enforcer/settings.yaml}
- {name: STREAM_ENFORCER_HTTP__HOST, value: 0.0.0.0}
- {name: STREAM_ENFORCER_HTTP__PORT, value: "8080"}
{{- with .Values.settings.kafka.sasl_username }}
- {name: STREAM_ENFORCER_KAFKA__SASL_USERNAME, value: {{ . | quote }}}
{{- end }}
{{- with .Values.kafka.passwordSecret }}
{{- if .name }}
- name: STREAM_ENFORCER_KAFKA__SASL_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ .name }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- if .Values.kafka.caSecret.name }}
- {name: STREAM_ENFORCER_KAFKA__SSL_CAFILE, value: /etc/kafka-ca/ca.crt}
{{- end }}
{{- if .Values.kafka.clientSecret.name }}
- {name: STREAM_ENFORCER_KAFKA__SSL_CERTFILE, value: /etc/kafka-client/client.crt}
- {name: STREAM_ENFORCER_KAFKA__SSL_KEYFILE, value: /etc/kafka-client/client.key}
{{- end }}
{{- end -}}

{{- define "stream-enforcer.mounts" -}}
- {name: settings, mountPath: /etc/stream-enforcer, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.kafka.caSecret.name }}
- {name: kafka-ca, mountPath: /etc/kafka-ca, readOnly: true}
{{- end }}
{{- if .Values.kafka.clientSecret.name }}
- {name: kafka-client, mountPath: /etc/kafka-client, readOnly: true}
{{- end }}
{{- end -}}

{{- define "stream-enforcer.volumes" -}}
- name: settings
  configMap: {name: {{ include "stream-enforcer.fullname" . }}}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- with .Values.kafka.caSecret }}
{{- if .name }}
- name: kafka-ca
  secret: {secretName: {{ .name }}, items: [{key: {{ .key }}, path: ca.crt}]}
{{- end }}
{{- end }}
{{- with .Values.kafka.clientSecret }}
{{- if .name }}
- name: kafka-client
  secret: {secretName: {{ .name }}, items: [{key: {{ .certificate }}, path: client.crt}, {key: {{ .key }}, path: client.key}]}
{{- end }}
{{- end }}
{{- end -}}
