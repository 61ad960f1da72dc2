"""JSON Lines as records: one file of mixed events, or of decisions, line by line."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from pydantic import BaseModel, ValidationError

from stream_enforcer.domain.records import StoredRecord

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
    for line in read_lines(stream):
        key = _key(line.value) if line.whole else None
        yield StoredRecord(name, 0, line.number, 0, key, line.value)


class _Keyed(BaseModel):
    account_id: str


def _key(value: bytes) -> bytes | None:
    try:
        # The parser that decodes the event itself: on odd JSON, two parsers could find two accounts.
        keyed: _Keyed = _Keyed.__pydantic_validator__.validate_json(value, strict=True)
    except ValidationError:
        return None
    return keyed.account_id.encode()
