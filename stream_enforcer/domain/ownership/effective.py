"""Effective ownership: shares multiplied along chains, summed over chains, cycles solved as a linear system.

For every company i between the restricted holders and the company asked about, its effective share is

    x_i = min(1, sum over holders j of a_ij * x_j + b_i)

with a_ij the share that an unrestricted holder j has of it, and b_i what restricted holders have of it: a
chain ends at the first restricted holder met on the way up, so nothing is counted twice. The least solution is
meant: companies that no restricted holder reaches get 0, so a closed ring of 100 % is worth nothing, and for
the others the solution is unique. The cap binds only in data where recorded shares exceed 100 %.
"""

from dataclasses import dataclass
from fractions import Fraction

from stream_enforcer.domain.ownership.ancestry import ENTITY, Ancestry, Side
from stream_enforcer.domain.ownership.elimination import Equations, Products, TooCostly, solve
from stream_enforcer.domain.ownership.graph import FULL

_ITERATION_SCALE = 1 << 96
_ITERATION_STEPS = 3_000_000
_MOST_SOLUTIONS = 40


@dataclass(frozen=True, slots=True)
class Chains:
    """All that takes part in the effective share of a company.

    Attributes:
        companies: The companies that restricted holders reach, by number.
        equations: One for each of them.
    """

    companies: frozenset[int]
    equations: Equations


def chains(above: Ancestry, side: Side) -> Chains:
    """Collect the companies on chains from restricted holders, with their equations."""
    between = _between(above)
    direct = {company: _direct(above, company, side) for company in between}
    reached = {company for company, share in direct.items() if share > 0}
    waiting = list(reached)
    while waiting:
        holder = waiting.pop()
        if above.country[holder] is not None:
            continue
        for company, *shares in above.out[holder]:
            if company in between and shares[side - 1] > 0 and company not in reached:
                reached.add(company)
                waiting.append(company)
    rows = {
        company: {
            holder: Fraction(shares[side - 1], FULL)
            for holder, *shares in above.into[company]
            if holder in reached and above.country[holder] is None and shares[side - 1] > 0
        }
        for company in sorted(reached)
    }
    constants = {company: Fraction(direct[company], FULL) for company in rows}
    return Chains(frozenset(reached), Equations(rows, constants))


def _between(above: Ancestry) -> set[int]:
    """Return the company and what is above it without passing a restricted holder."""
    between = {ENTITY}
    waiting = [ENTITY]
    while waiting:
        for holder, _, _ in above.into[waiting.pop()]:
            if holder not in between and above.country[holder] is None and not above.person[holder]:
                between.add(holder)
                waiting.append(holder)
    return between


def _direct(above: Ancestry, company: int, side: Side) -> int:
    return sum(
        shares[side - 1] for holder, *shares in above.into[company] if above.country[holder] is not None
    )


def effective_share(above: Ancestry, side: Side) -> Fraction:
    """Return the effective share of restricted holders in the company, between 0 and 1.

    The answer is exact unless numbers outgrow their limit or the network is too dense to solve; then it is
    rounded outwards: down for the least shares, up for the greatest. So a band always contains the truth.
    """
    found = chains(above, side)
    if ENTITY not in found.companies:
        return Fraction(0)
    up = side == 2
    try:
        return _capped(found.equations, None, up=up)
    except TooCostly:
        return _iterated(found.equations, up=up)


def solved_share(above: Ancestry, side: Side, products: Products) -> Fraction:
    """Return the same share where it can be solved with so many products.

    Raises:
        TooCostly: It can't.
    """
    found = chains(above, side)
    return _capped(found.equations, products, up=side == 2) if ENTITY in found.companies else Fraction(0)


def _capped(equations: Equations, products: Products | None, *, up: bool) -> Fraction:
    """Solve under the cap: from the top, free a capped company when its equation gives less than 1.

    Only companies with more than 100 % recorded can reach the cap; without one, this is a single solution.
    """
    capped = {
        company
        for company, row in equations.rows.items()
        if sum(row.values(), equations.constants[company]) > 1
    }
    if not capped:
        return min(solve(equations, frozenset(), up=up, only=ENTITY, products=products)[ENTITY], Fraction(1))
    for _ in range(_MOST_SOLUTIONS):
        values = solve(equations, frozenset(capped), up=up, products=products)
        freed = {company for company in capped if equations.right_side(company, values) < 1}
        if not freed:
            return min(values[ENTITY], Fraction(1))
        capped -= freed
    raise TooCostly


def _iterated(equations: Equations, *, up: bool) -> Fraction:
    """Bound the solution by repeated substitution in integers: from 1 downwards, or from 0 upwards.

    Every step from 1 stays above the solution and every step from 0 below it, wherever one stops.
    """
    rows = {
        company: [(holder, int(share * FULL)) for holder, share in row.items()]
        for company, row in equations.rows.items()
    }
    constants = {
        company: int(share * FULL) * _ITERATION_SCALE for company, share in equations.constants.items()
    }
    values = dict.fromkeys(rows, _ITERATION_SCALE if up else 0)
    carry = FULL - 1 if up else 0
    rounds = max(20, _ITERATION_STEPS // (1 + sum(map(len, rows.values()))))
    for _ in range(rounds):
        changed = False
        for company, row in rows.items():
            total = constants[company] + sum(share * values[holder] for holder, share in row)
            value = min(_ITERATION_SCALE, (total + carry) // FULL)
            changed = changed or value != values[company]
            values[company] = value
        if not changed:
            break
    return Fraction(values[ENTITY], _ITERATION_SCALE)
