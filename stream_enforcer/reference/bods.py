"""Beneficial Ownership Data Standard: version 0.4, and the statements of 0.2 and 0.3 in its terms.

A later statement of a record replaces an earlier one. What cannot be used is skipped and counted by reason:
real publications contain statements that say nothing about ownership.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from stream_enforcer.domain.ownership.graph import Entity, Stake
from stream_enforcer.reference.bods_details import entity_of, person_of
from stream_enforcer.reference.bods_shares import Interest, SkippedError, day_of, interests_of
from stream_enforcer.reference.derived import SUMMED_UP, Row, without_derived
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.reading import Reading
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


@dataclass(slots=True)
class _Record:
    """What the latest statement of a record says, and what is to be counted if no other replaces it."""

    said: str
    origin: Origin
    entity: Entity | None = None
    rows: tuple[Row, ...] = ()
    faults: list[str] = field(default_factory=list)
    passed_over: str | None = None


class BodsReader:
    """Takes statements of any number of files as one publication."""

    def __init__(self) -> None:
        self._latest: dict[str, _Record] = {}
        self._replaced: set[str] = set()
        self._as_of: str | None = None

    def statement(self, statement: Mapping[str, Any], origin: Origin) -> None:
        """Take a statement.

        Raises:
            BadReference: It is of a version that is not known; names it.
        """
        publication = _mapping(statement.get("publicationDetails"))
        _check_version(publication.get("bodsVersion"), origin)
        self._as_of = max(
            filter(None, (self._as_of, day_of(publication.get("publicationDate")))), default=None
        )
        replaces = statement.get("replacesStatements")
        self._replaced.update(text for text in _list(replaces) if isinstance(text, str))
        record = statement.get("recordId") or statement.get("statementID")
        if not isinstance(record, str):
            origin.fault("statement without a record id")
            return
        said = str(statement.get("statementDate") or "")
        earlier = self._latest.get(record)
        if earlier is not None:
            older = origin if said < earlier.said else earlier.origin
            older.pass_over("statement that a later one replaces")
            if older is origin:
                return
        self._latest[record] = _read(record, statement, _Record(said, origin))

    def reading(self) -> Reading:
        """Return what all statements say together."""
        entities: list[Entity] = []
        placed: dict[str, Origin] = {}
        rows: list[Row] = []
        for name, record in self._latest.items():
            if name in self._replaced:
                record.origin.pass_over("statement that a later one replaces")
                continue
            _count(record)
            if record.entity is not None:
                entities.append(record.entity)
                record.origin.tally.used += 1
            rows.extend(record.rows)
            placed.update((row.stake.id, record.origin) for row in record.rows)
        stakes = without_derived(rows, lambda stake: placed[stake.id].pass_over(SUMMED_UP))
        for origin in {placed[stake.id] for stake in stakes}:
            origin.tally.used += 1
        return Reading(entities, stakes, self._as_of)


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


def _count(record: _Record) -> None:
    for reason in record.faults:
        record.origin.fault(reason)
    if record.passed_over is not None:
        record.origin.pass_over(record.passed_over)


def _read(name: str, statement: Mapping[str, Any], record: _Record) -> _Record:
    """Put what a statement says into its record."""
    details = _mapping(statement.get("recordDetails", statement))
    match statement.get("recordType") or _OLD_TYPES.get(str(statement.get("statementType"))):
        case "entity":
            record.entity = entity_of(name, details, record.faults.append)
        case "person":
            record.entity = person_of(name, details)
        case "relationship":
            try:
                record.rows = tuple(_rows(name, statement, details))
            except SkippedError as reason:
                record.faults.append(str(reason))
            else:
                record.passed_over = None if record.rows else "relationship without a shareholding"
        case _:
            record.faults.append("statement of an unknown type")
    return record


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


def _rows(record: str, statement: Mapping[str, Any], details: Mapping[str, Any]) -> Iterator[Row]:
    held = _party(details.get("subject"))
    if held is None:
        raise SkippedError("relationship without a subject")
    holder = _party(details.get("interestedParty")) or f"unspecified:{record}"
    interests = interests_of(details)
    relationship = _Relationship(record, holder, held, _ended(statement), _source(record, statement))
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


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
