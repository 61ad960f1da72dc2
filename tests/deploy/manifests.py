"""What is said of Kubernetes manifests: their form, and what pods may do."""

import json
from pathlib import Path
from typing import Any, Final

import yaml

from tests.deploy.programs import output, program

OLDEST, NEWEST = "1.29", "1.37"
"""Kubernetes versions whose schemas every manifest has to fit."""

_CHECK: Final = Path(__file__).parent / "kubernetes_check.py"
_CRDS: Final = Path(__file__).parent / "custom_resources.json"


def faults(resources: list[dict[str, Any]]) -> list[str]:
    """Say which resources do not fit the schema of their kind, in the oldest and the newest Kubernetes."""
    program("kubernetes-validate")
    said = yaml.safe_dump_all(resources)
    found = output(program("python"), _CHECK, _CRDS, OLDEST, NEWEST, said=said)
    return [str(fault) for fault in json.loads(found)]


def pods(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the pods that the resources make."""
    return [r["spec"]["template"]["spec"] for r in resources if r["kind"] in ("Deployment", "Job")]


def risks(pod: dict[str, Any]) -> list[str]:
    """Say what a pod may do that it need not."""
    found = []
    security = pod["securityContext"]
    if not (security["runAsNonRoot"] and security["runAsUser"] == security["runAsGroup"] == 10001):
        found.append("root")
    if security["seccompProfile"] != {"type": "RuntimeDefault"}:
        found.append("seccomp")
    if pod["automountServiceAccountToken"] is not False:
        found.append("token")
    if pod["enableServiceLinks"] is not False:
        found.append("service links")
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        own = container["securityContext"]
        if own["allowPrivilegeEscalation"] or own["capabilities"] != {"drop": ["ALL"]}:
            found.append(f"{container['name']}: privileges")
        if not own["readOnlyRootFilesystem"]:
            found.append(f"{container['name']}: root file system")
        if not {"requests", "limits"} <= container["resources"].keys():
            found.append(f"{container['name']}: resources")
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        if not mounted <= {volume["name"] for volume in pod["volumes"]}:
            found.append(f"{container['name']}: mounts what is not there")
    return found


def acls_of(user: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """Return the rights of a KafkaUser: type, name, pattern, operation."""
    return {
        (acl["resource"]["type"], acl["resource"]["name"], acl["resource"]["patternType"], operation)
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    }
