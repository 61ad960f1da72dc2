"""Which records of several publications are of one company, by what identifies it and never by its name.

A *publication* is all files of one family of formats. A *tie* is what can make two records one: an LEI, a
registration number with its jurisdiction, or a record's word that another is of the same company. An identifier that
several companies of one publication have identifies none of them. Natural persons are never tied to anybody.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from stream_enforcer.domain.ownership.graph import Entity, Identifiers, Key
from stream_enforcer.domain.ownership.resolve import identifier_keys

NATIVE: Final = 0
GLEIF: Final = 1
BODS: Final = 2
FTM: Final = 3
PUBLICATIONS: Final = ("native", "GLEIF", "BODS", "FollowTheMoney")
"""In the order in which they are believed: a company keeps the id, name and countries of the first that has them."""
NO_RECORD: Final = len(PUBLICATIONS)
"""Stands for the publication of a party of stakes that no record describes."""

SAME: Final = "same as"
"""A tie to the record of an id, by the word of who knows both."""
ID: Final = "id"
"""A tie to the record of an id, which an identifier happens to name: good where only one company names it."""
_IDENTIFIERS: Final = ("lei", "registration")


@dataclass(frozen=True, slots=True)
class Apart:
    """Records that are of different companies, whatever the data say.

    Attributes:
        alone: Ids of records that are of no other's company.
        pairs: Two ids that are not of one company, each pair in both orders.
    """

    alone: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str]] = frozenset()

    def ids(self) -> frozenset[str]:
        """Return all ids that are named."""
        return self.alone | {one for pair in self.pairs for one in pair}


NOTHING_APART: Final = Apart()


class Group(NamedTuple):
    """Records of one company.

    Attributes:
        members: Their ids, the one that the company keeps first, then by publication and id.
        ties: What made them one, as text, sorted.
    """

    members: tuple[str, ...]
    ties: tuple[str, ...]


def ties_of(entity: Entity, publication: int) -> list[Key]:
    """Return what ties the record of a company to others; nothing for a natural person."""
    if entity.type == "person":
        return []
    # Publishers of BODS list identifiers of many schemes, so such a one is no word that two records are one.
    link = ID if publication == BODS else SAME
    links = [(link, other) for other in dict.fromkeys(entity.same_as) if other != entity.id]
    return [*(key for key in identifier_keys(entity) if key[0] in _IDENTIFIERS), *links]


class Tied:
    """Puts the records of each company together. The order in which records are given makes no difference.

    Args:
        rank: Gives the publication of a record, `NO_RECORD` for who only takes part in stakes; None for whoever is
            not in the data, and for a natural person.
        apart: What is never put together.
    """

    def __init__(self, rank: Callable[[str], int | None], apart: Apart) -> None:
        self._rank = rank
        self._alone = apart.alone
        self._enemies: defaultdict[str, set[str]] = defaultdict(set)
        for one, other in apart.pairs:
            self._enemies[one].add(other)
        self._group: dict[str, _Members] = {}

    def groups(self, ties: Iterable[tuple[Key, Iterable[str]]]) -> list[Group]:
        """Return the companies of several records, by their first member.

        The word that two records are one counts first; then identifiers that one company of each publication has.

        Args:
            ties: Each tie, and whose record has it.
        """
        given = [(tie, self._having(tie, having)) for tie, having in ties]
        shared = sorted((tie, having) for tie, having in given if len(having) > 1)
        for tie, having in shared:
            if tie[0] == SAME:
                self._join(tie, having)
        # All are looked at before one is used: none makes another good or bad.
        sound = [(tie, having) for tie, having in shared if tie[0] != SAME and self._sound(having)]
        for tie, having in sound:
            self._join(tie, having)
        companies = {id(found): found for found in self._group.values() if len(found.ids) > 1}
        groups = [
            Group(tuple(self._ordered(company.ids)), tuple(sorted({" ".join(tie) for tie in company.ties})))
            for company in companies.values()
        ]
        return sorted(groups, key=lambda group: self._place(group.members[0]))

    def _having(self, tie: Key, having: Iterable[str]) -> list[str]:
        """Return who has a tie, and whom it names by id; nobody where it names somebody that is not in the data."""
        if tie[0] not in {SAME, ID}:
            return self._ordered(set(having))
        return self._ordered({*having, tie[1]}) if self._rank(tie[1]) is not None else []

    def _ordered(self, ids: Iterable[str]) -> list[str]:
        return sorted(ids, key=self._place)

    def _place(self, one: str) -> tuple[int, str]:
        rank = self._rank(one)
        return (NO_RECORD if rank is None else rank), one

    def _sound(self, having: Sequence[str]) -> bool:
        """Tell whether no publication has several companies of an identifier."""
        company_of: dict[int, int] = {}
        for one in having:
            company, publication = id(self._members(one)), self._place(one)[0]
            if company_of.setdefault(publication, company) != company:
                return False
        return True

    def _join(self, tie: Key, having: Sequence[str]) -> None:
        """Put those who have a tie together. Who must stay apart from one company may still be of the next."""
        companies: list[str] = []
        for one in having:
            company = next((other for other in companies if self._joined(one, other)), None)
            if company is None:
                companies.append(one)
            else:
                self._members(one).ties.append(tie)

    def _joined(self, one: str, other: str) -> bool:
        """Put two records together, unless they are to be kept apart; tell whether they are together."""
        mine, others = self._members(one), self._members(other)
        if mine is others:
            return True
        if {one, other} & self._alone or any(self._group.get(enemy) is others for enemy in mine.enemies):
            return False
        less, more = sorted((mine, others), key=lambda members: len(members.ids))
        more.ids += less.ids
        more.enemies += less.enemies
        more.ties += less.ties
        for member in less.ids:
            self._group[member] = more
        return True

    def _members(self, one: str) -> "_Members":
        found = self._group.get(one)
        if found is None:
            found = self._group[one] = _Members([one], tuple(self._enemies.get(one, ())), [])
        return found


@dataclass(slots=True, eq=False)
class _Members:
    """Ids of one company's records, ids that are not to be among them, and what made them one."""

    ids: list[str]
    enemies: tuple[str, ...]
    ties: list[Key]


def merged(records: Sequence[Entity], others: Iterable[str]) -> Entity:
    """Return the one entity that records of one company are.

    It keeps the id of the first record, and its name; each of the other fields is that of the first record that says
    it; a registration number goes with its country. All names are names of it, and all identifiers find it.

    Args:
        records: In the order in which they are believed.
        others: All other ids that it goes by.
    """
    first = records[0]
    country = _first(record.country for record in records)
    numbered = (record for record in records if record.country == country)
    identifiers = Identifiers(
        _first(record.identifiers.lei for record in records),
        _first(record.identifiers.registration_number for record in numbered),
        _first(record.identifiers.domain for record in records),
    )
    names = dict.fromkeys(name for record in records for name in (record.name, *record.aliases))
    listings = dict.fromkeys(listing for record in records for listing in record.listings)
    entity = Entity(
        id=first.id,
        name=first.name,
        type=next((record.type for record in records if record.type != "unknown"), "unknown"),
        country=country,
        headquarters=_first(record.headquarters for record in records),
        aliases=tuple(name for name in names if name != first.name),
        identifiers=identifiers,
        listings=tuple(listings),
        same_as=tuple(sorted(others)),
    )
    own = set(identifier_keys(entity))
    more = dict.fromkeys(key for record in records for key in identifier_keys(record) if key not in own)
    return replace(entity, identifiers=replace(identifiers, more=tuple(more)))


def conflicts(records: Sequence[Entity]) -> tuple[str, ...]:
    """Return the fields in which records of one company contradict each other."""
    said: list[tuple[str, set[str | Key | None]]] = [
        ("type", {record.type for record in records if record.type != "unknown"}),
        ("country", {record.country for record in records if record.country}),
        ("headquarters", {record.headquarters for record in records if record.headquarters}),
        ("lei", {key for record in records for key in identifier_keys(record) if key[0] == "lei"}),
    ]
    return tuple(name for name, found in said if len(found) > 1)


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value is not None), None)
