"""Beneficial Ownership Data Standard: version 0.4, and the statements of 0.2 and 0.3 in its terms.

A later statement of a record replaces an earlier one. What cannot be used is skipped and counted by reason:
real publications contain statements that say nothing about ownership.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from stream_enforcer.domain.ownership.graph import Entity, Stake
from stream_enforcer.reference.bods_details import entity_of, person_of
from stream_enforcer.reference.bods_records import BodsRecords, Said
from stream_enforcer.reference.bods_shares import Interest, SkippedError, day_of, interests_of
from stream_enforcer.reference.derived import SUMMED_UP, Holdings
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.reading import Sink, later
from stream_enforcer.reference.report import Origin

VERSIONS: Final = ("0.2", "0.3", "0.4")

_OLD_TYPES: Final = {
    "entityStatement": "entity",
    "personStatement": "person",
    "ownershipOrControlStatement": "relationship",
}
_PARTY_KEYS: Final = ("describedByEntityStatement", "describedByPersonStatement", "recordId")
_VERSION: Final = re.compile(r"(\d+\.\d+)(\.\d+)?")
_NAMED: Final = 40
_REPLACED: Final = "statement that a later one replaces"


class _Row(NamedTuple):
    """A stake, and whether the publisher says that it is held through others."""

    stake: Stake
    indirect: bool


class _Read(NamedTuple):
    """What one statement says, and what is to be counted of it if no other replaces it."""

    entity: Entity | None = None
    rows: tuple[_Row, ...] = ()
    faults: tuple[str, ...] = ()
    passed_over: str | None = None


class BodsReader:
    """Takes statements of any number of files as one publication.

    What a statement says is given at once, and taken back when another replaces it. Kept is only what tells which of
    two statements is the later one, and what is to be counted.

    Attributes:
        as_of: The newest day of publication.
    """

    def __init__(self, sink: Sink) -> None:
        self.as_of: str | None = None
        self._sink = sink
        self._records = BodsRecords()
        self._holdings = Holdings()
        self._indirect: dict[int, tuple[int, Stake]] = {}
        self._replaced: set[str] = set()

    def statement(self, statement: Mapping[str, Any], origin: Origin) -> None:
        """Take a statement.

        Raises:
            BadReference: It is of a version that is not known; names it.
        """
        publication = _mapping(statement.get("publicationDetails"))
        _check_version(publication.get("bodsVersion"), origin)
        self.as_of = later(self.as_of, day_of(publication.get("publicationDate")))
        replaces = statement.get("replacesStatements")
        self._replaced.update(text for text in _list(replaces) if isinstance(text, str))
        name = statement.get("recordId") or statement.get("statementID")
        if not isinstance(name, str):
            origin.fault("statement without a record id")
            return
        date, record = str(statement.get("statementDate") or ""), self._records.number(name)
        if record is not None:
            older = origin if date < self._records.said(record).date else self._records.origin(record)
            older.pass_over(_REPLACED)
            if older is origin:
                return
        read = _read(name, statement)
        if record is None:
            record = self._records.new(name)
        else:
            self._withdraw(name, record, read)
        rows = self._give(record, read)
        said = Said(date, read.entity is not None, rows, read.faults, read.passed_over)
        self._records.put(record, said, origin)

    def _give(self, record: int, read: _Read) -> range:
        first = after = self._holdings.count
        for row in read.rows:
            number = self._holdings.add(row.stake, indirect=row.indirect)
            after = number + 1
            if row.indirect:
                self._indirect[number] = record, row.stake
            else:
                self._sink.stake(row.stake)
        if read.entity is not None:
            self._sink.entity(read.entity)
        return range(first, after)

    def _withdraw(self, name: str, record: int, read: _Read) -> None:
        """Take back what a record's latest statement said; an entity that is described anew keeps its place."""
        said = self._records.said(record)
        if said.entity and read.entity is None:
            self._sink.no_entity(name)
        for place, row in enumerate(said.rows):
            self._holdings.drop(row)
            stake = name if len(said.rows) == 1 else f"{name}#{place}"
            if self._indirect.pop(row, None) is None:
                self._sink.no_stake(stake)

    def end(self) -> None:
        """Count and give what could not be told before all statements were read."""
        records = self._records
        for record, name in enumerate(records.names()):
            if name in self._replaced:
                self._withdraw(name, record, _Read())
        for row, fate in self._holdings.fates():
            record, stake = self._indirect[row]
            if fate == "sums up others":
                records.origin(record).pass_over(SUMMED_UP)
            else:
                self._sink.stake(stake if fate == "counts" else replace(stake, min=0))
        for record, name in enumerate(records.names()):
            self._count(name, records.said(record), records.origin(record))

    def _count(self, name: str, said: Said, origin: Origin) -> None:
        if name in self._replaced:
            origin.pass_over(_REPLACED)
            return
        for reason in said.faults:
            origin.fault(reason)
        if said.passed_over is not None:
            origin.pass_over(said.passed_over)
        if said.entity or any(map(self._holdings.standing, said.rows)):
            origin.tally.used += 1


def _check_version(version: object, origin: Origin) -> None:
    if version is None or version == "":
        return
    found = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if found is None or found[1] not in VERSIONS:
        raise BadReference(
            origin.tally.path,
            f"is BODS of version {str(version)[:_NAMED]!r}; known are {', '.join(VERSIONS)}",
            line=origin.place if origin.tally.unit == "line" else None,
            field="publicationDetails.bodsVersion",
        )


def _read(name: str, statement: Mapping[str, Any]) -> _Read:
    details = _mapping(statement.get("recordDetails", statement))
    match statement.get("recordType") or _OLD_TYPES.get(str(statement.get("statementType"))):
        case "entity":
            faults: list[str] = []
            entity = entity_of(name, details, faults.append)
            return _Read(entity, faults=tuple(faults))
        case "person":
            return _Read(person_of(name, details))
        case "relationship":
            try:
                rows = tuple(_rows(name, statement, details))
            except SkippedError as reason:
                return _Read(faults=(str(reason),))
            return _Read(rows=rows, passed_over=None if rows else "relationship without a shareholding")
        case _:
            return _Read(faults=("statement of an unknown type",))


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


def _rows(record: str, statement: Mapping[str, Any], details: Mapping[str, Any]) -> Iterator[_Row]:
    held = _party(details.get("subject"))
    if held is None:
        raise SkippedError("relationship without a subject")
    holder = _party(details.get("interestedParty")) or f"unspecified:{record}"
    interests = interests_of(details)
    relationship = _Relationship(record, holder, held, _ended(statement), _source(record, statement))
    for place, interest in enumerate(interests):
        stake = relationship.stake(place if len(interests) > 1 else None, interest)
        yield _Row(stake, interest.indirect)


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


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
