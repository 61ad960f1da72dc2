"""Control of all companies: the fixpoint of `domain.ownership.control`, by levels."""

import numpy as np

from stream_enforcer.snapshot.columns import Array
from stream_enforcer.snapshot.readings.network import Network, Passes, Shares


def control_shares(network: Network, shares: Shares, passes: Passes) -> Array:
    """Return what restricted holders and the companies that they control hold of each party, together."""
    held: Array = np.zeros(len(network.restricted), np.int64)
    members = network.restricted.copy()
    newest = np.flatnonzero(members)
    while len(newest):
        places = network.out(newest)
        companies = network.out_held[places]
        np.add.at(held, companies, shares.out[places])
        touched = companies[~members[companies]]
        newest = np.unique(touched[passes(held[touched])])
        members[newest] = True
    return held
