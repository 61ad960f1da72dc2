"""The part of the graph that can matter for one company on one day: everyone above it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from stream_enforcer.domain.ownership.graph import OwnershipGraph, Stake
from stream_enforcer.domain.ownership.question import Question

Side = Literal[1, 2]
"""Which end of a band is used: 1 for the least shares, 2 for the greatest. It indexes a `Holding`."""

Holding = tuple[int, int, int]
"""The other party's number, the least and the greatest summed share."""

ENTITY = 0
"""The number of the company asked about: the walk starts there."""


@dataclass(frozen=True, slots=True)
class Ancestry:
    """A company and all that is above it, as numbers: 0 is the company, nearer ancestors come first.

    Attributes:
        ids: Entity id by number.
        into: By held company: who holds it. Several stakes of one holder are summed.
        out: By holder: what it holds, within the ancestry only.
        country: The country that makes a holder restricted, or None.
        person: Whether it is a natural person, in whom nobody can hold a stake.
    """

    ids: tuple[str, ...]
    into: tuple[tuple[Holding, ...], ...]
    out: tuple[tuple[Holding, ...], ...]
    country: tuple[str | None, ...]
    person: tuple[bool, ...]

    @property
    def restricted(self) -> list[int]:
        """Return the numbers of the restricted holders, nearest first."""
        return [number for number, country in enumerate(self.country) if country is not None]


def active_stakes(graph: OwnershipGraph, held: str, on: str) -> Iterator[Stake]:
    """Yield the stakes in a company that are held on the day."""
    return (stake for stake in graph.stakes_in(held) if stake.active(on))


def ancestry(graph: OwnershipGraph, entity_id: str, on: str, question: Question) -> Ancestry:
    """Walk upwards from a company, breadth first, over the stakes held on the day.

    The walk goes on above restricted holders: who controls them matters for the single-owner reading.
    It costs as much as there are stakes above the company, whatever else its holders hold.
    """
    numbers = {entity_id: ENTITY}
    ids = [entity_id]
    into: list[tuple[Holding, ...]] = []
    out: list[list[Holding]] = [[]]
    while len(into) < len(ids):
        held = len(into)
        shares: dict[str, tuple[int, int]] = {}
        for stake in () if _is_person(graph, ids[held]) else active_stakes(graph, ids[held], on):
            least, greatest = shares.get(stake.holder, (0, 0))
            shares[stake.holder] = (least + stake.min, greatest + stake.max)
        holdings = []
        for holder_id, (least, greatest) in shares.items():
            holder = numbers.setdefault(holder_id, len(ids))
            if holder == len(ids):
                ids.append(holder_id)
                out.append([])
            holdings.append((holder, least, greatest))
            out[holder].append((held, least, greatest))
        into.append(tuple(holdings))
    return Ancestry(
        ids=tuple(ids),
        into=tuple(into),
        out=tuple(map(tuple, out)),
        country=tuple(question.restricted_country(graph.entities.get(entity)) for entity in ids),
        person=tuple(_is_person(graph, entity) for entity in ids),
    )


def _is_person(graph: OwnershipGraph, entity_id: str) -> bool:
    entity = graph.entities.get(entity_id)
    return entity is not None and entity.type == "person"
