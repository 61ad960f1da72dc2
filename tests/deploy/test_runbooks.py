"""Runbooks: one for each alert, in one form, with commands and metrics that there are."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from stream_enforcer.cli import app
from tests.deploy.monitoring import RUNBOOKS, alerts, unknown_labels, unknown_names
from tools.reference_docs import commands

CODE = re.compile(r"```\w*\n(.*?)```|`([^`]+)`", re.DOTALL)
LIST = RUNBOOKS / "README.md"
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path != LIST)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_of(page: Path) -> list[str]:
    """Give every line of code of a page, in line or in a block."""
    return [line.strip() for pair in CODE.findall(text_of(page)) for line in "".join(pair).splitlines()]


def commands_of(page: Path) -> Iterator[list[str]]:
    """Give the commands of ours that a page tells to run, in words."""
    for line in code_of(page):
        found = re.search(r"stream-enforcer (?!…)(.+)", line)
        if found and line.startswith(("stream-enforcer ", "kubectl exec")):
            yield found[1].split()


@cache
def known() -> dict[tuple[str, ...], Any]:
    return dict(commands(typer.main.get_command(app), ()))


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert [alert.page for alert in alerts().values() if alert.page not in PAGES] == []
    assert len({alert.page for alert in alerts().values()}) == len(alerts()) == len(PAGES)


@pytest.mark.parametrize("name", alerts())
def test_a_page_has_its_parts_in_order(name: str) -> None:
    said = text_of(alerts()[name].page)
    assert said.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", said, re.MULTILINE) == ["Meaning", "First look", "Mend", "Escalate"]


@pytest.mark.parametrize("name", alerts())
def test_the_list_names_it_with_its_severity(name: str) -> None:
    alert = alerts()[name]
    assert f"| [{name}]({alert.page.name}) | {alert.rule['labels']['severity']} |" in text_of(LIST)


@pytest.mark.parametrize("page", [*PAGES, LIST], ids=lambda page: page.stem)
def test_its_metrics_are_those_of_the_catalogue(page: Path) -> None:
    assert unknown_names(text_of(page)) == []
    assert unknown_labels(text_of(page)) == []


@pytest.mark.parametrize("page", [*PAGES, LIST], ids=lambda page: page.stem)
def test_its_commands_and_their_options_are_those_of_the_program(page: Path) -> None:
    for words in commands_of(page):
        (command,) = [known()[path] for path in known() if tuple(words[: len(path)]) == path]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, words


def test_commands_are_found() -> None:
    found = [words[:2] for page in PAGES for words in commands_of(page)]
    assert ["topics", "acls"] in found
    assert ["replay", "run"] in found
    assert len(found) > 15
