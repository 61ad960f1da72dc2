"""`replay` over topics, interrupted and taken up again, in one process and in several."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.demo.data import ownership_file
from stream_enforcer.replay import bookmark
from stream_enforcer.replay.published import Published
from stream_enforcer.replay.trial import Trial
from tests.broker.stage import Stage, until
from tests.broker.test_replay import environment, replay, served

__all__ = ["served"]

TAKERS = {"events": Trial, "decisions": Published}


def interrupted(patch: pytest.MonkeyPatch, what: str, number: int, run: Any) -> Any:
    """Run something, with a signal right after so many chunks of events, or decisions, were taken."""
    taker: Any = TAKERS[what]
    whole, taken = taker.take, iter(range(1, 1 << 30))

    def take(self: Any, *arguments: Any) -> None:
        whole(self, *arguments)
        if next(taken) == number:
            signal.raise_signal(signal.SIGINT)

    with patch.context() as patched:
        patched.setattr(taker, "take", take)
        return run()


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.mark.parametrize(
    ("what", "number"), [("events", 1), ("events", 2), ("decisions", 1), ("decisions", 100)]
)
def test_a_run_over_topics_goes_on_to_the_same_ends(
    served: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    asked = ["--from", f"{served.topics.usage}-1=40"]
    assert replay(served, tmp_path / "whole", *asked).exit_code == 0
    out = tmp_path / "out"
    result = interrupted(monkeypatch, what, number, lambda: replay(served, out, *asked))
    assert result.exit_code == 130
    assert [*files(out)] == [bookmark.NAME]
    later = asyncio.run(served.send_raw([(served.topics.usage, b"later", b"is not read")]))
    assert later == 1
    result = replay(served, out, *asked, "--resume")
    assert (result.exit_code, result.stderr) == (0, "")
    assert files(out) == files(tmp_path / "whole")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--to", "2090-01-01"], "--to"),
        (["--from", "2026-06-19"], "--from"),
        (["--part", "1/2"], "--part"),
        (["--against-ownership", str(ownership_file())], "sides"),
    ],
)
def test_other_bounds_or_sides_do_not_go_on(
    served: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], what: str
) -> None:
    assert interrupted(monkeypatch, "events", 1, lambda: replay(served, tmp_path)).exit_code == 130
    result = replay(served, tmp_path, "--resume", *arguments)
    assert result.exit_code == 2
    assert f"was interrupted with other {what}" in result.stderr


def command(out: Path, *arguments: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "stream_enforcer",
        "replay",
        "--workers",
        "2",
        "--out",
        str(out),
        *arguments,
    ]


def test_several_processes_are_interrupted_and_go_on(served: Stage, tmp_path: Path) -> None:
    surroundings = {**os.environ, **environment(served)}
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert replay(served, whole).exit_code == 0
    running = subprocess.Popen(command(out), env=surroundings, stderr=subprocess.PIPE)
    asyncio.run(until((out / "parts").exists))
    running.terminate()
    _, said = running.communicate()
    assert running.returncode == 130
    assert b"interrupted" in said
    assert not (out / "summary.json").exists()
    again = subprocess.run(command(out, "--resume"), check=False, env=surroundings, capture_output=True)
    assert (again.returncode, again.stderr) == (0, b"")
    assert files(out) == files(whole)


def test_a_part_that_is_through_is_not_read_again_by_another_question(
    served: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert replay(served, tmp_path / "whole").exit_code == 0
    out = tmp_path / "out"
    first, second = (out / "parts" / f"{number}-of-2" for number in range(2))
    assert replay(served, first, "--part", "0/2").exit_code == 0
    assert (
        interrupted(monkeypatch, "events", 1, lambda: replay(served, second, "--part", "1/2")).exit_code
        == 130
    )
    result = replay(served, out, "--workers", "2", "--resume")
    assert (result.exit_code, result.stderr) == (0, "")
    assert files(out) == files(tmp_path / "whole")


def test_processes_go_on_only_as_many_as_they_were(served: Stage, tmp_path: Path) -> None:
    (tmp_path / "parts" / "0-of-2").mkdir(parents=True)
    (tmp_path / "parts" / "1-of-2").mkdir(parents=True)
    assert "give --workers 2" in replay(served, tmp_path, "--workers", "3", "--resume").stderr
    assert "no interrupted replay" in replay(served, tmp_path / "other", "--workers", "3", "--resume").stderr
