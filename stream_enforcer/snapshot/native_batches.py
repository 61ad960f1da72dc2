"""Native JSON Lines to columns, fast and on several processors.

`parse_native` says what a record is. Here the usual records are read by a shorter way that gives the same, and
anything out of the ordinary is left to it: its answer, or its error, is what counts.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from stream_enforcer.domain.ownership.graph import FULL, Entity, Identifiers, Listing, Stake
from stream_enforcer.reference.country_names import COUNTRIES
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.fields import is_day, millionths
from stream_enforcer.reference.native import Snapshot, parse_native
from stream_enforcer.reference.packed import opened
from stream_enforcer.snapshot.columns import Batch, Columns
from stream_enforcer.snapshot.records import TYPES

PIECE: Final = 16 << 20
"""How many bytes of a file make a batch."""
_STREAM_BATCH: Final = 100_000
_LONGEST_LINE: Final = 16 << 20
_LONG_NUMBER: Final = re.compile(rb"[0-9.]{16}")
_TYPES: Final = {name: name for name in TYPES}
_PLAIN_COUNTRIES: Final = {code: code for code in COUNTRIES}


class Piece(NamedTuple):
    """A part of a file: the lines that begin in it.

    Attributes:
        several: As for `Columns`.
    """

    path: Path
    first: int
    last: int
    several: bool = False


class Fault(NamedTuple):
    """A line that is not a record, where it begins, and what the reader says of it."""

    at: int
    message: str
    field: str | None


class Parsed(NamedTuple):
    """What a piece of a file holds.

    Attributes:
        as_of: The newest day that the file says it describes.
        fault: The first bad line, at which the reading ended.
    """

    batch: Batch
    records: int
    as_of: str | None
    fault: Fault | None


class _Unusual(Exception):
    """A record that the short way does not know."""


def pieces(path: Path, *, several: bool = False) -> list[Piece]:
    """Cut a file."""
    size = path.stat().st_size
    return [Piece(path, first, min(first + PIECE, size), several) for first in range(0, size, PIECE)]


def parse(piece: Piece) -> Parsed:
    """Read a piece.

    Raises:
        OSError: The file can't be read.
    """
    with piece.path.open("rb") as file:
        return _parsed(_lines_of(file, piece), several=piece.several)


def parse_stream(stream: BufferedReader, *, several: bool = False) -> Iterator[Parsed]:
    """Read a stream that can't be cut, such as the content of a packed file, a batch at a time.

    Raises:
        BadReference: The stream itself is damaged.
    """
    lines = _lines(stream, 0, sys.maxsize)
    while (parsed := _parsed(islice(lines, _STREAM_BATCH), several=several)).records or parsed.fault:
        yield parsed


def _parsed(lines: Iterable[tuple[int, bytes]], *, several: bool) -> Parsed:
    columns, records, as_of, fault = Columns(several=several), 0, None, None
    for at, line in lines:
        try:
            record = _record(line)
        except BadReference as error:
            fault = Fault(at, error.message, error.field)
            break
        if isinstance(record, Snapshot):
            as_of = max(as_of or "", record.as_of)
        elif isinstance(record, Stake):
            columns.stake(record)
        else:
            columns.entity(record)
        records += 1
    return Parsed(columns.batch(), records, as_of, fault)


def located(fault: Fault, path: Path) -> BadReference:
    """Return the error of the reader, with the line: lines are counted only when one is bad.

    Raises:
        OSError: The file can't be read.
    """
    line = 1
    with opened(path) as file:
        left = fault.at
        while left and (chunk := file.read(min(left, PIECE))):
            line += chunk.count(b"\n")
            left -= len(chunk)
    return BadReference(str(path), fault.message, line=line, field=fault.field)


def _lines_of(file: BufferedReader, piece: Piece) -> Iterator[tuple[int, bytes]]:
    at = piece.first
    if at:
        at = file.seek(at - 1)
        while (rest := file.readline(PIECE)) and not rest.endswith(b"\n"):
            at += len(rest)
        at += len(rest)
    return _lines(file, at, piece.last)


def _lines(file: BufferedReader, at: int, last: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that begin before a place, with where they do; blank ones are left out."""
    while at < last and (line := file.readline(_LONGEST_LINE + 1)):
        if line.strip():
            yield at, line
        at += len(line)


def _record(line: bytes) -> Entity | Stake | Snapshot:
    if len(line) > _LONGEST_LINE:
        raise BadReference("", f"has a line of more than {_LONGEST_LINE} bytes")
    try:
        record = orjson.loads(line)
        return _READERS[record["kind"]](record, line)
    except (_Unusual, ValueError, KeyError, TypeError):
        return parse_native(line, path="")


def _entity(record: dict[str, Any], _line: bytes) -> Entity:
    get = record.get
    identifiers, listings = get("identifiers"), get("listings")
    aliases, same_as = get("aliases"), get("same_as")
    country, headquarters = get("country"), get("headquarters")
    return Entity(
        _required(record["id"]),
        _required(record["name"]),
        _TYPES[record["type"]],
        None if country is None else _PLAIN_COUNTRIES[country],
        None if headquarters is None else _PLAIN_COUNTRIES[headquarters],
        tuple(_texts(aliases)) if aliases else (),
        _identifiers(identifiers) if identifiers else _NONE,
        tuple(map(_listing, listings)) if listings else (),
        tuple(_texts(same_as)) if same_as else (),
    )


_NONE: Final = Identifiers()


def _identifiers(found: dict[str, Any]) -> Identifiers:
    if type(found) is not dict:
        raise _Unusual
    get = found.get
    return Identifiers(_text(get("lei")), _text(get("registration_number")), _text(get("domain")))


def _listing(found: dict[str, Any]) -> Listing:
    if type(found) is not dict:
        raise _Unusual
    get = found.get
    return Listing(_required(found["topic"]), _text(get("program")), _day(get("since")), _day(get("until")))


def _stake(record: dict[str, Any], line: bytes) -> Stake:
    get = record.get
    since, until = _day(get("since")), _day(get("until"))
    if since is not None and until is not None and until < since:
        raise _Unusual
    share = get("share")
    if share is not None:
        if "share_min" in record or "share_max" in record:
            raise _Unusual
        least = greatest = _share(share, line)
    else:
        low, high = get("share_min"), get("share_max")
        least = 0 if low is None else _share(low, line)
        greatest = FULL if high is None else _share(high, line)
    return Stake(
        _required(record["id"]),
        _required(record["holder"]),
        _required(record["held"]),
        least,
        greatest,
        since,
        until,
        _text(get("source")),
    )


_READERS: Final[dict[str, Callable[[dict[str, Any], bytes], Entity | Stake]]] = {
    "entity": _entity,
    "stake": _stake,
}


def _text(value: object) -> str | None:
    if value is None:
        return None
    if type(value) is not str:
        raise _Unusual
    return value.strip() or None


def _required(value: object) -> str:
    text = value.strip() if type(value) is str else ""
    if not text:
        raise _Unusual
    return text


def _texts(values: list[object]) -> Iterator[str]:
    if type(values) is not list:
        raise _Unusual
    for value in values:
        if type(value) is not str:
            raise _Unusual
        if text := value.strip():
            yield text


def _day(value: object) -> str | None:
    text = _text(value)
    if text is not None and not _is_day(text):
        raise _Unusual
    return text


_is_day = lru_cache(1 << 16)(is_day)


def _share(value: object, line: bytes) -> int:
    """Turn per cent into millionths of a percent, where that is sure to be exact.

    The parser has made floats of decimals. One of up to 15 digits comes back from a float as it was.
    """
    kind = type(value)
    if kind is int or kind is str:
        return _exact(value)
    if kind is not float or _LONG_NUMBER.search(line):
        raise _Unusual
    return _decimal(value)


_exact = lru_cache(1 << 12)(millionths)


@lru_cache(1 << 16)
def _decimal(value: float) -> int:
    if value < 1e-6:  # written with an exponent, it could have been less than a float can be
        raise _Unusual
    return millionths(Decimal(repr(value)))
