"""Compares manifests with schemas: `python kubernetes_check.py CUSTOM.json VERSION... < manifests > faults.json`.

Run by the Python of `.tools`, which has the schemas of Kubernetes' own kinds. Those of custom kinds are in CUSTOM.json,
by kind and version: what this project uses of them, and no more.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml


def main() -> None:
    """Read from stdin, write to stdout."""
    custom = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    resources = [document for document in yaml.safe_load_all(sys.stdin) if document]
    json.dump([fault for r in resources for fault in faults(r, custom, sys.argv[2:])], sys.stdout)


def faults(resource: dict[str, Any], custom: dict[str, Any], versions: list[str]) -> Iterator[str]:
    """Say what of a resource does not fit."""
    kind = f"{resource['apiVersion']} {resource['kind']}"
    name = f"{kind} {resource['metadata']['name']}"
    if kind in custom:
        for error in jsonschema.Draft202012Validator({**custom[kind], "$defs": custom["$defs"]}).iter_errors(
            resource
        ):
            yield f"{name}: {error.json_path}: {error.message}"
        return
    for version in versions:
        try:
            kubernetes_validate.validate(resource, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
            yield f"{name} in Kubernetes {version}: {error.message}"


if __name__ == "__main__":
    main()
