"""The Helm chart with several values, rendered."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_enforcer.settings import CONFIG_VARIABLE, Settings, load
from tests.deploy.programs import CHART, documents, only, output, program

SECURED: dict[str, Any] = {
    "settings": {
        "kafka": {
            "bootstrap_servers": "a:9093,b:9093",
            "group": "who-may",
            "environment": "eu",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": "enforcer",
        },
        "topics": {"partitions": 12, "replication": 3, "dead_letters": "Dead_Letters"},
        "max_in_flight_records": 40_000_000,
        "drain_timeout_ms": 20_001,
        "geo": ["/reference/a.mmdb", "tor=/reference/tor.txt"],
    },
    "policy": "id: ours\n",
    "kafka": {
        "passwordSecret": {"name": "enforcer"},
        "caSecret": {"name": "kafka-cluster-ca-cert"},
        "clientSecret": {"name": "enforcer"},
    },
    "reference": {"load": {"image": "loader:1", "command": ["sh", "-c", "true"]}},
    "keda": {"enabled": True},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True},
    "dashboards": {"enabled": True},
    "strimzi": {"enabled": True, "namespace": "kafka"},
    "image": {
        "repository": "registry.example/enforcer",
        "digest": f"sha256:{'0' * 64}",
        "pullSecrets": ["pull"],
    },
    "nodeSelector": {"pool": "stream"},
    "tolerations": [{"operator": "Exists"}],
    "podAnnotations": {"team": "trust"},
}
PLAIN: dict[str, Any] = {}
CREATING: dict[str, Any] = {
    "topics": {"create": True},
    "reference": {"volume": {"persistentVolumeClaim": {"claimName": "reference", "readOnly": True}}},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"monitoring": []},
}
TLS: dict[str, Any] = {
    "settings": {"kafka": {"bootstrap_servers": "a:9093", "security_protocol": "SSL"}},
    "kafka": {
        "caSecret": {"name": "ca"},
        "clientSecret": {"name": "client", "certificate": "tls.crt", "key": "tls.key"},
    },
    "keda": {"enabled": True, "maxReplicas": 3},
    "networkPolicy": {"enabled": False},
}
ALL = {"plain": PLAIN, "secured": SECURED, "creating": CREATING, "tls": TLS}
any_values = pytest.mark.parametrize("values", ALL.values(), ids=ALL)


def rendered(values: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Return what the chart makes of values."""
    return documents(output(*_template(values, folder)))


def _template(values: dict[str, Any], folder: Path) -> list[str | Path]:
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values), "utf-8")
    return [program("helm"), "template", "it", CHART, "--kube-version", "1.31.0", "--values", file]


def settings_of(resources: list[dict[str, Any]], folder: Path) -> Settings:
    """Return the settings that a pod of the service starts with."""
    config = next(r for r in resources if r["kind"] == "ConfigMap" and "settings.yaml" in r["data"])
    file = folder / "settings.yaml"
    file.write_text(config["data"]["settings.yaml"], "utf-8")
    container = only(resources, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    given = {e["name"]: e.get("value", "a secret") for e in container["env"]}
    return load(file, {name: value for name, value in given.items() if name != CONFIG_VARIABLE})
