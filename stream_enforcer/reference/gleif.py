"""GLEIF level 1 (who is who) and level 2 (who owns whom) as entities and stakes.

Consolidation is what a parent reports when it prepares accounts for both; it goes with more than half of the shares
or votes, and no share is published: the band is (50 %, 100 %]. Field meanings: LEI-CDF 3.1 and RR-CDF 2.1.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from stream_enforcer.domain.ownership.graph import FULL, Entity, EntityType, Identifiers, Stake
from stream_enforcer.reference.bods_shares import SkippedError, day_of
from stream_enforcer.reference.country_names import country_code
from stream_enforcer.reference.derived import SUMMED_UP, Row, spans, without_derived
from stream_enforcer.reference.reading import Reading
from stream_enforcer.reference.report import Origin

OVER_HALF: Final = (FULL // 2 + 1, FULL)
"""More than 50 %, up to all."""

_DIRECT: Final = "IS_DIRECTLY_CONSOLIDATED_BY"
_ULTIMATE: Final = "IS_ULTIMATELY_CONSOLIDATED_BY"
_BRANCH: Final = "IS_INTERNATIONAL_BRANCH_OF"
_BANDS: Final = {_DIRECT: OVER_HALF, _ULTIMATE: OVER_HALF, _BRANCH: (FULL, FULL)}
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
_Placed = tuple[Row, Origin]


class GleifReader:
    """Takes records of any number of files, and gives what they say together; a later record replaces an earlier."""

    def __init__(self) -> None:
        self._entities: dict[str, Entity] = {}
        self._rows: dict[str, _Placed] = {}
        self._as_of: str | None = None

    def dated(self, text: str | None) -> None:
        """Take note of a day of which the data are."""
        self._as_of = max(filter(None, (self._as_of, day_of(text))), default=None)

    def entity(self, columns: Columns, origin: Origin) -> None:
        """Take a level 1 record."""
        lei = _lei(columns, "LEI")
        if lei is None:
            origin.fault("record without an LEI of 20 characters")
        elif columns.get("Registration.RegistrationStatus") in _WITHDRAWN:
            self._entities.pop(lei, None)
            origin.pass_over("record that is annulled, a duplicate or not yet validated")
        elif not columns.get("Entity.LegalName", "").strip():
            origin.fault("record without a legal name")
        else:
            if lei in self._entities:
                origin.remark("record that replaces an earlier one")
            self._entities[lei] = entity_of(lei, columns, origin)
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
        key = f"gleif:{held}:{kind}:{holder}:{since or ''}"
        self._rows.pop(key, None)
        ended = columns.get("Relationship.RelationshipStatus") != "ACTIVE"
        if columns.get("Registration.RegistrationStatus") in _WITHDRAWN:
            origin.pass_over("record that is annulled, a duplicate or not yet validated")
        elif ended and until is None:
            origin.pass_over("relationship that has ended, without a date")
        else:
            stake = Stake(key, holder, held, *_BANDS[kind], since, until, _SOURCES[kind])
            self._rows[key] = Row(stake, kind == _ULTIMATE), origin

    def reading(self) -> Reading:
        """Return what all records say together."""
        placed = {row.stake.id: origin for row, origin in self._rows.values()}
        rows = _without_repeated((row for row, _ in self._rows.values()), placed)
        stakes = without_derived(rows, lambda stake: placed[stake.id].pass_over(SUMMED_UP))
        for stake in stakes:
            placed[stake.id].tally.used += 1
        return Reading(tuple(self._entities.values()), stakes, self._as_of)


def _without_repeated(rows: Iterable[Row], placed: Mapping[str, Origin]) -> list[Row]:
    """Leave out ultimate parents that are the direct parent too: it is one relationship, reported twice."""
    rows = list(rows)
    direct: defaultdict[tuple[str, str], list[Stake]] = defaultdict(list)
    for row in rows:
        if not row.indirect:
            direct[row.stake.holder, row.stake.held].append(row.stake)
    kept = []
    for row in rows:
        stake = row.stake
        if row.indirect and any(spans(other, stake) for other in direct.get((stake.holder, stake.held), ())):
            placed[stake.id].pass_over("ultimate parent that is the direct parent too")
        else:
            kept.append(row)
    return kept


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
