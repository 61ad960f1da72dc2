"""What README and docs show on a command line is what happens there."""

import sys
from pathlib import Path

import pytest

from tests.shown_commands import LEFT_OUT, ROOT, Saved, Shown, first_absent, perform, steps_in

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
WITH_COMMANDS = [page for page in PAGES if any(steps_in(page.read_text(encoding="utf-8")))]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Make a folder to work in where the paths that the pages name lead to the project's files."""
    for name in ("docs", "stream_enforcer", "schemas"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def commands_of(page: Path) -> list[str]:
    steps = steps_in(page.read_text(encoding="utf-8"))
    return [step.command.split()[1] for step in steps if isinstance(step, Shown)]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_does_what_the_page_shows(page: Path, desk: Path) -> None:
    perform(page.read_text(encoding="utf-8"), desk, Path(sys.executable).parent)


def test_the_readme_shows_a_decision_its_explanation_and_its_verification() -> None:
    assert commands_of(README) == ["decide", "explain", "explain", "verify"]


def test_the_tutorial_needs_no_file_but_those_that_it_shows() -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    assert not [step for step in steps_in(text) if isinstance(step, Shown) and "docs/" in step.command]
    assert {"register.jsonl", "terms.yaml"} < {
        step.name for step in steps_in(text) if isinstance(step, Saved)
    }


def test_the_readme_is_one_screen() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 70


def test_a_shown_line_must_be_in_the_output_after_the_lines_before_it() -> None:
    output = ["one 1", "two 2  ", "three 3"]
    assert first_absent(["one 1", "…", "th…3"], output) is None
    assert first_absent(["two 2", "one 1"], output) == "one 1"
    assert first_absent(["three"], output) == "three"
    assert first_absent([LEFT_OUT], []) is None


def test_steps_are_read_with_files_continuations_codes_and_output() -> None:
    text = (
        '```sh\n$ not run\n```\n```json title="a.json"\n{}\n```\n```json\n[]\n```\n'
        "```console exit=1\n$ a \\\n  b\nout\n$ c\n```\n"
    )
    assert list(steps_in(text)) == [Saved("a.json", "{}\n"), Shown("a    b", 1, ["out"]), Shown("c", 1, [])]


@pytest.mark.parametrize("shown", ["```console exit=1\n$ true\n```\n", "```console\n$ echo a\nb\n```\n"])
def test_a_command_that_does_otherwise_fails(shown: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        perform(shown, tmp_path, tmp_path)
