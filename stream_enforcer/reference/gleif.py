"""GLEIF level 1 (who is who) and level 2 (who owns whom) as entities and stakes.

Consolidation is what a parent reports when it prepares accounts for both; it goes with more than half of the shares
or votes, and no share is published: the band is (50 %, 100 %]. Field meanings: LEI-CDF 3.1 and RR-CDF 2.1.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from stream_enforcer.domain.ownership.graph import FULL, Entity, EntityType, Identifiers, Stake
from stream_enforcer.reference.bods_shares import SkippedError, day_of
from stream_enforcer.reference.country_names import country_code
from stream_enforcer.reference.derived import SUMMED_UP, Days, Holdings, day_number
from stream_enforcer.reference.origins import Origins
from stream_enforcer.reference.reading import Sink, later
from stream_enforcer.reference.report import Origin

OVER_HALF: Final = (FULL // 2 + 1, FULL)
"""More than 50 %, up to all."""

_DIRECT: Final = "IS_DIRECTLY_CONSOLIDATED_BY"
_ULTIMATE: Final = "IS_ULTIMATELY_CONSOLIDATED_BY"
_BRANCH: Final = "IS_INTERNATIONAL_BRANCH_OF"
_BANDS: Final = {_DIRECT: OVER_HALF, _ULTIMATE: OVER_HALF, _BRANCH: (FULL, FULL)}
_KINDS: Final = tuple(_BANDS)
_FUND: Final = frozenset({"IS_FUND-MANAGED_BY", "IS_SUBFUND_OF", "IS_FEEDER_TO"})
_SOURCES: Final = {kind: f"GLEIF level 2, {kind}" for kind in _BANDS}

# Records that say of themselves that they are not to be relied on. A LAPSED one was true when last renewed.
_WITHDRAWN: Final = frozenset({"ANNULLED", "DUPLICATE", "PENDING_VALIDATION"})

# A sole proprietor is a natural person who does business.
_TYPES: Final[Mapping[str, EntityType]] = {
    "GENERAL": "company",
    "FUND": "company",
    "BRANCH": "company",
    "RESIDENT_GOVERNMENT_ENTITY": "state",
    "INTERNATIONAL_ORGANIZATION": "unknown",
    "SOLE_PROPRIETOR": "person",
}
_LEI: Final = re.compile(r"[0-9A-Z]{18}[0-9]{2}")
_NAMES: Final = ("Entity.OtherEntityNames.", "Entity.TransliteratedOtherEntityNames.")
_PERIODS: Final = range(1, 9)

Columns = Mapping[str, str]


class GleifReader:
    """Takes records of any number of files, and gives what they say together; a later record replaces an earlier.

    Attributes:
        as_of: The newest day of which the data are.
    """

    def __init__(self, sink: Sink) -> None:
        self.as_of: str | None = None
        self._sink = sink
        self._described: set[str] = set()
        self._holdings = Holdings()
        self._rows: dict[int, int] = {}
        self._origins = Origins()

    def dated(self, text: str | None) -> None:
        """Take note of a day of which the data are."""
        self.as_of = later(self.as_of, day_of(text))

    def entity(self, columns: Columns, origin: Origin) -> None:
        """Take a level 1 record."""
        lei = _lei(columns, "LEI")
        if lei is None:
            origin.fault("record without an LEI of 20 characters")
        elif columns.get("Registration.RegistrationStatus") in _WITHDRAWN:
            if lei in self._described:
                self._described.remove(lei)
                self._sink.no_entity(lei)
            origin.pass_over("record that is annulled, a duplicate or not yet validated")
        elif not columns.get("Entity.LegalName", "").strip():
            origin.fault("record without a legal name")
        else:
            if lei in self._described:
                origin.remark("record that replaces an earlier one")
            self._described.add(lei)
            self._sink.entity(entity_of(lei, columns, origin))
            origin.tally.used += 1

    def relationship(self, columns: Columns, origin: Origin) -> None:
        """Take a level 2 record."""
        held, holder = (_lei(columns, f"Relationship.{end}Node.NodeID") for end in ("Start", "End"))
        kind = columns.get("Relationship.RelationshipType", "")
        if held is None or holder is None:
            origin.fault("relationship without two LEIs")
        elif kind in _FUND:
            origin.pass_over("relationship of a fund, which is not ownership")
        elif kind not in _BANDS:
            origin.fault("relationship of an unknown type")
        else:
            self._related(holder, held, kind, columns, origin)

    def _related(self, holder: str, held: str, kind: str, columns: Columns, origin: Origin) -> None:
        try:
            since, until = _period(columns)
        except SkippedError as reason:
            origin.fault(str(reason))
            return
        key = self._key(holder, held, kind, since)
        earlier = self._rows.pop(key, None)
        if earlier is not None:
            self._holdings.drop(earlier)
        stake = _stake(holder, held, kind, (since, until))
        ended = columns.get("Relationship.RelationshipStatus") != "ACTIVE"
        if columns.get("Registration.RegistrationStatus") in _WITHDRAWN:
            origin.pass_over("record that is annulled, a duplicate or not yet validated")
        elif ended and until is None:
            origin.pass_over("relationship that has ended, without a date")
        else:
            self._take(key, stake, kind, origin)
            return
        if earlier is not None and kind != _ULTIMATE:
            self._sink.no_stake(stake.id)

    def _take(self, key: int, stake: Stake, kind: str, origin: Origin) -> None:
        """Take a row. One of an ultimate parent waits until all are known."""
        row = self._rows[key] = self._holdings.add(stake, indirect=kind == _ULTIMATE)
        self._origins.put(row, origin)
        if kind != _ULTIMATE:
            self._sink.stake(stake)

    def _key(self, holder: str, held: str, kind: str, since: str | None) -> int:
        """Return what makes two records one, as a number: a text for each would take far more room."""
        number = self._holdings.number(held) << 32 | self._holdings.number(holder)
        return (number << 32 | day_number(since)) << 2 | _KINDS.index(kind)

    def end(self) -> None:
        """Count and give what could not be told before all records were read."""
        holdings, origins = self._holdings, self._origins
        for row in holdings.repeated():
            origins[row].pass_over("ultimate parent that is the direct parent too")
        for row, fate in holdings.fates():
            if fate == "sums up others":
                origins[row].pass_over(SUMMED_UP)
                continue
            holder, held, days = holdings.of(row)
            stake = _stake(holder, held, _ULTIMATE, days)
            self._sink.stake(stake if fate == "counts" else replace(stake, min=0))
        for row in self._rows.values():
            if holdings.standing(row):
                origins[row].tally.used += 1


def _stake(holder: str, held: str, kind: str, days: Days) -> Stake:
    key = f"gleif:{held}:{kind}:{holder}:{days[0] or ''}"
    return Stake(key, holder, held, *_BANDS[kind], *days, _SOURCES[kind])


def entity_of(lei: str, columns: Columns, origin: Origin) -> Entity:
    """Return the entity of a level 1 record. One that no longer operates is kept: stakes may refer to it."""
    country = _country(columns, "Entity.LegalJurisdiction", origin)
    if country is None:
        country = _country(columns, "Entity.LegalAddress.Country", origin)
    if columns.get("Entity.EntityStatus") == "INACTIVE":
        origin.remark("entity that no longer operates, kept")
    name = columns["Entity.LegalName"].strip()
    others = (value.strip() for column, value in columns.items() if column.startswith(_NAMES))
    number = columns.get("Entity.RegistrationAuthority.RegistrationAuthorityEntityID", "").strip()
    return Entity(
        id=lei,
        name=name,
        type=_TYPES.get(columns.get("Entity.EntityCategory", "GENERAL"), "unknown"),
        country=country,
        headquarters=_country(columns, "Entity.HeadquartersAddress.Country", origin),
        aliases=tuple(dict.fromkeys(other for other in others if other and other != name)),
        identifiers=Identifiers(lei=lei, registration_number=number or None),
    )


def _lei(columns: Columns, column: str) -> str | None:
    value = columns.get(column, "").strip().upper()
    return value if _LEI.fullmatch(value) else None


def _country(columns: Columns, column: str, origin: Origin) -> str | None:
    value = columns.get(column, "").strip()
    code = country_code(value)
    if code is None and value:
        origin.fault("country that is not known")
    return code


def _period(columns: Columns) -> tuple[str | None, str | None]:
    """Return the days of the latest period of the relationship itself; other periods are of its documents.

    Raises:
        SkippedError: A day can't be read, or the period ends before it begins.
    """
    found: list[tuple[str | None, str | None]] = []
    for number in _PERIODS:
        prefix = f"Relationship.Period.{number}."
        if columns.get(f"{prefix}periodType") == "RELATIONSHIP_PERIOD":
            since, until = (_day(columns.get(f"{prefix}{end}Date")) for end in ("start", "end"))
            if since is not None and until is not None and until < since:
                raise SkippedError("relationship that ends before it begins")
            found.append((since, until))
    return max(found, key=lambda days: days[0] or "", default=(None, None))


def _day(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    day = day_of(text.strip())
    if day is None:
        raise SkippedError("date that can't be read")
    return day
