"""What pages show but no test can run (it needs a cluster) is at least what the program takes."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from stream_enforcer.cli import app
from stream_enforcer.cli.replay_group import ReplayGroup
from stream_enforcer.domain.account_state import FORMAT as STATE
from stream_enforcer.kafka.changelog import FORMAT as CHECKPOINT
from stream_enforcer.settings import load
from stream_enforcer.settings.rows import LEAVES
from stream_enforcer.snapshot.layout import VERSION as SNAPSHOT
from tools.reference_docs import commands

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?:sh|console.*)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?<![\w./-])stream-enforcer ([a-z][^|;&>`)\n]*)")
VARIABLE = re.compile(r"\bSTREAM_ENFORCER_[A-Z0-9_]+\b")
KNOWN = {leaf.env for leaf in LEAVES.values()} | {"STREAM_ENFORCER_CONFIG", "STREAM_ENFORCER_"}


def shown_commands(text: str) -> Iterator[str]:
    for block in BLOCK.findall(text):
        lines = [line for line in block.replace("\\\n", " ").splitlines() if not line.startswith("usage:")]
        for line in lines:
            if not line.startswith(("helm ", "kubectl ")):  # whose release is named as the program is
                yield from COMMAND.findall(line.partition("  #")[0])


def faults(command: str) -> list[str]:
    """Say what of a command line the program does not know."""
    known: Any = typer.main.get_command(app)
    words = shlex.split(command)
    path: tuple[str, ...] = ()
    while words and hasattr(known, "commands"):
        name = words[0]
        if name not in known.commands:
            if not isinstance(known, ReplayGroup):
                return [f"no command {command}"]
            # It takes the options of `run` itself, and `--reproduce` for `reproduce`.
            words = [word for word in words if word.removeprefix("--") not in known.commands]
            break
        known, path, words = known.commands[name], (*path, words[0]), words[1:]
    below = [
        found for where, found in commands(typer.main.get_command(app), ()) if where[: len(path)] == path
    ]
    options = {option for found in below for parameter in found.params for option in parameter.opts}
    used = [word.partition("=")[0] for word in words if word.startswith("-") and word != "-"]
    return [f"{' '.join(path)} has no {option}" for option in used if option not in options | {"--help"}]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_is_one_of_the_program(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [fault for command in shown_commands(text) for fault in faults(command)] == []


def test_a_command_that_is_none_is_found() -> None:
    text = "```sh\nstream-enforcer topics make\nstream-enforcer runn | cat\nstream-enforcer run --no 1\n```\n"
    found = [fault for command in shown_commands(text) for fault in faults(command)]
    assert found == ["no command topics make", "no command runn ", "run has no --no"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_variable_that_a_page_names_is_a_setting(page: Path) -> None:
    assert set(VARIABLE.findall(page.read_text(encoding="utf-8"))) <= KNOWN


def test_the_settings_file_of_the_first_steps_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(re.findall(r"^```yaml\n(.*?)^```$", OPERATIONS, re.MULTILINE | re.DOTALL)[0], "utf-8")
    settings = load(file, {"STREAM_ENFORCER_KAFKA__SASL_PASSWORD": "secret"})
    assert (settings.topics.partitions, settings.topics.replication) == (12, 3)


def test_the_steps_are_numbered_and_speak_of_everything_that_has_to_be_there() -> None:
    section = OPERATIONS.split("## From an empty cluster")[1].split("\n## ")[0]
    steps = re.findall(r"^\*\*(\d+)\. ", section, re.MULTILINE)
    assert steps == [str(number) for number in range(1, len(steps) + 1)]
    for needed in (
        "topics create",
        "topics acls",
        "topics check",
        "config check",
        "policy check",
        "/readyz",
        "explain",
    ):
        assert needed in section


@pytest.mark.parametrize(
    ("what", "number"),
    [("account state", STATE), ("checkpoint", CHECKPOINT), ("ownership snapshot", SNAPSHOT)],
)
def test_the_page_on_upgrading_names_the_formats_in_force(what: str, number: int) -> None:
    assert f"| {what} | {number} |" in (ROOT / "docs" / "upgrading.md").read_text(encoding="utf-8")
