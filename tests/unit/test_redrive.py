"""Dead letters as they are read, chosen, shown and sent back."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from typer.testing import CliRunner

from stream_enforcer.cli import app
from stream_enforcer.cli import dead_letters as command
from stream_enforcer.domain.events import Malformed
from stream_enforcer.kafka.dead_letters import Source, dead_letter
from stream_enforcer.kafka.redrive import Found, NotAllSent, Wanted, newest, refusal
from stream_enforcer.settings import Settings, Topics

WHY = Malformed("validate", "missing", "event_id: Field required")
DAY = 86_400_000
FAILED = 20_513 * DAY + 1  # 2026-03-01


@dataclass(frozen=True)
class _Record:
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


def stored(more: Sequence[tuple[str, bytes]] = (), why: Malformed = WHY, value: bytes = b"{}") -> _Record:
    letter = dead_letter(Source("usage", 3, 42, 5, 0, b"k", value, more), why, "g", FAILED)
    return _Record(letter.key, letter.value, letter.headers)


def found(**changes: Any) -> Found:
    letter = Found.of(stored())
    assert letter is not None
    return replace(letter, **changes)


def test_what_was_written_is_read() -> None:
    assert Found.of(stored([("trace", b"\xff"), ("dlq.redrive.count", b"2")])) == Found(
        *("usage-3-42", "usage", 3, 42, "validate", "missing", WHY.message, FAILED, 2, b"k", b"{}"),
        (("trace", b"\xff"),),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dlq.id", None),
        ("dlq.error.class", b"\xff"),
        ("dlq.original.partition", b"-1"),
        ("dlq.original.offset", b"9" * 5_000),
        ("dlq.failed.at", b"9" * 18),
        ("dlq.redrive.count", "²".encode()),
    ],
)
def test_a_record_without_the_headers_of_a_dead_letter_is_none(name: str, value: bytes | None) -> None:
    others = [header for header in stored().headers if header[0] != name]
    assert Found.of(_Record(b"k", b"{}", [*others, (name, value)])) is None


def test_what_a_terminal_would_obey_is_replaced() -> None:
    letter = Found.of(stored(why=WHY._replace(message="a\x1b[2J\tb\n")))
    assert letter is not None
    assert letter.message == "a\ufffd[2J\ufffdb\ufffd"


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Wanted(), True),
        (Wanted(since=FAILED), True),
        (Wanted(since=FAILED + 1), False),
        (Wanted(error="missing", topic="usage", partition=3), True),
        (Wanted(error="other"), False),
        (Wanted(topic="signups"), False),
        (Wanted(partition=0), False),
    ],
)
def test_every_filter_must_hold(wanted: Wanted, taken: bool) -> None:
    assert wanted.takes(found()) is taken


def test_of_the_failures_of_one_record_the_last_is_sent_back() -> None:
    first, other = found(), found(id="usage-3-43")
    again = replace(first, redrives=1, offset=50)
    assert newest([first, other, again]) == [other, again]
    assert newest([again, other, first]) == [other, again]


@pytest.mark.parametrize(
    ("letter", "why"),
    [
        (found(), None),
        (found(stage="oversize"), "cut, because it was too large"),
        (found(topic="decisions"), "not from an input topic of these settings"),
        (found(partition=4), "from a partition that is not there"),
        (found(topic="signups"), "from a partition that is not there"),
    ],
)
def test_what_cannot_be_sent_back_is_refused_with_the_reason(letter: Found, why: str | None) -> None:
    assert refusal(letter, Topics(), {"usage": 4, "decisions": 4}) == why


class _Kafka:
    """Stands for the functions that ask Kafka."""

    def __init__(self, *letters: Found | None) -> None:
        self.letters = letters
        self.sent: list[Found] = []
        self.fails = False

    async def dead_letters(self, _: Settings, wanted: Wanted) -> AsyncGenerator[Found | None, None]:
        for letter in self.letters:
            if letter is None or wanted.takes(letter):
                yield letter

    async def partition_counts(self, _: object) -> dict[str, int]:
        return {"usage": 4}

    async def send_back(self, _: Settings, letters: Iterable[Found]) -> int:
        if self.fails:
            raise NotAllSent("at least 0 were sent back, then: gone")
        self.sent += letters
        return len(self.sent)


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> _Kafka:
    stand_in = _Kafka(found(), None, found(id="usage-3-43", stage="oversize"), found(id="usage-3-44"))
    for name in ("dead_letters", "partition_counts", "send_back"):
        monkeypatch.setattr(command, name, getattr(stand_in, name))
    monkeypatch.setattr(command, "can_ask", lambda: True)
    return stand_in


def ask(*words: str, answer: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["dead-letters", *words], input=answer)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(("answer", "code", "sent"), [("n\n", 1, 0), ("y\n", 0, 2)])
def test_on_a_terminal_it_asks_before_it_sends(kafka: _Kafka, answer: str, code: int, sent: int) -> None:
    ended, _, said = ask("retry", answer=answer)
    assert (ended, len(kafka.sent)) == (code, sent)
    assert "1 cannot be sent back: cut, because it was too large\n2 to usage\n" in said
    assert "Send 2 records back?" in said


def test_a_dry_run_and_a_limit_send_less(kafka: _Kafka) -> None:
    assert ask("retry", "--dry-run")[:2] == (0, "2 would be sent back\n")
    assert kafka.sent == []
    assert ask("retry", "--yes", "--limit", "1")[:2] == (0, "1 sent back\n")
    assert [letter.id for letter in kafka.sent] == ["usage-3-42"]


def test_a_failure_midway_is_told(kafka: _Kafka) -> None:
    kafka.fails = True
    code, _, said = ask("retry", "--yes")
    assert code == 2
    assert said.endswith("at least 0 were sent back, then: gone\n")


def test_a_list_tells_all_but_the_content_and_how_many_are_foreign(kafka: _Kafka) -> None:
    code, listed, said = ask("list", "--since", "2026-03-01", "--partition", "3", "--limit", "2")
    assert code == 0
    assert listed.splitlines()[0].split("\t") == [
        *("usage-3-42", "missing", "validate", "2026-03-01T00:00:00.001Z", "0", "event_id: Field required")
    ]
    assert len(listed.splitlines()) == 2
    assert said == "1 records of the topic are no dead letters of this service\n"
    assert ask("list", "--since", "2026-03-02")[1] == ""


def test_json_lines_hold_bytes_that_are_no_text_in_base64() -> None:
    shown = command.as_object(found(key=None, value=b"\xff"))
    assert (shown["key"], shown["value_base64"], "value" in shown) == (None, "/w==", False)


def test_counts_and_json_exclude_each_other(kafka: _Kafka) -> None:
    assert ask("list", "--counts", "--json")[0] == 2
