"""Effective shares by the domain's own exact code, for the few companies that floats do not decide."""

from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import Final, NamedTuple, TypeVar

import numpy as np

from stream_enforcer.domain.ownership.ancestry import Ancestry, Holding, Side
from stream_enforcer.domain.ownership.effective import solved_share
from stream_enforcer.domain.ownership.elimination import Equations, Products, Row, TooCostly, solve
from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.snapshot.columns import Array
from stream_enforcer.snapshot.readings.network import Network, Passes

_TOGETHER: Final = 4
"""From so many companies with shared holders on, one solution for all of them is cheaper than one for each."""
_MOST_OF_ONE: Final = 200_000
"""The most products for one solution, as in the domain."""
_MOST_WORK: Final = 5_000_000
"""The most products and holdings that are looked at for one end of the bands: some 15 s."""
_Solution = TypeVar("_Solution")


class Decided(NamedTuple):
    """What is known of some companies.

    Attributes:
        passing: Whether the share of each passes.
        too_costly: Whether that was not worked out, because it would take too long.
    """

    passing: Array
    too_costly: Array


def exact_passes(chains: "Chains", passes: Passes, companies: Array) -> Decided:
    """Tell of each of some companies whether its effective share passes the threshold."""
    found: dict[int, Fraction | None] = {}
    for group in chains.groups(companies.tolist()):
        shared = chains.solved(group) if len(group.asked) >= _TOGETHER else None
        for company in group.asked:
            found[company] = shared[company] if shared is not None else chains.alone(company)
    shares = [found.get(company) for company in companies.tolist()]
    return Decided(
        passing=np.array([share is not None and _passes(share, passes) for share in shares], bool),
        too_costly=np.array([share is None for share in shares], bool),
    )


def _passes(share: Fraction, passes: Passes) -> bool:
    scaled = min(share, Fraction(1)) * FULL
    return scaled > passes.threshold if passes.strict else scaled >= passes.threshold


class _Group:
    """Companies that have holders in common, and who of them is asked for."""

    def __init__(self, members: list[int], asked: list[int]) -> None:
        self.members = members
        self.asked = asked


class Chains:
    """The chains from restricted holders down to companies, for one end of the bands."""

    def __init__(self, network: Network, reached: Array, *, least: bool) -> None:
        self._start, self._holder = network.in_start.data, network.in_holder.data
        self._share = network.shares(least=least).into.data
        self._restricted = network.restricted.data
        self._reached = reached.data
        self._side: Side = 1 if least else 2
        self._work = Products(_MOST_WORK)

    def alone(self, company: int) -> Fraction | None:
        """Return the share of one company; None where there is too much to do."""
        try:
            above = self._ancestry(company)
            return self._bounded(lambda products: solved_share(above, self._side, products))
        except TooCostly:
            return None

    def _bounded(self, solution: Callable[[Products], _Solution]) -> _Solution:
        """Work something out with as many products as one solution, and all together, may take."""
        most = min(_MOST_OF_ONE, self._work.left)
        products = Products(most)
        try:
            return solution(products)
        finally:
            self._work.left -= most - max(products.left, 0)

    def solved(self, group: _Group) -> dict[int, Fraction] | None:
        """Return the shares of all companies of a group; None where they have to be worked out one by one."""
        try:
            return self._solved(group)
        except TooCostly:
            return None

    def _solved(self, group: _Group) -> dict[int, Fraction] | None:
        rows: dict[int, Row] = {}
        constants: Row = {}
        for company in group.members:
            row: Row = {}
            direct = 0
            for holder, share in self._holdings(company):
                if self._restricted[holder]:
                    direct += share
                elif self._reached[holder] and share:
                    row[holder] = Fraction(share, FULL)
            rows[company], constants[company] = row, Fraction(direct, FULL)
            if sum(row.values(), constants[company]) > 1:
                return None
        equations, up = Equations(rows, constants), self._side == 2
        return self._bounded(lambda products: solve(equations, frozenset(), up=up, products=products))

    def groups(self, asked: list[int]) -> list[_Group]:
        """Part companies into groups whose chains do not meet; none where there is too much to do."""
        wanted = set(asked)
        try:
            neighbours = self._neighbours(asked)
        except TooCostly:
            return []
        groups, seen = [], set[int]()
        for company in asked:
            if company in seen:
                continue
            members, waiting = [company], deque([company])
            seen.add(company)
            while waiting:
                for other in neighbours[waiting.popleft()]:
                    if other not in seen:
                        seen.add(other)
                        members.append(other)
                        waiting.append(other)
            groups.append(_Group(members, [member for member in members if member in wanted]))
        return groups

    def _neighbours(self, asked: list[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {company: [] for company in asked}
        waiting = deque(found)
        while waiting:
            company = waiting.popleft()
            for holder, share in self._holdings(company):
                if share and self._reached[holder] and not self._restricted[holder]:
                    if holder not in found:
                        found[holder] = []
                        waiting.append(holder)
                    found[company].append(holder)
                    found[holder].append(company)
        return found

    def _holdings(self, company: int) -> list[tuple[int, int]]:
        places = range(self._start[company], self._start[company + 1])
        self._work.spend(1 + len(places))
        return [(self._holder[place], self._share[place]) for place in places]

    def _ancestry(self, company: int) -> Ancestry:
        """Return what is above a company as far as chains go: not above restricted holders."""
        numbers = {company: 0}
        parties = [company]
        into: list[tuple[Holding, ...]] = []
        out: list[list[Holding]] = [[]]
        while len(into) < len(parties):
            held = len(into)
            holdings: list[Holding] = []
            stops = held > 0 and self._restricted[parties[held]]
            for party, share in [] if stops else self._holdings(parties[held]):
                holder = numbers.setdefault(party, len(parties))
                if holder == len(parties):
                    parties.append(party)
                    out.append([])
                holdings.append((holder, share, share))
                out[holder].append((held, share, share))
            into.append(tuple(holdings))
        return Ancestry(
            ids=tuple(map(str, parties)),
            into=tuple(into),
            out=tuple(map(tuple, out)),
            country=tuple("XX" if self._restricted[party] else None for party in parties),
            person=(False,) * len(parties),
        )
