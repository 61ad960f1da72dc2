"""The long run: faults of every kind, drawn by a seed, on replicas, brokers and network at the same time."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from random import Random

from tests.broker.faults.faults import broker_killed, broker_stopped, disk_filled
from tests.broker.faults.ground import Ground
from tests.broker.faults.network import ALL, KINDS, harmed

MOST_REPLICAS = 3
WATCH_SECONDS = 0.5
SERVING = '"serving"'
"""What a replica logs once it listens, to signals too."""

Lane = Callable[[Ground, Random], Awaitable[None]]


def storm(seed: int, faults: int) -> Callable[[Ground], Awaitable[None]]:
    """Give the fault that goes on until that many were injected, and the load's least events are sent.

    The seed decides what each lane does one after another; how the lanes meet is up to the machine.
    """

    async def run(ground: Ground) -> None:
        lanes: list[Lane] = [_replica_fault, _broker_fault]
        if ground.network is not None:
            lanes.append(_network_fault)

        async def repeat(lane: Lane) -> None:
            dice = Random(f"{seed} {lane.__name__}")
            while ground.injected.total() < faults or not ground.feed.has_sent_least:
                await lane(ground, dice)
                await ground.recovered()

        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(_start_those_that_ended(ground))
            running = [group.create_task(repeat(lane), name=lane.__name__) for lane in lanes]
            await asyncio.wait(running, return_when=asyncio.ALL_COMPLETED)
            keeper.cancel()

    return run


async def _start_those_that_ended(ground: Ground) -> None:
    """Start replicas again that ended by themselves, as the platform would."""
    while True:
        for replica in [replica for replica in ground.replicas if not replica.running()]:
            ground.kill(replica)
            ground.ended_by_themselves += 1
            await ground.add_replica()
        await asyncio.sleep(WATCH_SECONDS)


async def _replica_fault(ground: Ground, dice: Random) -> None:
    replica = dice.choice([replica for replica in ground.replicas if replica.running()])
    drawn = dice.random()
    if drawn < 0.35:
        ground.kill(replica)
        ground.injected["replica kill"] += 1
        await asyncio.sleep(dice.uniform(0, 2))
        await ground.add_replica()
    elif drawn < 0.65:
        await _replica_stopped(ground, replica.pid, dice.uniform(0.5, 9))
    elif len(ground.replicas) < MOST_REPLICAS:
        await ground.add_replica()
        ground.injected["replica join"] += 1
    else:
        await ground.says(
            replica, SERVING
        )  # before that it cannot drain: it ends as any program that is told to
        ground.injected["replica leave"] += 1
        await ground.stop(replica)


async def _replica_stopped(ground: Ground, pid: int, seconds: float) -> None:
    os.kill(pid, signal.SIGSTOP)
    ground.injected["replica pause"] += 1
    try:
        await asyncio.sleep(seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def _broker_fault(ground: Ground, dice: Random) -> None:
    broker = ground.cluster.broker(dice.choice(ALL))
    drawn, seconds = dice.random(), dice.uniform(0.5, 8)
    if drawn < 0.5:
        await broker_killed(ground, broker, seconds)
    elif drawn < 0.9:
        await broker_stopped(ground, broker, seconds)
    else:
        await disk_filled(ground, broker, seconds)


async def _network_fault(ground: Ground, dice: Random) -> None:
    kind = dice.choice([*KINDS])
    brokers = dice.sample(ALL, dice.randint(1, len(ALL)))
    await harmed(ground, kind, dice.choice(KINDS[kind]), sorted(brokers), dice.uniform(0.5, 6))
