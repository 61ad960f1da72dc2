"""The proof of a finding: the stakes from which the checker in `proof` gets the same numbers.

A proof holds every stake that adds to the stated number of a proved reading (or, where none is proved, of a
possible one): not the fewest stakes that pass the threshold, but those that make a changed number show. A
finding that would need more than `MOST_EDGES` gets a sufficient proof instead: just enough stakes, greatest
first, to show the control verdict. When even those are too many, it has no proof and says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stream_enforcer.domain.ownership.ancestry import ENTITY, Ancestry, Side, active_stakes
from stream_enforcer.domain.ownership.control import Group
from stream_enforcer.domain.ownership.effective import chains
from stream_enforcer.domain.ownership.graph import OwnershipGraph, Stake
from stream_enforcer.domain.ownership.proof import Edge
from stream_enforcer.domain.ownership.question import Question

MOST_EDGES: Final = 400
"""So that a decision stays far below the size that a broker accepts (about 150 bytes an edge)."""

Link = tuple[int, int]
"""A holder and a company that it holds, by number."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What a proof has to show.

    Attributes:
        side: Least shares (proved readings) or greatest (possible ones).
        control: Restricted holders with all that they control, when the control reading is to be shown.
        effective: Whether the effective reading is to be shown.
        single_owner: The best single holder's group, holder first, when that reading is to be shown.
    """

    side: Side
    control: Group | None
    effective: bool
    single_owner: Group | None


@dataclass(frozen=True, slots=True)
class Proof:
    """The stakes that show a finding's verdicts.

    Attributes:
        edges: Nearest to the company first.
        complete: Whether they give the stated numbers; otherwise they show the control verdict alone, or are
            left out because there are too many.
    """

    edges: tuple[Edge, ...]
    complete: bool


def prove(graph: OwnershipGraph, on: str, above: Ancestry, question: Question, witness: Witness) -> Proof:
    """Collect the stakes that show what a finding says; see the module for which."""
    links: set[Link] = set()
    if witness.control is not None:
        links |= _holdings_of(witness.control, above, witness.side, roots=frozenset(above.restricted))
    if witness.effective:
        links |= _chain_links(above, witness.side)
    if witness.single_owner is not None:
        roots = frozenset(witness.single_owner.members[:1])
        links |= _holdings_of(witness.single_owner, above, witness.side, roots=roots)
    edges = _edges(graph, on, above, links, witness.side)
    if len(edges) <= MOST_EDGES:
        return Proof(edges, complete=True)
    fewer = _sufficient(witness.control, above, witness.side, question) if witness.control else set()
    edges = _edges(graph, on, above, fewer, witness.side)
    return Proof(edges if len(edges) <= MOST_EDGES else (), complete=False)


def _holdings_of(group: Group, above: Ancestry, side: Side, *, roots: frozenset[int]) -> set[Link]:
    """Return all that a group holds of the company and of its members on the way; roots need no reason."""
    members = frozenset(group.members)
    links: set[Link] = set()
    seen = {ENTITY}
    waiting = [ENTITY]
    while waiting:
        company = waiting.pop()
        for holder, *shares in above.into[company]:
            if holder in members and shares[side - 1] > 0:
                links.add((holder, company))
                if holder not in seen and holder not in roots:
                    seen.add(holder)
                    waiting.append(holder)
    return links


def _chain_links(above: Ancestry, side: Side) -> set[Link]:
    companies = chains(above, side).companies
    return {
        (holder, company)
        for company in companies
        for holder, _, _ in above.into[company]
        if above.country[holder] is not None or holder in companies
    }


def _sufficient(group: Group, above: Ancestry, side: Side, question: Question) -> set[Link]:
    """Return enough of a group's holdings to show control, by using only holders that were there before."""
    rank = {member: place for place, member in enumerate(group.members)}
    links: set[Link] = set()
    seen = {ENTITY}
    waiting = [ENTITY]
    while waiting:
        company = waiting.pop()
        earlier = rank.get(company, len(rank)) if above.country[company] is None else len(rank)
        usable = [holding for holding in above.into[company] if rank.get(holding[0], len(rank)) < earlier]
        shown = 0
        for holder, *shares in sorted(usable, key=lambda holding: (-holding[side], holding[0])):
            if question.passes(shown):
                break
            shown += shares[side - 1]
            links.add((holder, company))
            if holder not in seen and above.country[holder] is None:
                seen.add(holder)
                waiting.append(holder)
    return links


def _edges(graph: OwnershipGraph, on: str, above: Ancestry, links: set[Link], side: Side) -> tuple[Edge, ...]:
    wanted: dict[int, set[str]] = {}
    for holder, company in links:
        wanted.setdefault(company, set()).add(above.ids[holder])
    country = dict(zip(above.ids, above.country, strict=True)) if links else {}
    return tuple(
        Edge(stake.holder, stake.held, stake.min, stake.max, stake.since, stake.source, country[stake.holder])
        for company in sorted(wanted)
        for stake in _stakes(graph, above.ids[company], on, side)
        if stake.holder in wanted[company]
    )


def _stakes(graph: OwnershipGraph, held: str, on: str, side: Side) -> Iterator[Stake]:
    return (s for s in active_stakes(graph, held, on) if (s.min if side == 1 else s.max) > 0)
