"""Faults of the network between the replicas and the brokers; the brokers' own and the suite's is not harmed."""

import asyncio
from collections.abc import Sequence

from tests.broker.faults.ground import Ground
from tests.broker.faults.toxiproxy import Toxic

ALL = (1, 2, 3)
LATENCY = Toxic("latency", {"latency": 200, "jitter": 100})
RESET = Toxic("reset_peer", {"timeout": 0})
SLOW = Toxic("bandwidth", {"rate": 20})  # kB/s of each connection
SLICED = Toxic(
    "slicer", {"average_size": 100, "size_variation": 50, "delay": 500}
)  # bytes, and us after each
HALF_OPEN = (
    Toxic("timeout", {"timeout": 0}),
    Toxic("timeout", {"timeout": 0}, ("upstream",)),
    Toxic("timeout", {"timeout": 0}, ("downstream",)),
)
"""All that is sent vanishes and the connections stay open: both ways, to the broker only, from it only."""
KINDS = {
    "network latency": (LATENCY,),
    "network reset": (RESET,),
    "network slow": (SLOW, SLICED),
    "network half open": HALF_OPEN,
}


async def harmed(ground: Ground, kind: str, toxic: Toxic, brokers: Sequence[int], seconds: float) -> None:
    """Harm the way to some brokers for a while."""
    if ground.network is None:
        raise ValueError("there is no network to harm")
    ground.network.harm(toxic, brokers)
    ground.injected[kind] += 1
    try:
        await asyncio.sleep(seconds)
    finally:
        ground.network.heal()


async def network_latency(ground: Ground) -> None:
    """Let everything come 0.1 to 0.3 s late, both ways."""
    await ground.progress(800)
    await harmed(ground, "network latency", LATENCY, ALL, 10.0)
    await ground.recovered()


async def network_reset(ground: Ground) -> None:
    """Reset every connection, open ones and new ones, for a second, again and again."""
    for _ in range(5):
        await ground.recovered()
        await harmed(ground, "network reset", RESET, ALL, 1.0)
    await ground.recovered()


async def network_half_open(ground: Ground) -> None:
    """Swallow what is sent, for longer than a session: both ways, then one way, then the other."""
    for toxic in HALF_OPEN:
        await ground.recovered()
        await harmed(ground, "network half open", toxic, ALL, 10.0)
    await ground.recovered()


async def network_slow(ground: Ground) -> None:
    """Let 20 kB/s through, then crumbs of 100 bytes."""
    for toxic in (SLOW, SLICED):
        await ground.recovered()
        await harmed(ground, "network slow", toxic, ALL, 8.0)
    await ground.recovered()


NETWORK_FAULTS = {
    fault.__name__.replace("_", "-"): fault
    for fault in (network_latency, network_reset, network_half_open, network_slow)
}
