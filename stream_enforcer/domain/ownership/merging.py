"""Records and stakes of several publications as those of one graph: each company once, each holding once."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from stream_enforcer.domain.ownership.graph import Entity, Key, Stake
from stream_enforcer.domain.ownership.identity import (
    ID,
    NO_RECORD,
    SAME,
    Apart,
    Group,
    Tied,
    conflicts,
    merged,
    ties_of,
)
from stream_enforcer.domain.ownership.said_twice import ALWAYS, NEVER, Days, Told, heard

Recorded = tuple[int, Entity]
"""A record and the publication that it is from."""
Stated = tuple[int, Stake]
"""A stake and the publication that it is from."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Records that are of one company.

    Attributes:
        entity: The id that it keeps.
        others: The other ids.
        ties: What they have in common.
        conflicts: Fields in which they contradict each other.
    """

    entity: str
    others: tuple[str, ...]
    ties: tuple[str, ...]
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """What was found of companies that have several records, in numbers.

    Attributes:
        companies: Companies of several records.
        records: How many ids these have together.
        conflicts: How many of them have records that contradict each other, by field.
        inner: Stakes between records of one company; these are left out.
        doubled: Pairs of a holder and a company of which several publications state stakes.
        disagreements: How many of these pairs have two publications that exclude each other.
        apart_unknown: Ids that are to be kept apart and that no record has.
    """

    companies: int = 0
    records: int = 0
    conflicts: Mapping[str, int] = field(default_factory=dict)
    inner: int = 0
    doubled: int = 0
    disagreements: int = 0
    apart_unknown: int = 0


class Once(NamedTuple):
    """Every company and every holding once.

    Attributes:
        merges: Companies of several records, by id.
    """

    entities: list[Entity]
    stakes: list[Stake]
    merges: list[Merge]
    identity: Identity


def each_once(
    records: Mapping[str, Recorded], stakes: Mapping[str, Stated], apart: Apart, *, several: bool
) -> Once:
    """Merge the records of each company, and let one publication speak for each holding.

    Args:
        records: By id, the last record of each.
        stakes: By id, likewise.
        apart: What is never merged.
        several: Whether there are several publications. In one alone, no identifier makes two records one.
    """
    parties = {party for _, stake in stakes.values() for party in (stake.holder, stake.held)}

    def rank(one: str) -> int | None:
        if one in records:
            publication, entity = records[one]
            return None if entity.type == "person" else publication
        return NO_RECORD if one in parties else None

    groups = Tied(rank, apart).groups(shared_ties(records.values(), several=several).items())
    alias = {other: group.members[0] for group in groups for other in group.members}
    companies = {group.members[0]: merge_of(group, records) for group in groups}
    entities: dict[str, Entity] = {}
    for one, (_, entity) in records.items():
        kept = alias.get(one)
        if kept is None:
            entities[one] = replace(entity, same_as=()) if entity.same_as else entity
        else:
            entities[kept] = companies[kept][0]
    kept_stakes, spoken = _stakes(stakes, alias)
    merges = [merge for _, merge in companies.values()]
    unknown = len(apart.ids() - records.keys() - parties)
    return Once(list(entities.values()), kept_stakes, merges, identity_of(merges, spoken, unknown))


def shared_ties(records: Iterable[Recorded], *, several: bool) -> dict[Key, list[str]]:
    """Return who has each tie, without identifiers that one record alone has."""
    having: defaultdict[Key, list[str]] = defaultdict(list)
    for publication, entity in records:
        for tie in ties_of(entity, publication) if several or entity.same_as else ():
            having[tie].append(entity.id)
    return {tie: ids for tie, ids in having.items() if len(ids) > 1 or tie[0] in {SAME, ID}}


def merge_of(group: Group, records: Mapping[str, Recorded]) -> tuple[Entity, Merge]:
    """Return the company that a group of records is."""
    entities = [records[one][1] for one in group.members if one in records]
    kept, *others = group.members
    return merged(entities, others), Merge(kept, tuple(others), group.ties, conflicts(entities))


def identity_of(merges: Iterable[Merge], found: "Spoken", apart_unknown: int) -> Identity:
    """Count what was found."""
    companies = records = 0
    fields: Counter[str] = Counter()
    for merge in merges:
        companies += 1
        records += 1 + len(merge.others)
        fields.update(merge.conflicts)
    return Identity(
        companies=companies,
        records=records,
        conflicts=dict(sorted(fields.items())),
        inner=found.inner,
        doubled=found.doubled,
        disagreements=found.disagreements,
        apart_unknown=apart_unknown,
    )


class Spoken(NamedTuple):
    """What was found of stakes; see `Identity`."""

    inner: int = 0
    doubled: int = 0
    disagreements: int = 0


def _stakes(stakes: Mapping[str, Stated], alias: Mapping[str, str]) -> tuple[list[Stake], Spoken]:
    pairs, inner = _pairs(stakes.values(), alias)
    found: list[Stake] = []
    doubled = disagreements = 0
    for stated in pairs.values():
        if len({publication for publication, _ in stated}) == 1:
            found += [stake for _, stake in stated]
            continue
        counting = heard([_told(publication, stake) for publication, stake in stated])
        doubled += 1
        disagreements += counting.disagree
        for (_, stake), days in zip(stated, counting.days, strict=True):
            found += _parts(stake, days, stakes.__contains__)
    return found, Spoken(inner, doubled, disagreements)


def _pairs(
    stakes: Iterable[Stated], alias: Mapping[str, str]
) -> tuple[Mapping[tuple[str, str], list[Stated]], int]:
    """Return stakes by holder and company, and how many are between records of one company."""
    pairs: defaultdict[tuple[str, str], list[Stated]] = defaultdict(list)
    inner = 0
    for publication, stake in stakes:
        holder, held = alias.get(stake.holder, stake.holder), alias.get(stake.held, stake.held)
        if (holder, held) == (stake.holder, stake.held):
            pairs[holder, held].append((publication, stake))
        elif holder == held and stake.holder != stake.held:
            inner += 1
        else:
            pairs[holder, held].append((publication, replace(stake, holder=holder, held=held)))
    return pairs, inner


def _told(publication: int, stake: Stake) -> Told:
    since = ALWAYS if stake.since is None else date.fromisoformat(stake.since).toordinal()
    until = NEVER if stake.until is None else date.fromisoformat(stake.until).toordinal()
    return Told(publication, stake.min, stake.max, (since, until))


def _parts(stake: Stake, days: Iterable[Days], taken: Callable[[str], bool]) -> Iterator[Stake]:
    for place, (since, until) in enumerate(days):
        begins = None if since == ALWAYS else date.fromordinal(since).isoformat()
        ends = None if until == NEVER else date.fromordinal(until).isoformat()
        name = part_id(stake.id, begins, taken) if place and begins else stake.id
        yield replace(stake, id=name, since=begins, until=ends)


def part_id(stake: str, since: str, taken: Callable[[str], bool]) -> str:
    """Return the id of a later part of a stake that counts with interruptions."""
    name = f"{stake}@{since}"
    while taken(name):
        name += "@"
    return name
