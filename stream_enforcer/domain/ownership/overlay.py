"""Statements laid over a graph: what they add to it, and what of it they hide."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeVar

from stream_enforcer.domain.ownership.graph import Entity, Index, Key, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.resolve import entity_keys

_Value = TypeVar("_Value")
_NOTHING: Final[tuple[Any, ...]] = ()


@dataclass(slots=True)
class _Side:
    """One end of stakes: by held company, or by holder.

    Attributes:
        added: Stakes laid over, by party and id.
        hidden: Ids of stakes below that do not count, by party.
    """

    end: Literal["held", "holder"]
    added: dict[str, dict[str, Stake]] = field(default_factory=dict)
    hidden: dict[str, frozenset[str]] = field(default_factory=dict)

    def copy(self) -> "_Side":
        return _Side(self.end, self.added.copy(), self.hidden.copy())

    def add(self, stake: Stake) -> None:
        party = getattr(stake, self.end)
        self.added[party] = {**self.added.get(party, {}), stake.id: stake}

    def drop(self, stake: Stake) -> None:
        party = getattr(stake, self.end)
        left = {id_: other for id_, other in self.added[party].items() if id_ != stake.id}
        _set_or_pop(self.added, party, left)

    def hide(self, stake: Stake) -> None:
        party = getattr(stake, self.end)
        self.hidden[party] = self.hidden.get(party, frozenset()) | {stake.id}

    def show(self, stake: Stake) -> None:
        party = getattr(stake, self.end)
        _set_or_pop(self.hidden, party, self.hidden[party] - {stake.id})


def _set_or_pop(table: dict[str, _Value], party: str, value: _Value) -> None:
    if value:
        table[party] = value
    else:
        del table[party]


@dataclass(slots=True)
class Overlay:
    """What lies over a graph. Change a copy of one that a graph uses."""

    _entities: dict[str, Entity | None] = field(default_factory=dict)
    _by_key: dict[Key, dict[str, Entity]] = field(default_factory=dict)
    _sides: tuple[_Side, _Side] = field(default_factory=lambda: (_Side("held"), _Side("holder")))

    def copy(self) -> "Overlay":
        """Return an overlay that can be changed without this one."""
        held, holder = self._sides
        return Overlay(self._entities.copy(), self._by_key.copy(), (held.copy(), holder.copy()))

    def lay(self, base: OwnershipGraph, statement_id: str, says: Entity | Stake | str) -> None:
        """Lay a statement over a graph; a text, which is no statement, takes out what has this id."""
        if isinstance(says, Entity):
            self._entities[says.id] = says
            for key in entity_keys(says):
                self._by_key[key] = {**self._by_key.get(key, {}), says.id: says}
            return
        below = base.entities.get(statement_id)
        if below is not None and not below.same_as and not isinstance(says, Stake):
            self._entities[statement_id] = None
        hidden = base.parts_of(statement_id)
        for side in self._sides:
            for stake in hidden:
                side.hide(stake)
            if isinstance(says, Stake):
                side.add(says)

    def withdraw(self, base: OwnershipGraph, statement_id: str, says: Entity | Stake | str) -> None:
        """Take back what `lay` did with the same arguments."""
        if not isinstance(says, Stake):
            self._entities.pop(statement_id, None)
        if isinstance(says, Entity):
            for key in entity_keys(says):
                left = {id_: other for id_, other in self._by_key[key].items() if id_ != says.id}
                if left:
                    self._by_key[key] = left
                else:
                    del self._by_key[key]
            return
        hidden = base.parts_of(statement_id)
        for side in self._sides:
            for stake in hidden:
                side.show(stake)
            if isinstance(says, Stake):
                side.drop(says)

    def over(self, base: OwnershipGraph) -> OwnershipGraph:
        """Return the graph as one with what lies over it."""
        held, holder = self._sides
        if base.index is None:
            raise ValueError("a graph without an index can't be amended")
        return replace(
            base,
            entities=_Entities(base.entities, self._entities),
            _by_held=_Stakes(base._by_held, held),  # noqa: SLF001 - part of the graph
            _by_holder=_Stakes(base._by_holder, holder),  # noqa: SLF001 - part of the graph
            index=_Index(base.index, self._entities, self._by_key),
        )


@dataclass(frozen=True, slots=True)
class _Entities(Mapping[str, Entity]):
    _below: Mapping[str, Entity]
    _over: Mapping[str, Entity | None]

    def __getitem__(self, key: str) -> Entity:
        found: Entity | None = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: str, default: Any = None) -> Any:
        found = self._over[key] if key in self._over else self._below.get(key)
        return default if found is None else found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        yield from (key for key in self._below if key not in self._over)
        yield from (key for key, entity in self._over.items() if entity is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class _Stakes(Mapping[str, tuple[Stake, ...]]):
    _below: Mapping[str, tuple[Stake, ...]]
    _side: _Side

    def __getitem__(self, key: str) -> tuple[Stake, ...]:
        found: tuple[Stake, ...] = self.get(key, _NOTHING)
        if not found:
            raise KeyError(key)
        return found

    def get(self, key: str, default: Any = None) -> Any:
        below = self._below.get(key, _NOTHING)
        added, hidden = self._side.added.get(key), self._side.hidden.get(key)
        if added is None and hidden is None:
            return below or default
        stakes = [stake for stake in below if hidden is None or stake.id not in hidden]
        stakes += (added or {}).values()
        return tuple(sorted(stakes, key=lambda stake: stake.id)) or default

    def __iter__(self) -> Iterator[str]:
        parties = dict.fromkeys(self._below) | dict.fromkeys(self._side.added)
        return (party for party in parties if self.get(party))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class _Index(Index):
    _below: Index
    _over: Mapping[str, Entity | None]
    _by_key: Mapping[Key, Mapping[str, Entity]]

    def candidates(self, key: Key, limit: int) -> Sequence[Entity]:
        """Return the first entities with a key: those laid over, then those below that still count."""
        added = [*self._by_key.get(key, {}).values()]
        wanted = limit
        while True:
            found = self._below.candidates(key, wanted)
            kept = added + [entity for entity in found if entity.id not in self._over]
            if len(kept) >= limit or len(found) < wanted:
                return kept[:limit]
            wanted *= 2  # those hidden took the place of others
