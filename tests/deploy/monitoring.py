"""The files that monitor the service, and what they speak of."""

import os
import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from stream_enforcer.observe.catalogue import CATALOGUE, REPLAY, MetricSpec

ROOT: Final = Path(__file__).parents[2]
PROMETHEUS: Final = ROOT / "deploy" / "prometheus"
RULES: Final = PROMETHEUS / "rules.yaml"
CASES: Final = PROMETHEUS / "tests"
DASHBOARDS: Final = ROOT / "deploy" / "grafana" / "dashboards"
RUNBOOKS: Final = ROOT / "docs" / "runbooks"

OF_THE_TARGET: Final = frozenset({"job", "instance", "namespace", "pod", "le"})
"""Labels that Prometheus, or a histogram, adds to ours."""
_NAME: Final = re.compile(r"\bstream_enforcer_[a-z_0-9]+")
_RECORDED: Final = re.compile(r"\bstream_enforcer:[a-z_0-9:]+")
_SELECTED: Final = re.compile(r"\b(stream_enforcer_[a-z_0-9]+)\{([^}]*)\}")
_LABEL: Final = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)")


class Alert(NamedTuple):
    """An alert of the rules.

    Attributes:
        rule: As it stands in the file.
        page: Its runbook.
    """

    rule: Mapping[str, Any]
    page: Path


@cache
def alerts() -> dict[str, Alert]:
    """Return the alerts by name."""
    return {
        rule["alert"]: Alert(rule, ROOT / rule["annotations"]["runbook_url"])
        for rule in rules()
        if "alert" in rule
    }


@cache
def rules() -> tuple[dict[str, Any], ...]:
    """Return every rule."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return tuple(rule for group in groups for rule in group["rules"])


def recorded() -> set[str]:
    """Return the names that rules record."""
    return {rule["record"] for rule in rules() if "record" in rule}


def spec(name: str) -> MetricSpec | None:
    """Return the metric that a series belongs to; None where the catalogues have none."""
    found = {metric.name: metric for metric in (*CATALOGUE, *REPLAY)}
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    if base in found and found[base].kind == "histogram":
        return found[base] if base != name else None
    return found.get(name)


def unknown_names(text: str) -> list[str]:
    """Return what a text names as our metric, or as a recorded one, and is none."""
    metrics = {name for name in _NAME.findall(text) if spec(name) is None}
    return sorted(metrics | {*_RECORDED.findall(text)} - recorded())


def unknown_labels(text: str) -> list[str]:
    """Return the labels by which a text selects series that do not have them."""
    return [
        f"{name}: {label}"
        for name, matchers in _SELECTED.findall(text)
        for label in _LABEL.findall(matchers)
        if label not in {*getattr(spec(name), "labels", ()), *OF_THE_TARGET}
    ]


def tool(name: str) -> str | None:
    """Return where a tool is: in `.tools`, where `make deploy-tools` puts it, or on the path."""
    folders = (str(ROOT / ".tools" / "bin"), str(ROOT / ".tools"), os.environ.get("PATH", ""))
    return shutil.which(name, path=os.pathsep.join(folders))


MISSING: Final = "{} is missing: make deploy-tools, or apt-get install prometheus"
