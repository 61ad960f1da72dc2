"""What README and docs show on a command line is what happens there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```console(?: exit=(\d))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = "…"


class Shown(NamedTuple):
    """A command as a page shows it, with the exit code and the output lines that it says."""

    command: str
    code: int
    lines: list[str]


def shown_in(text: str) -> Iterator[Shown]:
    """Give the commands of the `console` blocks; `sh` blocks show what needs a Kafka and are not run."""
    for code, block in BLOCK.findall(text):
        for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = session.replace("\\\n", " ").partition("\n")
            yield Shown(command, int(code or 0), output.splitlines())


def first_absent(lines: list[str], output: list[str]) -> str | None:
    """Return the first line that does not follow in the output, in order; what is left out may be anything."""
    left = iter(output)
    for line in lines:
        pattern = re.compile(".*".join(re.escape(part) for part in line.rstrip().split(LEFT_OUT)))
        if line != LEFT_OUT and not any(pattern.fullmatch(real.rstrip()) for real in left):
            return line
    return None


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Make a folder to work in where the paths that the pages name lead to the project's files."""
    for name in ("docs", "stream_enforcer", "schemas"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def run(command: str, folder: Path) -> tuple[int, list[str]]:
    bash = shutil.which("bash")
    assert bash is not None
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("STREAM_ENFORCER")
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["COLUMNS"] = "100"
    done = subprocess.run(
        [bash, "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_does_what_the_page_shows(page: Path, desk: Path) -> None:
    for shown in shown_in(page.read_text(encoding="utf-8")):
        code, output = run(shown.command, desk)
        assert code == shown.code, f"$ {shown.command}\n" + "\n".join(output)
        assert first_absent(shown.lines, output) is None, f"$ {shown.command}\n" + "\n".join(output)


def test_the_readme_shows_a_decision_its_explanation_and_its_verification() -> None:
    commands = [shown.command.split()[1] for shown in shown_in(PAGES[0].read_text(encoding="utf-8"))]
    assert commands == ["decide", "explain", "explain", "verify"]


def test_the_readme_is_one_screen() -> None:
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) <= 70


def test_a_shown_line_must_be_in_the_output_after_the_lines_before_it() -> None:
    output = ["one 1", "two 2  ", "three 3"]
    assert first_absent(["one 1", "…", "th…3"], output) is None
    assert first_absent(["two 2", "one 1"], output) == "one 1"
    assert first_absent(["three"], output) == "three"
    assert first_absent([LEFT_OUT], []) is None


def test_commands_are_read_with_their_continuation_their_code_and_their_output() -> None:
    text = "```sh\n$ not run\n```\n```console exit=1\n$ a \\\n  b\nout\n$ c\n```\n"
    assert list(shown_in(text)) == [Shown("a    b", 1, ["out"]), Shown("c", 1, [])]
