"""Native ownership records: JSON Lines, the values of the ownership topic, and the CSV form.

In CSV, entities and stakes stand in a file each, told apart by their header: a stakes file has the columns
`holder` and `held`. Aliases are separated by `|`, as are the topics in `listings` and the ids in `same_as`; `lei`,
`registration_number` and `domain` are columns of their own.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import BufferedReader, TextIOWrapper
from typing import Any, Final, get_args

from stream_enforcer.domain.ownership.graph import FULL, Entity, EntityType, Identifiers, Listing, Stake
from stream_enforcer.reference.characters import refuse_halves
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.fields import Fields
from stream_enforcer.reference.reading import Sink, later
from stream_enforcer.reference.report import Tally

_TYPES: Final[tuple[EntityType, ...]] = get_args(EntityType)
_LONGEST_LINE: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The optional header record of a file: the day that its data describe (ISO)."""

    as_of: str


NativeRecord = Entity | Stake | Snapshot


class NativeReader:
    """Takes native files; a later record with the same id replaces an earlier one. It passes over nothing.

    Attributes:
        as_of: The newest day that a file says its data describe.
    """

    def __init__(self, sink: Sink) -> None:
        self.as_of: str | None = None
        self._sink = sink

    def lines(self, stream: BufferedReader, tally: Tally) -> None:
        """Take a JSON Lines file.

        Raises:
            BadReference: A line is not a valid record; names the file, line and field.
        """
        self._take(native_lines(stream, tally.path), tally)

    def rows(self, stream: BufferedReader, tally: Tally) -> None:
        """Take a CSV file of entities or of stakes.

        Raises:
            BadReference: The header is of neither, or a row is not valid.
        """
        self._take(native_rows(stream, tally.path), tally)

    def _take(self, records: Iterable[NativeRecord], tally: Tally) -> None:
        for record in records:
            tally.read += 1
            tally.used += 1
            match record:
                case Entity():
                    self._sink.entity(record)
                case Stake():
                    self._sink.stake(record)
                case Snapshot():
                    self.as_of = later(self.as_of, record.as_of)


def native_lines(stream: BufferedReader, path: str) -> Iterator[NativeRecord]:
    """Yield the records of JSON Lines, one line at a time; blank lines are skipped.

    Raises:
        BadReference: A line is not a valid record; names the file, line and field.
    """
    number = 0
    while line := stream.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            raise BadReference(path, f"has a line of more than {_LONGEST_LINE} bytes", line=number)
        if line.strip():
            yield parse_native(line, path=path, line=number)


def parse_native(value: bytes, *, path: str, line: int | None = None) -> NativeRecord:
    """Read one record, as a line of a file or a value of the ownership topic.

    Args:
        value: JSON, UTF-8.
        path: The file or topic, for the error.
        line: The line or offset, for the error.

    Raises:
        BadReference: The value is not a valid record.
    """
    return native_record(Fields(parse_object(value, path=path, line=line), path, line))


def parse_object(value: bytes, *, path: str, line: int | None = None) -> dict[str, Any]:
    """Read a JSON object with its numbers exact (decimals, never floats).

    Raises:
        BadReference: Not JSON, or not an object.
    """
    try:
        text = value.decode("utf-8-sig")
        record = json.loads(text, parse_float=Decimal)
        refuse_halves(record, text)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadReference(path, f"is not JSON: {error}", line=line) from None
    if not isinstance(record, dict):
        raise BadReference(path, "is not a JSON object", line=line)
    return record


def native_record(fields: Fields) -> NativeRecord:
    """Turn the fields of a record into what its `kind` says it is."""
    match fields.required("kind"):
        case "entity":
            return _entity(fields, fields.part("identifiers"), _listings(fields))
        case "stake":
            return _stake(fields)
        case "snapshot":
            return Snapshot(_required_day(fields, "as_of"))
        case kind:
            raise fields.fault("kind", f"{kind!r} is not one of entity, stake, snapshot")


def native_rows(stream: BufferedReader, path: str) -> Iterator[Entity | Stake]:
    """Yield the records of a CSV file of entities or of stakes.

    Raises:
        BadReference: The header is of neither, or a row is not valid.
    """
    with TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        rows = csv.DictReader(text, strict=True)
        try:
            yield from _csv_records(rows, path)
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadReference(path, f"is not CSV in UTF-8: {error}", line=rows.line_num) from None


def _csv_records(rows: "csv.DictReader[str]", path: str) -> Iterator[Entity | Stake]:
    header = set(rows.fieldnames or ())
    stakes = {"id", "holder", "held"} <= header
    if not stakes and not {"id", "name", "type"} <= header:
        raise BadReference(
            path, "has neither the columns id, name, type nor the columns id, holder, held", line=1
        )
    for row in rows:
        fields = Fields(row, path, rows.line_num)
        if None in row or None in row.values():
            raise BadReference(path, f"does not have {len(header)} columns", line=rows.line_num)
        yield _stake(fields) if stakes else _csv_entity(fields)


def _csv_entity(fields: Fields) -> Entity:
    lists = {name: _split(fields.text(name)) for name in ("aliases", "listings", "same_as")}
    texts = {name: list(lists[name]) for name in ("aliases", "same_as")}
    split = Fields({**fields.record, **texts}, fields.path, fields.line)
    return _entity(split, split, tuple(Listing(topic) for topic in lists["listings"]))


def _split(text: str | None) -> Iterable[str]:
    return tuple(part.strip() for part in (text or "").split("|") if part.strip())


def _entity(fields: Fields, identifiers: Fields, listings: tuple[Listing, ...]) -> Entity:
    kind = fields.required("type")
    found = next((known for known in _TYPES if known == kind), None)
    if found is None:
        raise fields.fault("type", f"{kind!r} is not one of {', '.join(_TYPES)}")
    return Entity(
        id=fields.required("id"),
        name=fields.required("name"),
        type=found,
        country=fields.country("country"),
        headquarters=fields.country("headquarters"),
        aliases=fields.texts("aliases"),
        identifiers=Identifiers(
            identifiers.text("lei"), identifiers.text("registration_number"), identifiers.text("domain")
        ),
        listings=listings,
        same_as=fields.texts("same_as"),
    )


def _listings(fields: Fields) -> tuple[Listing, ...]:
    return tuple(
        Listing(part.required("topic"), part.text("program"), part.day("since"), part.day("until"))
        for part in fields.parts("listings")
    )


def _stake(fields: Fields) -> Stake:
    least, greatest = _band(fields)
    since, until = fields.day("since"), fields.day("until")
    if since is not None and until is not None and until < since:
        raise fields.fault("until", f"{until} is before since, {since}")
    return Stake(
        id=fields.required("id"),
        holder=fields.required("holder"),
        held=fields.required("held"),
        min=least,
        max=greatest,
        since=since,
        until=until,
        source=fields.text("source"),
    )


def _band(fields: Fields) -> tuple[int, int]:
    """Return the band of a stake; what is not said is open: 0 below, 100 % above."""
    exact, least, greatest = (fields.share(name) for name in ("share", "share_min", "share_max"))
    if exact is not None:
        if least is not None or greatest is not None:
            raise fields.fault("share", "stands beside share_min or share_max; give one or the other")
        return exact, exact
    least = 0 if least is None else least
    greatest = FULL if greatest is None else greatest
    if least > greatest:
        raise fields.fault("share_min", "is more than share_max")
    return least, greatest


def _required_day(fields: Fields, name: str) -> str:
    day = fields.day(name)
    if day is None:
        raise fields.fault(name, "is missing")
    return day
