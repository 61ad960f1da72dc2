"""Entities, the stakes between them, and the immutable graph of both."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, Protocol, Self

FULL: Final = 100_000_000
"""100 % in millionths of a percent, the unit of every share."""

Key = tuple[str, ...]
"""What organisations are found by: a kind of identifier or of name, and its parts. See `resolve.entity_keys`."""

EntityType = Literal["company", "state", "person", "unknown"]


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What identifies a company beyond its name.

    Attributes:
        more: Further keys (see `resolve.entity_keys`), where records of several sources are of the company.
    """

    lei: str | None = None
    registration_number: str | None = None
    domain: str | None = None
    more: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """An entry of an entity on a list, such as one of sanctions or of military end users.

    Attributes:
        topic: What the list is about, e.g. "sanction" or "military".
        program: The list's own name, where known.
        since: First day (ISO), or None for always.
        until: First day on which it no longer holds (ISO), or None for no end.
    """

    topic: str
    program: str | None = None
    since: str | None = None
    until: str | None = None

    def active(self, on: str) -> bool:
        """Tell whether the entry holds on an ISO day."""
        return _active(self.since, self.until, on)


@dataclass(frozen=True, slots=True)
class Entity:
    """A company, state, natural person, or something of unknown kind.

    Attributes:
        country: Jurisdiction of registration (of a state: the state), ISO 3166-1 alpha-2.
        headquarters: Country of the headquarters, where known.
        same_as: Ids of other records of the same company: in a record as its source says it, in a graph those that
            were merged into it.
    """

    id: str
    name: str
    type: EntityType
    country: str | None = None
    headquarters: str | None = None
    aliases: tuple[str, ...] = ()
    identifiers: Identifiers = Identifiers()
    listings: tuple[Listing, ...] = ()
    same_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stake:
    """A share of one entity held by another, exact (min = max) or a band.

    Attributes:
        holder: Id of who holds; need not be an entity of the data.
        held: Id of the company that is held.
        min: Least share in millionths of a percent.
        max: Greatest share in millionths of a percent.
        since: First day (ISO), or None for always.
        until: First day on which it no longer holds (ISO), or None for no end.
        source: Where the record comes from, as its publisher says it.
    """

    id: str
    holder: str
    held: str
    min: int
    max: int
    since: str | None = None
    until: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.min <= self.max <= FULL:
            raise ValueError(
                f"stake {self.id}: shares {self.min}..{self.max} are not a band within 0..{FULL}"
            )

    def active(self, on: str) -> bool:
        """Tell whether the stake is held on an ISO day; `since` is inclusive and `until` exclusive."""
        return _active(self.since, self.until, on)


def _active(since: str | None, until: str | None, on: str) -> bool:
    return (since is None or since <= on) and (until is None or on < until)


class Index(Protocol):
    """Finds the organisations of a graph by a key; natural persons are not among them."""

    def candidates(self, key: Key, limit: int) -> Sequence[Entity]:
        """Return the organisations that have a key, each once and in no order; `limit` of them when there are more."""
        ...


@dataclass(frozen=True, slots=True)
class OwnershipGraph:
    """All entities and stakes of one snapshot; never changed after `build`.

    Attributes:
        hash: SHA-256 hex of the data that it was built from.
        as_of: Day of the newest snapshot or publication in it (ISO), where one is stated.
        entities: Entity by id.
        index: Finds organisations by key, where there is one already.
        merged: By id of a record that is of the same company as another: the id that the company has.
    """

    hash: str
    as_of: str | None
    entities: Mapping[str, Entity]
    _by_held: Mapping[str, tuple[Stake, ...]] = field(repr=False)
    _by_holder: Mapping[str, tuple[Stake, ...]] = field(repr=False)
    _by_id: Mapping[str, Stake] = field(repr=False)
    index: Index | None = field(default=None, repr=False)
    merged: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def build(
        cls,
        entities: Iterable[Entity],
        stakes: Iterable[Stake],
        *,
        hash: str,  # noqa: A002 - named as the attribute
        as_of: str | None = None,
        merged: Mapping[str, str] | None = None,
    ) -> Self:
        """Build the graph; a later record with the same id replaces an earlier one.

        A stake whose holder or held company is not among the entities is kept: nothing is known of that
        party, so it is never a restricted holder itself, but chains through it still count.
        """
        kept = {stake.id: stake for stake in stakes}
        by_held: defaultdict[str, list[Stake]] = defaultdict(list)
        by_holder: defaultdict[str, list[Stake]] = defaultdict(list)
        for stake in sorted(kept.values(), key=lambda stake: stake.id):
            by_held[stake.held].append(stake)
            by_holder[stake.holder].append(stake)
        return cls(
            hash=hash,
            as_of=as_of,
            entities=MappingProxyType({entity.id: entity for entity in entities}),
            _by_held=MappingProxyType({held: tuple(group) for held, group in by_held.items()}),
            _by_holder=MappingProxyType({holder: tuple(group) for holder, group in by_holder.items()}),
            _by_id=MappingProxyType(kept),
            merged=MappingProxyType(dict(merged or {})),
        )

    def parts_of(self, stake_id: str) -> list[Stake]:
        """Return the stakes that one statement became: more than one where another publication has days of it."""
        first = self._by_id.get(stake_id)
        if first is None:
            return []
        part = re.compile(re.escape(stake_id) + "(@[0-9]{4}-[0-9]{2}-[0-9]{2}@*)?")
        return [stake for stake in self.stakes_in(first.held) if part.fullmatch(stake.id)]

    def stakes_in(self, held: str) -> tuple[Stake, ...]:
        """Return the stakes in a company, by stake id."""
        return self._by_held.get(held, ())

    def stakes_of(self, holder: str) -> tuple[Stake, ...]:
        """Return the stakes that a holder has, by stake id."""
        return self._by_holder.get(holder, ())

    def stakes(self) -> Iterable[Stake]:
        """Return all stakes, those in one company together and by stake id."""
        return (stake for group in self._by_held.values() for stake in group)
