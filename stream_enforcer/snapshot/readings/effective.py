"""Effective shares of all companies, enclosed between floats, and exact where these do not decide.

The equations are those of `domain.ownership.effective`. Their solution is approached from below, beginning with
nothing, and from above, beginning with all; each step rounds away from it by more than floats can err, so that
wherever one stops, the truth lies between. Only companies whose holders have changed are looked at again.
"""

from typing import Final

import numpy as np

from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.snapshot.columns import Array
from stream_enforcer.snapshot.readings.exact import Chains, Decided, exact_passes
from stream_enforcer.snapshot.readings.network import Network, Passes, Shares
from stream_enforcer.snapshot.readings.round_numbers import Reach, settled

_ROUNDS: Final = 2_000
_MOST_STEPS: Final = 300_000_000
"""The most companies that are looked at; a ring of ten million would keep all of them busy to the end."""
_ENOUGH: Final = 1e-13
"""A step that moves a share by less ends the approach."""
_ULP: Final = 2.0**-52


def effective_passes(network: Network, passes: Passes, *, least: bool) -> Decided:
    """Tell of each party whether its effective share passes the threshold."""
    found: Array = np.zeros(len(network.restricted), bool)
    too_costly: Array = np.zeros(len(found), bool)
    shares = network.shares(least=least)
    reach = _reach(network, shares)
    if passes.strict and passes.threshold == FULL:
        return Decided(found, too_costly)
    if passes.strict and passes.threshold == 0:
        return Decided(reach.reached, too_costly)
    companies = np.flatnonzero(reach.reached)
    below = _approached(network, shares, reach, up=False)
    above = _approached(network, shares, reach, up=True)[companies]
    scaled = passes.threshold / FULL
    over = np.minimum(below[companies], 1.0) * (1 - 4 * _ULP) > scaled
    found[companies[over]] = True
    open_ones = companies[~over & (above * (1 + 4 * _ULP) >= scaled)]
    # Whoever has more than 100 % on record above it has 100 %, exactly.
    known = settled(network, shares, reach, np.flatnonzero(reach.inner & (below >= 1.0)))
    done = open_ones[known.done[open_ones]]
    found[done] = passes.of_products(known.total[done])
    rest = open_ones[~known.done[open_ones]]
    exact = exact_passes(Chains(network, reach.reached, least=least), passes, rest)
    found[rest], too_costly[rest] = exact.passing, exact.too_costly
    return Decided(found, too_costly)


def _reach(network: Network, shares: Shares) -> Reach:
    """Find out what restricted holders have of each party directly, and whom they reach at all."""
    direct: Array = np.zeros(len(network.restricted), np.int64)
    places = network.out(np.flatnonzero(network.restricted))
    np.add.at(direct, network.out_held[places], shares.out[places])
    reached = direct > 0
    newest = np.flatnonzero(reached & ~network.restricted)
    while len(newest):
        places = network.out(newest)
        companies = network.out_held[places[shares.out[places] > 0]]
        new = np.unique(companies[~reached[companies]])
        reached[new] = True
        newest = new[~network.restricted[new]]
    return Reach(direct, reached, reached & ~network.restricted)


def _approached(network: Network, shares: Shares, reach: Reach, *, up: bool) -> Array:
    """Return a bound of every reached party's share, not capped; what counts of more than 1 is 1.

    The share that a restricted holder passes on is 1, whoever holds itself.
    """
    bound = np.where(reach.reached, 1.0, 0.0) if up else np.zeros(len(reach.reached))
    value = bound.copy()
    value[network.restricted] = 1.0
    companies = np.flatnonzero(reach.inner)
    work = 0
    for _ in range(_ROUNDS):
        work += len(companies)
        if not len(companies) or work > _MOST_STEPS:
            break
        new = _right_side(network, shares, companies, value, up=up)
        bound[companies] = new if not up else np.minimum(bound[companies], new)
        capped = np.minimum(new, 1.0)
        old = value[companies]
        moved = old - capped > _ENOUGH if up else capped - old > _ENOUGH
        changed = companies[moved]
        value[changed] = capped[moved]
        next_ones = network.out_held[network.out(changed)]
        companies = np.unique(next_ones[reach.inner[next_ones]])
    ends = np.flatnonzero(reach.reached & network.restricted)
    bound[ends] = _right_side(network, shares, ends, value, up=up)
    return bound


def _right_side(network: Network, shares: Shares, companies: Array, value: Array, *, up: bool) -> Array:
    places, of = network.into(companies)
    products = shares.into[places] * value[network.in_holder[places]]
    sums = np.bincount(of, weights=products, minlength=len(companies)) / FULL
    # A sum of n non-negative products, each rounded, errs by less than n + 2 units in the last place.
    slack = (np.bincount(of, minlength=len(companies)) + 4) * _ULP
    found: Array = sums * (1 + slack if up else 1 - slack)
    return found
