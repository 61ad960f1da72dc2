"""Ownership statements that amend a graph as they arrive: the graph stays as it is, what amends it lies over it.

Of each statement id only the newest record counts, whatever came before it. So everyone who has read the same
records has the same graph under the same hash, whether or not the older ones were still there to be read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Literal, NamedTuple, Self

from stream_enforcer.domain.ownership.graph import Entity, Key, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.identity import merged
from stream_enforcer.domain.ownership.overlay import Overlay
from stream_enforcer.domain.ownership.resolve import entity_keys

Statement = Entity | Stake
Gone = Literal["removed", "unreadable"]

_MODULUS: Final = 1 << 256


class Amendment(NamedTuple):
    """What the newest record of a statement id says.

    Attributes:
        id: The statement's id: of an entity, of a stake, or of one of each.
        says: The statement; "removed" takes it out of the graph below, too; "unreadable" leaves the graph below.
        digest: SHA-256 of the record, as a number.
    """

    id: str
    says: Statement | Gone
    digest: int = 0


def digest_of(key: bytes, value: bytes | None) -> int:
    """Return the digest of a record: of its key's length (8 bytes, big-endian), its key and its value."""
    return int.from_bytes(sha256(len(key).to_bytes(8, "big") + key + (value or b"")).digest(), "big")


class Touched(NamedTuple):
    """Where an amendment changed the graph.

    Attributes:
        hash: Hash of the graph after it.
        entities: Entities that it speaks of, and companies in which a stake changed, as it was and as it is.
        keys: Keys of the entities that it speaks of, as they were and as they are.
    """

    hash: str
    entities: frozenset[str]
    keys: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Amendments:
    """A graph and what amends it; never changed.

    Attributes:
        base: The graph below. It has an index.
        live: What amends it, by statement id.
        graph: The graph as amended. Its hash is that of the graph below where nothing amends it, else SHA-256 over
            that hash and the sum of the records' digests (32 bytes, big-endian, the carry dropped).
    """

    base: OwnershipGraph
    live: Mapping[str, Amendment]
    graph: OwnershipGraph
    _overlay: Overlay
    _sum: int

    @classmethod
    def none(cls, base: OwnershipGraph) -> Self:
        """Return a graph as it is."""
        return cls(base, {}, base, Overlay(), 0)

    def over(self, base: OwnershipGraph) -> "Amendments":
        """Return what the same statements make of another graph."""
        return Amendments.none(base).amend(self.live.values())[0]

    def amend(self, amendments: Iterable[Amendment]) -> tuple["Amendments", list[Touched]]:
        """Apply amendments in order.

        Returns:
            The outcome, and what each amendment touched.
        """
        live, overlay, total = dict(self.live), self._overlay.copy(), self._sum
        touched = []
        for amendment in amendments:
            new = _of_companies(self.base, amendment)
            before = _in_force(self.base, live, new.id)
            old = live.pop(new.id, None)
            if old is not None:
                overlay.withdraw(self.base, old.id, old.says)
                total -= old.digest
            if isinstance(new.says, Entity | Stake) or (
                new.says == "removed" and _in_base(self.base, new.id)
            ):
                live[new.id] = new
                overlay.lay(self.base, new.id, new.says)
                total += new.digest
            total %= _MODULUS
            touched.append(
                _touched(_hash(self.base, live, total), before, _in_force(self.base, live, new.id))
            )
        graph = replace(overlay.over(self.base), hash=_hash(self.base, live, total)) if live else self.base
        return Amendments(self.base, live, graph, overlay, total), touched


def _hash(base: OwnershipGraph, live: Mapping[str, Amendment], total: int) -> str:
    return sha256(base.hash.encode() + total.to_bytes(32, "big")).hexdigest() if live else base.hash


def _of_companies(base: OwnershipGraph, amendment: Amendment) -> Amendment:
    """Return an amendment in the ids that the graph below has for its companies.

    Of a company that several records tell of, a statement of any of them comes before the records, and does not
    replace them: what another source lists, no news of this one takes off the list. Which records are of one company
    is settled when files are read, not by a statement.
    """
    says = amendment.says
    if isinstance(says, Stake):
        holder, held = (base.merged.get(party, party) for party in (says.holder, says.held))
        return amendment._replace(says=replace(says, holder=holder, held=held))
    company = base.merged.get(amendment.id, amendment.id)
    if isinstance(says, Entity):
        says = replace(says, id=company, same_as=())
        below = base.entities.get(company)
        if below is not None and below.same_as:
            says = merged([says, below], below.same_as)
    return amendment._replace(id=company, says=says)


def _in_base(base: OwnershipGraph, statement_id: str) -> list[Statement]:
    """Return the statements below with an id. A company of several records is not that of one of them."""
    entity = base.entities.get(statement_id)
    alone = [entity] if entity is not None and not entity.same_as else []
    return [*alone, *base.parts_of(statement_id)]


def _in_force(base: OwnershipGraph, live: Mapping[str, Amendment], statement_id: str) -> list[Statement]:
    found = live.get(statement_id)
    if found is None:
        return _in_base(base, statement_id)
    below = [] if found.says == "removed" else _in_base(base, statement_id)
    if isinstance(found.says, str):
        return below
    return [found.says, *(one for one in below if type(one) is not type(found.says))]


def _touched(graph_hash: str, before: list[Statement], after: list[Statement]) -> Touched:
    entities, keys = set(), set()
    for statement in [*before, *after] if before != after else []:
        if isinstance(statement, Stake):
            entities.add(statement.held)
        else:
            entities.add(statement.id)
            keys.update(entity_keys(statement))
    return Touched(graph_hash, frozenset(entities), frozenset(keys))


def below(graph: OwnershipGraph, entities: Iterable[str]) -> set[str]:
    """Return entities and all that they hold, directly or through others, on any day.

    Nothing above a company but its owners can change what is said of it: this is all that a change at the entities
    can reach. The walk costs as much as there are stakes below.
    """
    found, left = set(entities), list(entities)
    while left:
        for stake in graph.stakes_of(left.pop()):
            if stake.held not in found:
                found.add(stake.held)
                left.append(stake.held)
    return found
