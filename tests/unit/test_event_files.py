"""Event files: every line becomes a record, and whatever is broken becomes a dead letter."""

from io import BytesIO
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.events import Malformed, Usage, decode
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.replay import event_files
from stream_enforcer.replay.event_files import MAX_LINE_BYTES, event_records, open_lines, read_lines
from stream_enforcer.replay.history import NEVER
from tests.builders import at, usage


def records(content: bytes, name: str = "events.jsonl") -> list[StoredRecord]:
    return list(event_records(name, BytesIO(content)))


def padded(size: int, end: bytes = b"") -> bytes:
    """An event whose line has so many bytes, made long by spaces that JSON ignores."""
    event = orjson.dumps(usage())
    return event + b" " * (size - len(event) - len(end)) + end


def test_a_line_becomes_a_record_with_the_files_name_and_its_number() -> None:
    event = orjson.dumps(usage("acct-é", occurred_at=at(3)))
    assert records(event + b"\n", "some/where.jsonl") == [
        StoredRecord("some/where.jsonl", 0, 1, at(3), "acct-é".encode(), event)
    ]


@pytest.mark.parametrize(
    ("occurred_at", "time"),
    [
        ("2026-03-01T00:00:00Z", 1_772_323_200_000),
        ("2026-03-01T01:00:00.5+01:00", 1_772_323_200_500),
        ("yesterday", NEVER),
        (None, NEVER),
        (-1, NEVER),
        (1.5, NEVER),
        ([], NEVER),
    ],
)
def test_a_record_has_its_events_time_where_that_can_be_read(occurred_at: object, time: int) -> None:
    (record,) = records(orjson.dumps({"account_id": "a", "occurred_at": occurred_at}))
    assert (record.timestamp, record.key) == (time, b"a")


def test_blank_lines_are_skipped_but_counted() -> None:
    event = orjson.dumps(usage())
    found = records(b"\n  \r\n" + event + b"\r\n\n" + event)
    assert [(record.offset, record.value) for record in found] == [(3, event), (5, event)]


@pytest.mark.parametrize(
    "line",
    [b"not JSON", b"\xff\xfe", b"[]", b"{}", b'{"account_id": 7}', b'{"account_id": null}', b'"account_id"'],
)
def test_a_line_without_an_account_is_a_record_without_a_key(line: bytes) -> None:
    (record,) = records(line + b"\n")
    assert (record.key, record.value) == (None, line)
    assert isinstance(decode(record, None), Malformed)


def test_a_line_that_is_no_event_still_has_its_accounts_key() -> None:
    (record,) = records(b'{"account_id": "a", "type": "other"}')
    assert record.key == b"a"
    assert isinstance(decode(record, None), Malformed)


def test_of_an_account_that_stands_twice_key_and_event_take_the_same() -> None:
    line = orjson.dumps(usage("first"))[:-1] + b',"account_id":"last"}'
    (record,) = records(line)
    event = decode(record, None)
    assert isinstance(event, Usage)
    assert (record.key, event.account_id) == (b"last", "last")


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_of_the_greatest_length_is_an_event(end: bytes) -> None:
    (record,) = records(padded(MAX_LINE_BYTES) + end)
    assert isinstance(decode(record, None), Usage)


@pytest.mark.parametrize("more", [1, 2, 3 * MAX_LINE_BYTES])
@pytest.mark.parametrize("end", [b"", b"}", b"\n"])
def test_a_longer_line_is_cut_and_never_an_event(more: int, end: bytes) -> None:
    # Without its end the line would be an event: what was cut off might say otherwise.
    long_line = padded(MAX_LINE_BYTES + more, end.strip())
    first, after = records(long_line + b"\n" + orjson.dumps(usage()))
    assert first.value is not None
    assert len(first.value) == MAX_LINE_BYTES
    assert isinstance(decode(first, None), Malformed)
    assert after.offset == 2
    assert isinstance(decode(after, None), Usage)


def test_a_long_line_of_blanks_is_a_dead_letter_too() -> None:
    (record,) = records(b" " * (MAX_LINE_BYTES + 1))
    assert isinstance(decode(record, None), Malformed)


class _Watched(BytesIO):
    longest = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.longest = max(self.longest, len(line))
        return line


def test_no_read_is_longer_than_the_longest_line_allowed() -> None:
    stream = _Watched(b"x" * (5 * MAX_LINE_BYTES))
    assert len(list(read_lines(stream))) == 1
    assert stream.longest == MAX_LINE_BYTES + 1


def test_lines_are_read_as_they_are_asked_for() -> None:
    stream = BytesIO(b"1\n2\n3\n")
    lines = read_lines(stream)
    assert next(lines).value == b"1"
    assert stream.tell() == 2


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"").rstrip(b"\r")), max_size=20))
def test_lines_are_the_files_lines_that_are_not_blank(lines: list[bytes]) -> None:
    expected = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    read = list(read_lines(BytesIO(b"\n".join(lines))))
    assert [(line.number, line.value) for line in read] == expected
    assert all(line.whole for line in read)


def test_a_dash_is_standard_input_and_stays_open(tmp_path: Path) -> None:
    stdin = BytesIO(b"1\n")
    with open_lines(event_files.STDIN, stdin) as stream:
        assert stream.read() == b"1\n"
    assert not stdin.closed
    (tmp_path / "f").write_bytes(b"2\n")
    with open_lines(str(tmp_path / "f"), stdin) as stream:
        assert stream.read() == b"2\n"
    assert stream.closed
