"""The programs that check `deploy/`: where they are, and how to get one that is missing."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "stream-enforcer"
_TOOLS = ROOT / ".tools"
_FOLDERS = (_TOOLS / "bin", _TOOLS / "python" / "bin")


def program(name: str) -> str:
    """Return the path of a program, from `.tools` or the system; the test is skipped where there is none."""
    path = os.pathsep.join([*map(str, _FOLDERS), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed: `make deploy-tools`")
    return found


def output(*command: str | Path, folder: Path = ROOT, said: str | None = None) -> str:
    """Run a command and return its output; what it says of an error is the test's error."""
    done = subprocess.run(command, cwd=folder, input=said, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def documents(text: str) -> list[dict[str, Any]]:
    """Return the documents of a YAML text."""
    return [document for document in yaml.safe_load_all(text) if document]


def only(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the one resource of a kind."""
    found = [resource for resource in resources if resource["kind"] == kind]
    assert len(found) == 1, [resource["kind"] for resource in resources]
    return found[0]
