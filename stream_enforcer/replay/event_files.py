"""JSON Lines as records: one file of mixed events, or of decisions, line by line."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError

from stream_enforcer.domain.events import Moment
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.replay.history.sources import NEVER

STDIN: Final = "-"
"""The name under which standard input is read."""
MAX_LINE_BYTES: Final = 1 << 20
"""Longest line that is read whole; the live topics take no longer records either."""
_CHUNK: Final = 1 << 16


class Line(NamedTuple):
    """A line of a file that is not blank.

    Attributes:
        number: From 1.
        value: Its bytes without the line's end; only the first `MAX_LINE_BYTES` of a longer line.
        whole: Whether that is the whole line.
    """

    number: int
    value: bytes
    whole: bool


def open_lines(name: str, stdin: BinaryIO) -> AbstractContextManager[BinaryIO]:
    """Open a file for reading, or take standard input, which stays open afterwards.

    Raises:
        OSError: The file cannot be opened.
    """
    return nullcontext(stdin) if name == STDIN else Path(name).open("rb")


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """Yield the lines that are not blank, holding one at a time, however long a line is."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        whole = len(line) <= MAX_LINE_BYTES or line.endswith(b"\n")
        if not whole:
            _skip_rest(stream)
        value = line[:MAX_LINE_BYTES].rstrip(b"\r\n")
        if value.strip() or not whole:
            yield Line(number, value, whole)


def _skip_rest(stream: BinaryIO) -> None:
    while chunk := stream.readline(_CHUNK):
        if chunk.endswith(b"\n"):
            return


def event_records(name: str, stream: BinaryIO) -> Iterator[StoredRecord]:
    """Yield a file's lines as records: the topic is the file's name, the offset the line's number.

    Every line becomes a record, a broken one too: the engine says what is wrong with it. A line that is too long
    is cut and has no key, so that it can never pass for an event.
    """
    return (line_record(name, line) for line in read_lines(stream))


def line_record(name: str, line: Line) -> StoredRecord:
    """Return a line as a record, with the account and the time of its event as far as it has them."""
    keyed = _keyed(line.value) if line.whole else None
    if keyed is None:
        return StoredRecord(name, 0, line.number, NEVER, None, line.value)
    key, time = keyed.account_id.encode(), _time(keyed.occurred_at)
    return StoredRecord(name, 0, line.number, time, key, line.value)


class _Keyed(BaseModel):
    account_id: str
    occurred_at: Any = None


def _keyed(value: bytes) -> _Keyed | None:
    try:
        # The parser that decodes the event itself: on odd JSON, two parsers could find two accounts.
        keyed: _Keyed = _Keyed.__pydantic_validator__.validate_json(value, strict=True)
    except ValidationError:
        return None
    return keyed


_moment: Final = TypeAdapter[int](Moment).validator.validate_python


def _time(occurred_at: object) -> int:
    try:
        time: int = _moment(occurred_at)
    except ValidationError:
        return NEVER
    return time
