"""What a page of the documentation shows on a command line, and what becomes of it when it is done.

A fence `console` holds commands after `$ ` with lines of their output; `console exit=1` says the exit code. A fence
with a title (`json title="events.jsonl"`) is a file that the reader is to save. Fences `sh` show what needs a Kafka
or an installation, and are not run.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
FENCE = re.compile(
    r'^```(?:console(?: exit=(?P<code>\d))?|\w+ title="(?P<title>[\w.-]+)")\n(?P<body>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
LEFT_OUT = "…"


class Saved(NamedTuple):
    """A file that a page asks its reader to save."""

    name: str
    content: str


class Shown(NamedTuple):
    """A command as a page shows it, with the exit code and the output lines that it says."""

    command: str
    code: int
    lines: list[str]


def steps_in(text: str) -> Iterator[Saved | Shown]:
    """Give what a page has its reader do, in order."""
    for fence in FENCE.finditer(text):
        if fence["title"]:
            yield Saved(fence["title"], fence["body"])
            continue
        for session in re.split(r"^\$ ", fence["body"], flags=re.MULTILINE)[1:]:
            command, _, output = session.replace("\\\n", " ").partition("\n")
            yield Shown(command, int(fence["code"] or 0), output.splitlines())


def perform(text: str, folder: Path, programs: Path) -> None:
    """Do what a page says in a folder, with the programs of an environment; the first that differs fails.

    Raises:
        AssertionError: A command ends otherwise, or does not say what the page shows.
    """
    for step in steps_in(text):
        if isinstance(step, Saved):
            (folder / step.name).write_text(step.content, encoding="utf-8")
            continue
        code, output = _run(step.command, folder, programs)
        said = f"$ {step.command}\n" + "\n".join(output)
        assert code == step.code, said
        assert first_absent(step.lines, output) is None, said


def first_absent(lines: list[str], output: list[str]) -> str | None:
    """Return the first line that does not follow in the output, in order; what is left out may be anything."""
    left = iter(output)
    for line in lines:
        pattern = re.compile(".*".join(re.escape(part) for part in line.rstrip().split(LEFT_OUT)))
        if line != LEFT_OUT and not any(pattern.fullmatch(real.rstrip()) for real in left):
            return line
    return None


def _run(command: str, folder: Path, programs: Path) -> tuple[int, list[str]]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("STREAM_ENFORCER")
    }
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    environment["COLUMNS"] = "100"
    done = subprocess.run(
        ["/usr/bin/env", "bash", "-o", "pipefail", "-c", command],
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
