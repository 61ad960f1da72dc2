"""The Kubernetes job of a replay: its parts are those that there are, and its command is one that the program has."""

from typing import Any

import typer
import yaml

from stream_enforcer.cli import app
from tests.deploy.manifests import risks
from tests.deploy.programs import DEPLOY

FILE = DEPLOY / "kustomize" / "overlays" / "replay" / "job.yaml"
JOB: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
POD: dict[str, Any] = JOB["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]
ARGUMENTS = dict(argument.removeprefix("--").split("=", 1) for argument in CONTAINER["args"])


def test_every_pod_takes_its_own_part_of_as_many_as_there_are_pods() -> None:
    spec = JOB["spec"]
    assert spec["completionMode"] == "Indexed"
    assert ARGUMENTS["part"] == f"$(JOB_COMPLETION_INDEX)/{spec['completions']}"
    assert spec["parallelism"] == spec["completions"]
    assert "$(JOB_COMPLETION_INDEX)" in ARGUMENTS["out"]


def test_its_options_are_those_of_the_command() -> None:
    group: Any = typer.main.get_command(app)
    options = {name for p in group.commands["replay"].commands["run"].params for name in p.opts}
    assert {f"--{name}" for name in ARGUMENTS} <= options


def test_it_may_do_no_more_than_it_needs() -> None:
    assert risks(POD) == []
    mounted = {mount["name"] for mount in CONTAINER["volumeMounts"]}
    assert mounted == {volume["name"] for volume in POD["volumes"]}
