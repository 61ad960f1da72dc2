"""Writes the files of `deploy/` whose content the code or other files know: `python -m tools.deploy_files`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from stream_enforcer.kafka.access import Grant, needed
from stream_enforcer.kafka.topics import plan
from stream_enforcer.settings import Settings
from stream_enforcer.settings.rows import LEAVES
from stream_enforcer.settings.yaml_file import read_yaml

DEPLOY: Final = Path(__file__).parents[1] / "deploy"
NOTE: Final = "# Written by `python -m tools.deploy_files`. Do not edit.\n"
VALUES_SCHEMA: Final = "helm/stream-enforcer/values.schema.json"
SET_BY_THE_CHART: Final = {"http"}
"""Sections of the settings that its pods are given as variables."""
STRIMZI: Final = "kafka.strimzi.io/v1"
STRIMZI_METADATA: Final = {"namespace": "kafka", "labels": {"strimzi.io/cluster": "kafka"}}
DASHBOARD_LABEL: Final = {"grafana_dashboard": "1"}
STRIMZI_TYPE: Final = {"topic": "topic", "group": "group", "transactional-id": "transactionalId"}


def deploy_files() -> dict[str, str]:
    """Return every such file as text, by its path below `deploy/`."""
    settings = production_settings()
    return {
        VALUES_SCHEMA: json.dumps(values_schema(), indent=2) + "\n",
        "kustomize/components/strimzi/topics.yaml": _documents(kafka_topics(settings)),
        "kustomize/components/strimzi/user.yaml": _documents([kafka_user(settings, "stream-enforcer")]),
        "kustomize/components/monitoring/prometheusrule.yaml": prometheus_rule(),
        "grafana/dashboards/kustomization.yaml": dashboards_kustomization(),
    }


def production_settings() -> Settings:
    """Return the settings of the overlay for production."""
    tree = read_yaml(DEPLOY / "kustomize/overlays/prod/settings.yaml").tree
    kafka: Any = tree["kafka"]
    return Settings.model_validate(
        {**tree, "kafka": {**kafka, "sasl_username": "stream-enforcer", "sasl_password": "not here"}}
    )


def values_schema() -> dict[str, Any]:
    """Return the schema of the chart's values as it stands, with the settings that there are now.

    Secrets and what the chart sets itself are not among them: they are refused.
    """
    schema: dict[str, Any] = json.loads((DEPLOY / VALUES_SCHEMA).read_text("utf-8"))
    settings = Settings.model_json_schema()
    sections = settings.pop("$defs")
    for name in SET_BY_THE_CHART:
        del sections[_section(settings, name)]
        del settings["properties"][name]
    for leaf in LEAVES.values():
        section, _, name = leaf.name.rpartition(".")
        if leaf.secret:
            place = sections[_section(settings, section)] if section else settings
            del place["properties"][name]
    schema["$defs"] = _without_defaults({**sections, "Settings": {**settings, "required": ["kafka"]}})
    return schema


def _section(settings: Mapping[str, Any], name: str) -> str:
    reference: str = settings["properties"][name]["$ref"]
    return reference.rpartition("/")[2]


def _without_defaults(node: Any) -> Any:
    """Leave out what is no check: a reader of the values would take the defaults for the chart's."""
    if isinstance(node, list):
        return [_without_defaults(item) for item in node]
    if isinstance(node, Mapping):
        return {
            key: _without_defaults(value)
            for key, value in node.items()
            if key not in ("default", "title", "format") or isinstance(value, Mapping)
        }
    return node


def kafka_topics(settings: Settings) -> list[dict[str, Any]]:
    """Return every topic of the service as Strimzi's resource."""
    return [
        {
            "apiVersion": STRIMZI,
            "kind": "KafkaTopic",
            "metadata": {"name": topic.name, **STRIMZI_METADATA},
            "spec": {
                "topicName": topic.name,
                "partitions": topic.partitions,
                "replicas": settings.topics.replication,
                "config": dict(topic.config),
            },
        }
        for topic in plan(settings.topics)
    ]


def kafka_user(settings: Settings, name: str) -> dict[str, Any]:
    """Return the user of `run` with the least rights, as Strimzi's resource."""
    return {
        "apiVersion": STRIMZI,
        "kind": "KafkaUser",
        "metadata": {"name": name, **STRIMZI_METADATA},
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": [_acl(grant) for grant in needed(settings)]},
        },
    }


def _acl(grant: Grant) -> dict[str, Any]:
    resource = {
        "type": STRIMZI_TYPE[grant.resource],
        "name": grant.name,
        "patternType": "prefix" if grant.prefixed else "literal",
    }
    return {"resource": resource, "operations": [grant.operation]}


def prometheus_rule() -> str:
    """Return the alert rules as the resource of the Prometheus operator; comments stay."""
    head = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule"}
    rules = (DEPLOY / "prometheus/rules.yaml").read_text("utf-8")
    body = "".join(f"  {line}" if line.strip() else line for line in rules.splitlines(keepends=True))
    metadata = yaml.safe_dump({**head, "metadata": {"name": "stream-enforcer"}}, sort_keys=False)
    return f"{NOTE}{metadata}spec:\n{body}"


def dashboards_kustomization() -> str:
    """Return a kustomization that makes a ConfigMap of every dashboard."""
    names = sorted(path.name for path in (DEPLOY / "grafana/dashboards").glob("*.json"))
    document = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "configMapGenerator": [
            {"name": f"stream-enforcer-{name.removesuffix('.json')}", "files": [name]} for name in names
        ],
        "generatorOptions": {"labels": DASHBOARD_LABEL, "disableNameSuffixHash": True},
    }
    return _documents([document])


def _documents(documents: list[dict[str, Any]]) -> str:
    return NOTE + yaml.safe_dump_all(documents, sort_keys=False, width=110)


def main() -> None:
    """Write the files."""
    for name, text in deploy_files().items():
        (DEPLOY / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
