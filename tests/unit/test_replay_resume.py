"""An interrupted replay that is taken up again says what one without a break would have said."""

import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from stream_enforcer.cli import app
from stream_enforcer.cli.replay_sides import Given, timelines
from stream_enforcer.demo.data import ownership_file
from stream_enforcer.demo.events import generate
from stream_enforcer.replay import bookmark
from stream_enforcer.replay.trial import Trial
from tests.builders import company

EVENTS = 9_000
CHUNKS = 3
"""So many chunks there are at least."""


@cache
def stream() -> bytes:
    return b"".join(value + b"\n" for _, _, value in generate(EVENTS, 5, accounts=200))


class Interrupting:
    """Files, and a replay of them that gets a signal right after a chunk."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._patch = patch
        self.events = folder / "events.jsonl"
        self.events.write_bytes(stream())
        self.nobody = folder / "nobody.jsonl"
        self.nobody.write_bytes(orjson.dumps(company("nobody", "SG")))

    def replay(self, out: str, *arguments: str) -> Result:
        data = ["--ownership", str(self.nobody), "--ownership", f"2026-06-19={ownership_file()}"]
        sides = [*data, "--against-ownership", str(self.nobody)]
        command = ["replay", str(self.events), *sides, "--out", str(self.folder / out), *arguments]
        return CliRunner().invoke(app, command)

    def interrupted(self, out: str, chunk: int, *arguments: str, by: int = signal.SIGTERM) -> Result:
        whole, taken = Trial.take, iter(range(1, 1 << 20))

        def take(trial: Trial, records: Any) -> None:
            whole(trial, records)
            if next(taken) == chunk:
                signal.raise_signal(by)

        with self._patch.context() as patch:
            patch.setattr(Trial, "take", take)
            return self.replay(out, *arguments)

    def bookmark(self, out: str) -> Path:
        return self.folder / out / bookmark.NAME

    def files(self, out: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / out).iterdir()}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Interrupting:
    return Interrupting(tmp_path, monkeypatch)


@pytest.fixture
def stopped(runs: Interrupting) -> Interrupting:
    assert runs.interrupted("out", 2).exit_code == 130
    return runs


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_leaves_where_it_stood(runs: Interrupting, by: int) -> None:
    result = runs.interrupted("out", 1, by=by)
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == f"interrupted: {runs.bookmark('out')} holds how far; --resume goes on\n"
    assert [*runs.files("out")] == [bookmark.NAME]


@pytest.mark.parametrize("chunk", range(1, CHUNKS + 1))
def test_a_run_that_goes_on_ends_as_one_without_a_break(runs: Interrupting, chunk: int) -> None:
    assert runs.replay("whole").exit_code == 0
    assert runs.interrupted("out", chunk).exit_code == 130
    result = runs.replay("out", "--resume")
    assert (result.exit_code, result.stderr) == (0, "")
    assert runs.files("out") == runs.files("whole")
    assert orjson.loads(runs.files("out")["summary.json"])["totals"]["new_suspensions"] > 0


def test_a_run_may_be_interrupted_again_and_again(runs: Interrupting) -> None:
    assert runs.replay("whole").exit_code == 0
    assert runs.interrupted("out", 1).exit_code == 130
    for _ in range(CHUNKS - 1):
        assert runs.interrupted("out", 1, "--resume").exit_code == 130
    assert runs.replay("out", "--resume").exit_code == 0
    assert runs.files("out") == runs.files("whole")


def test_a_new_run_does_not_go_on_by_itself(stopped: Interrupting) -> None:
    assert stopped.replay("out").exit_code == 0
    assert stopped.replay("whole").exit_code == 0
    assert stopped.files("out") == stopped.files("whole")


def test_what_is_taken_up_is_what_was_left(stopped: Interrupting, tmp_path: Path) -> None:
    path, again = stopped.bookmark("out"), tmp_path / "again.jsonl"
    nobody = str(stopped.nobody)
    new = Given(None, (nobody, f"2026-06-19={ownership_file()}"))
    trial = Trial(timelines([Given(None, (nobody,)), new], ()))
    asked = orjson.loads(lines_of(path)[0])["asked"]
    bookmark.save(again, asked, bookmark.load(path, asked, trial), trial)
    assert again.read_bytes() == path.read_bytes()
    assert trial.changes == 1


def others(runs: Interrupting) -> Iterator[tuple[list[str], str]]:
    policy = runs.folder / "policy.yaml"
    policy.write_text(
        "id: other\nversion: '1'\nrestricted: [CN]\n"
        "rules: [{id: all, when: 'true', outcome: suspend, reason: Everybody.}]\n"
    )
    more = runs.folder / "more.jsonl"
    more.write_bytes(b"")
    yield ["--policy", str(policy)], "sides"
    yield ["--ownership", f"2026-06-18={runs.nobody}"], "sides"
    yield ["--against", "decisions", "--decisions", str(more)], "--decisions, sides"
    yield [str(more)], "files"


def test_another_comparison_does_not_go_on(stopped: Interrupting) -> None:
    for arguments, what in others(stopped):
        result = stopped.replay("out", "--resume", *arguments)
        assert result.exit_code == 2
        assert f"was interrupted with other {what}; give" in result.stderr
    assert stopped.replay("out", "--resume").exit_code == 0


def test_files_that_changed_meanwhile_are_refused(stopped: Interrupting) -> None:
    with stopped.events.open("ab") as file:
        file.write(b"{}\n")
    result = stopped.replay("out", "--resume")
    assert result.exit_code == 2
    assert "other files" in result.stderr


def test_without_an_interrupted_run_there_is_nothing_to_go_on_with(runs: Interrupting) -> None:
    result = runs.replay("out", "--resume")
    assert result.exit_code == 2
    assert "there is no interrupted replay" in result.stderr


def test_standard_input_cannot_be_taken_up_again() -> None:
    command = ["replay", "-", "--against-ownership", str(ownership_file()), "--resume"]
    result = CliRunner().invoke(app, command, input="")
    assert result.exit_code == 2
    assert "standard input comes once" in result.stderr


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda _: [], "is damaged, or ends too early"),
        (lambda lines: lines[:-1], "is damaged, or ends too early"),
        (lambda lines: [*lines[:5], *lines[6:]], "is damaged, or ends too early"),
        (lambda lines: [*lines[:-1], lines[-1][:20]], "is damaged, or ends too early"),
        (lambda lines: [lines[0].replace(b'"events":', b'"events":1'), *lines[1:]], "damaged, or ends too"),
        (lambda lines: [lines[0].replace(b'"events":', b'"e":'), *lines[1:]], ":1: is damaged: events"),
        (lambda lines: [*lines[:3], b"[]\n", *lines[4:]], ":4: is damaged: "),
        (
            lambda lines: [*lines[:3], lines[3].replace(b",[1,[", b",[9,["), *lines[4:]],
            ":4: an account state has",
        ),
        (lambda lines: [*lines[:3], lines[3][:40]], ":4: is damaged"),
    ],
)
def test_a_damaged_file_is_refused_with_its_place(stopped: Interrupting, damage: Any, said: str) -> None:
    path = stopped.bookmark("out")
    path.write_bytes(b"".join(damage(lines_of(path))))
    result = stopped.replay("out", "--resume")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
