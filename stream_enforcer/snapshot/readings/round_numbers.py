"""Effective shares that are whole millionths of a percent: worked out in integers, along chains without rings.

Registers are full of round numbers (100 % of 50 % of 100 %), and so shares of exactly the threshold are frequent. No
float decides these.
"""

from typing import Final, NamedTuple

import numpy as np

from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.snapshot.columns import Array
from stream_enforcer.snapshot.readings.network import Network, Shares

_MOST_TERMS: Final = 256
"""As many products of two shares as surely fit into 63 bits."""


class Reach(NamedTuple):
    """Whom restricted holders reach.

    Attributes:
        direct: By party, what restricted holders have of it themselves.
        reached: Whether they have any of it, through whomever.
        inner: The same, restricted holders left out: chains go on below these.
    """

    direct: Array
    reached: Array
    inner: Array


class Settled(NamedTuple):
    """Effective shares that are known exactly.

    Attributes:
        done: By party, whether its share is known.
        total: Its share before the cap, of 10**16, where it is known.
    """

    done: Array
    total: Array


def settled(network: Network, shares: Shares, reach: Reach, ones: Array) -> Settled:
    """Work out shares from the top down: each company whose holders' shares are whole numbers.

    Args:
        network: The stakes.
        shares: Which end of the bands.
        reach: Whom restricted holders reach.
        ones: Numbers of companies whose share is known to be 100 %.
    """
    total = np.minimum(reach.direct, FULL) * FULL
    waiting = _waiting(network, shares, reach)
    value = np.zeros(len(total), np.int64)
    known = np.zeros(len(total), bool)
    value[ones], known[ones] = FULL, True
    whole = _whole(np.flatnonzero(reach.inner & (waiting == 0) & ~known), total, value)
    known[whole] = True
    newest = np.concatenate([ones, whole])
    while len(newest):
        places = network.out(newest)
        holder = np.repeat(newest, np.diff(network.out_start)[newest])
        kept = (shares.out[places] > 0) & reach.reached[network.out_held[places]]
        companies = network.out_held[places[kept]]
        np.add.at(total, companies, shares.out[places[kept]] * value[holder[kept]])
        np.subtract.at(waiting, companies, 1)
        ready = np.unique(companies[(waiting[companies] == 0) & reach.inner[companies] & ~known[companies]])
        newest = _whole(ready, total, value)
        known[newest] = True
    return Settled(reach.reached & (waiting == 0), total)


def _waiting(network: Network, shares: Shares, reach: Reach) -> Array:
    """Count the holders that each company's share waits for; too many for integers are as one that never comes."""
    companies = np.flatnonzero(reach.reached)
    places, of = network.into(companies)
    through = reach.inner[network.in_holder[places]] & (shares.into[places] > 0)
    counts = np.bincount(of[through], minlength=len(companies))
    counts[counts > _MOST_TERMS] = 1 << 40
    waiting: Array = np.zeros(len(reach.reached), np.int64)
    waiting[companies] = counts
    return waiting


def _whole(companies: Array, total: Array, value: Array) -> Array:
    """Return the companies whose share is a whole number, and note that number."""
    capped = np.minimum(total[companies], FULL * FULL)
    found: Array = companies[capped % FULL == 0]
    value[found] = np.minimum(total[found], FULL * FULL) // FULL
    return found
