"""Control: who, alone or together, holds more than the threshold of a company, level by level.

The company-control relation of the database literature: a set of holders controls a company when it and the
companies that it controls together hold more than the threshold of it. It is a least fixpoint, so cycles end
and no company counts towards its own control before it is controlled without that.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stream_enforcer.domain.ownership.ancestry import ENTITY, Ancestry, Side
from stream_enforcer.domain.ownership.question import Question


@dataclass(frozen=True, slots=True)
class Group:
    """Holders and all that they control together.

    Attributes:
        members: The holders and the controlled companies, in the order in which control of them follows: each
            company after the holders that suffice for it.
        share: What the members together hold of the company asked about, in millionths of a percent; where
            data are wrong, this can be more than 100 %.
    """

    members: tuple[int, ...]
    share: int


def controlled_by(
    holders: Iterable[int],
    above: Ancestry,
    side: Side,
    question: Question,
    stop: frozenset[int] = frozenset(),
) -> Group:
    """Find all that the holders control together, counting the shares of one side of the bands.

    Args:
        holders: Who starts with control of itself.
        above: The ancestry in which to look.
        side: Least or greatest shares.
        question: Gives the threshold.
        stop: The search ends early when one of these is controlled; the share is then not complete.
    """
    members = dict.fromkeys(holders)
    waiting = deque(members)
    held: dict[int, int] = {}
    while waiting:
        for company, *shares in above.out[waiting.popleft()]:
            held[company] = held.get(company, 0) + shares[side - 1]
            if company not in members and question.passes(held[company]):
                members[company] = None
                waiting.append(company)
                if company in stop:
                    return Group(tuple(members), held.get(ENTITY, 0))
    return Group(tuple(members), held.get(ENTITY, 0))


def best_single_owner(above: Ancestry, side: Side, question: Question, ceiling: int) -> Group:
    """Find the restricted holder that, with what it controls alone, holds the greatest share of the company.

    A holder that an earlier one controls is skipped: its group is part of the earlier one's, so it cannot do
    better. Taking the farthest first makes most of them skip.

    Args:
        above: The ancestry of the company.
        side: Least or greatest shares.
        question: Gives the threshold.
        ceiling: What all restricted holders hold together; nobody can do better, so that ends the search.
    """
    best = Group((), 0)
    covered: set[int] = set()
    for holder in reversed(above.restricted):
        if holder in covered:
            continue
        group = controlled_by([holder], above, side, question)
        covered.update(group.members)
        if group.share > best.share:
            best = group
        if best.share >= ceiling:
            break
    return best


def controllers(above: Ancestry, question: Question) -> frozenset[int]:
    """Find everyone, restricted or not, who controls the company by the least shares; persons are left out.

    Who controls a controller controls the company; who is controlled by one that does not, does not. Asking
    the middle of the walk's order first makes long chains and rings take few searches.
    """
    if not question.passes(sum(least for _, least, _ in above.into[ENTITY])):
        return frozenset()
    found: set[int] = set()
    refused: set[int] = set()
    for candidate in _middles_first(1, len(above.ids)):
        if candidate in found or candidate in refused or above.person[candidate]:
            continue
        group = controlled_by([candidate], above, 1, question, stop=frozenset(found | {ENTITY}))
        if (found | {ENTITY}).isdisjoint(group.members):
            refused.update(group.members)
        else:
            found |= _majority_holders(candidate, above, question)
    return frozenset(found)


def _majority_holders(company: int, above: Ancestry, question: Question) -> set[int]:
    """Return the company and everyone above it in a chain of direct majorities; persons are left out."""
    chain = {company}
    waiting = [company]
    while waiting:
        for holder, least, _ in above.into[waiting.pop()]:
            known = holder in chain or holder == ENTITY or above.person[holder]
            if not known and question.passes(least):
                chain.add(holder)
                waiting.append(holder)
    return chain


def _middles_first(start: int, stop: int) -> Iterator[int]:
    ranges = deque([(start, stop)])
    while ranges:
        low, high = ranges.popleft()
        if low >= high:
            continue
        middle = (low + high) // 2
        yield middle
        ranges.append((low, middle))
        ranges.append((middle + 1, high))
