"""Beneficial Ownership Data Standard: version 0.4, and the statements of 0.2 and 0.3 in its terms.

A later statement of a record replaces an earlier one. What cannot be used is skipped and counted by reason:
real publications contain statements that say nothing about ownership.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from stream_enforcer.domain.ownership.graph import Entity, Stake
from stream_enforcer.reference.bods_details import entity_of, person_of
from stream_enforcer.reference.bods_shares import Interest, SkippedError, day_of, interests_of
from stream_enforcer.reference.derived import Row, without_derived
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.native import parse_object

_OLD_TYPES: Final = {
    "entityStatement": "entity",
    "personStatement": "person",
    "ownershipOrControlStatement": "relationship",
}
_PARTY_KEYS: Final = ("describedByEntityStatement", "describedByPersonStatement", "recordId")


@dataclass(frozen=True, slots=True)
class BodsReading:
    """What was read of BODS files.

    Attributes:
        as_of: The newest publication date (ISO day), or None.
        statements: How many there were.
        skipped: How many records or interests were not used, by reason.
    """

    entities: tuple[Entity, ...]
    stakes: tuple[Stake, ...]
    as_of: str | None
    statements: int
    skipped: Mapping[str, int]


@dataclass(slots=True)
class _Records:
    """The latest statement of each record."""

    latest: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    statements: int = 0
    published: str | None = None
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, statement: Mapping[str, Any]) -> None:
        self.statements += 1
        published = day_of(_mapping(statement.get("publicationDetails")).get("publicationDate"))
        self.published = max(filter(None, (self.published, published)), default=None)
        self.replaced.update(
            text for text in statement.get("replacesStatements") or () if isinstance(text, str)
        )
        record = statement.get("recordId") or statement.get("statementID")
        if not isinstance(record, str):
            self.skipped["statement without a record id"] += 1
            return
        said = str(statement.get("statementDate") or "")
        if record not in self.latest or said >= self.latest[record][0]:
            self.latest[record] = (said, statement)

    def current(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield id, type and latest statement of the records that no other statement replaces."""
        for record, (_, statement) in self.latest.items():
            if record not in self.replaced:
                kind = statement.get("recordType") or _OLD_TYPES.get(str(statement.get("statementType")))
                yield record, str(kind), statement


def read_bods(paths: Sequence[Path]) -> BodsReading:
    """Read BODS files, JSON arrays or JSON Lines, as one publication.

    Raises:
        BadReference: A file is not JSON, or has something else than statements.
    """
    records = _Records()
    for path in paths:
        for statement in _statements(path):
            records.add(statement)
    entities: list[Entity] = []
    rows: list[Row] = []
    for record, kind, statement in records.current():
        details = _mapping(statement.get("recordDetails", statement))
        match kind:
            case "entity":
                entities.append(entity_of(record, details, records.skipped))
            case "person":
                entities.append(person_of(record, details))
            case "relationship":
                rows.extend(_rows(record, statement, details, records.skipped))
            case _:
                records.skipped["statement of an unknown type"] += 1
    stakes = without_derived(rows, records.skipped)
    return BodsReading(tuple(entities), stakes, records.published, records.statements, records.skipped)


def _statements(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open("rb") as file:
        lines = (line for line in enumerate(file, start=1) if line[1].strip())
        first = next(lines, None)
        if first is None:
            return
        if not _is_statement(first[1]):
            yield from _array(path)
            return
        yield parse_object(first[1], path=str(path), line=first[0])
        for number, line in lines:
            yield parse_object(line, path=str(path), line=number)


def _is_statement(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _array(path: Path) -> Iterable[Mapping[str, Any]]:
    try:
        found = json.loads(path.read_bytes(), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise BadReference(str(path), f"is not JSON: {error}", line=getattr(error, "lineno", None)) from None
    statements = found if isinstance(found, list) else [found]
    for place, statement in enumerate(statements):
        if not isinstance(statement, dict):
            raise BadReference(str(path), "is not a BODS statement", field=f"[{place}]")
    return statements


@dataclass(frozen=True, slots=True)
class _Relationship:
    """What the interests of one relationship record have in common."""

    record: str
    holder: str
    held: str
    ended: str | None
    source: str

    def stake(self, place: int | None, interest: Interest) -> Stake:
        return Stake(
            id=self.record if place is None else f"{self.record}#{place}",
            holder=self.holder,
            held=self.held,
            min=interest.min,
            max=interest.max,
            since=interest.since,
            until=interest.until or self.ended,
            source=self.source,
        )


def _rows(
    record: str, statement: Mapping[str, Any], details: Mapping[str, Any], skipped: Counter[str]
) -> Iterator[Row]:
    held = _party(details.get("subject"))
    if held is None:
        skipped["relationship without a subject"] += 1
        return
    holder = _party(details.get("interestedParty")) or f"unspecified:{record}"
    try:
        interests = interests_of(details)
        relationship = _Relationship(record, holder, held, _ended(statement), _source(record, statement))
    except SkippedError as reason:
        skipped[str(reason)] += 1
        return
    if not interests:
        skipped["relationship without a shareholding"] += 1
    for place, interest in enumerate(interests):
        stake = relationship.stake(place if len(interests) > 1 else None, interest)
        yield Row(stake, interest.indirect)


def _ended(statement: Mapping[str, Any]) -> str | None:
    """Return the day on which a closed record ended at the latest."""
    if statement.get("recordStatus") != "closed":
        return None
    ended = day_of(statement.get("statementDate"))
    if ended is None:
        raise SkippedError("closed relationship without a date")
    return ended


def _source(record: str, statement: Mapping[str, Any]) -> str:
    url = _mapping(statement.get("source")).get("url")
    return url if isinstance(url, str) and url else f"bods:{statement.get('statementId', record)}"


def _party(value: object) -> str | None:
    """Return the record id of a subject or interested party; None where it is said to be unspecified."""
    if isinstance(value, str):
        return value or None
    parties = (_mapping(value).get(key) for key in _PARTY_KEYS)
    return next((party for party in parties if isinstance(party, str) and party), None)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
