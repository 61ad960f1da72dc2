"""Which companies one restricted holder controls alone.

Most are found by following majorities: who holds a majority of a company controls it, and whatever that controls.
Only companies that restricted holders control together, and that this does not reach, need a search from each of
the restricted holders above them; a holder without any majority controls nothing, and takes no search.
"""

from collections import deque
from typing import Final

import numpy as np

from stream_enforcer.snapshot.columns import Array
from stream_enforcer.snapshot.readings.exact import Decided
from stream_enforcer.snapshot.readings.network import Network, Passes, Shares

_MOST_HOLDINGS: Final = 20_000_000
"""The most holdings that are looked at one by one for one end of the bands: some 10 s."""


def single_owner_passes(network: Network, shares: Shares, passes: Passes, control: Array) -> Decided:
    """Tell of each party whether one restricted holder, with what it controls alone, passes the threshold.

    Args:
        network: The stakes.
        shares: Which end of the bands.
        passes: The threshold.
        control: Whether restricted holders pass it together: no other party can pass.
    """
    majority = passes(shares.out)
    found = _by_majorities(network, majority)
    too_costly: Array = np.zeros(len(found), bool)
    open_ones = np.flatnonzero(control & ~found)
    if len(open_ones):
        majorities = np.bincount(_holder_of_place(network)[majority], minlength=len(found)) > 0
        above = _restricted_above(network, open_ones)
        if not _search(network, shares, passes, above[majorities[above]], found):
            too_costly = control & ~found
    return Decided(found, too_costly)


def _by_majorities(network: Network, majority: Array) -> Array:
    found: Array = np.zeros(len(network.restricted), bool)
    newest = np.flatnonzero(network.restricted)
    while len(newest):
        places = network.out(newest)
        companies = np.unique(network.out_held[places[majority[places]]])
        new = companies[~found[companies]]
        found[new] = True
        newest = new[~network.restricted[new]]
    return found


def _holder_of_place(network: Network) -> Array:
    return np.repeat(np.arange(len(network.restricted)), np.diff(network.out_start))


def _restricted_above(network: Network, companies: Array) -> Array:
    """Return the restricted holders above some companies, or among them."""
    seen: Array = np.zeros(len(network.restricted), bool)
    seen[companies] = True
    newest = companies
    while len(newest):
        holders = network.in_holder[network.into(newest)[0]]
        newest = np.unique(holders[~seen[holders]])
        seen[newest] = True
    return np.flatnonzero(seen & network.restricted)


def _search(network: Network, shares: Shares, passes: Passes, holders: Array, found: Array) -> bool:
    """Find what each holder controls alone; one whom an earlier one controls is skipped, as it has no more.

    Returns:
        Whether all was found; False where it would take too long.
    """
    start, held_by = network.out_start.data, network.out_held.data
    share = shares.out.data
    covered: set[int] = set()
    left = _MOST_HOLDINGS
    # Holders that none holds a majority of first: they cover most of the others.
    for holder in holders[np.argsort(found[holders], kind="stable")].tolist():
        if holder in covered:
            continue
        members, waiting = {holder}, deque([holder])
        held: dict[int, int] = {}
        while waiting:
            member = waiting.popleft()
            left -= 1 + start[member + 1] - start[member]
            if left < 0:
                return False
            for place in range(start[member], start[member + 1]):
                company = held_by[place]
                held[company] = held.get(company, 0) + share[place]
                if company not in members and passes.one(held[company]):
                    members.add(company)
                    waiting.append(company)
        covered |= members
        found[[company for company, sum_of in held.items() if passes.one(sum_of)]] = True
    return True
