"""Faults of replicas and brokers: each does harm while events flow, and waits until the service goes on."""

import asyncio
import os
import signal

from stream_enforcer.demo.replica import Replica
from stream_enforcer.kafka.cluster import ClusterBroker
from tests.broker.faults.ground import PATIENCE, SESSION_SECONDS, Ground

BROKER_AWAY_SECONDS = 5.0
BROKER_PAUSED_SECONDS = 15.0
STORM_SECONDS = 2.0
ASSIGNED = '"assigned"'
"""What a replica logs when the group gave it partitions."""


async def replica_killed(ground: Ground) -> None:
    """Kill -9 a replica in mid-stream, and start another."""
    for _ in range(3):
        await ground.progress(800)
        ground.kill(ground.replicas[0])
        ground.injected["replica kill"] += 1
        await ground.add_replica()
    await ground.progress(800)


async def replica_paused(ground: Ground) -> None:
    """Stop a replica for longer than its session, so that another owns its partitions when it wakes."""
    for zombie, other in (ground.replicas, ground.replicas[::-1]):
        await ground.progress(800)
        rejoined, taken_over = (assignments(replica) + 1 for replica in (zombie, other))
        os.kill(zombie.pid, signal.SIGSTOP)
        ground.injected["replica pause"] += 1
        try:
            await ground.says(other, ASSIGNED, times=taken_over)
            await asyncio.sleep(SESSION_SECONDS / 2)
        finally:
            os.kill(zombie.pid, signal.SIGCONT)
        await ground.says(zombie, ASSIGNED, times=rejoined)
    await ground.progress(800)


def assignments(replica: Replica) -> int:
    return replica.log.read_text().count(ASSIGNED)


async def rebalance_storm(ground: Ground) -> None:
    """Let a third replica join and leave, again and again."""
    for number in range(6):
        third = await ground.add_replica()
        ground.injected["replica join"] += 1
        await ground.says(third, ASSIGNED)
        await asyncio.sleep(STORM_SECONDS)
        if number % 2:
            ground.kill(third)
            ground.injected["replica kill"] += 1
        else:
            await ground.stop(third)
            ground.injected["replica leave"] += 1
    await ground.progress(800)


async def restore_killed(ground: Ground) -> None:
    """Kill -9 a new replica right after it got its partitions, while it restores them."""
    await ground.progress(4000)
    for _ in range(5):
        third = await ground.add_replica()
        await ground.says(third, ASSIGNED)
        ground.kill(third)
        ground.injected["replica kill in restore"] += 1
    await ground.progress(800)


async def output_leader_killed(ground: Ground) -> None:
    """Kill -9 the broker that leads a decisions partition."""
    await ground.progress(800)
    await broker_killed(ground, await ground.leader(ground.stage.topics.decisions, 0))
    await ground.progress(800)


async def transaction_coordinator_killed(ground: Ground) -> None:
    """Kill -9 the broker that coordinates a partition's transactions."""
    await ground.progress(800)
    await broker_killed(ground, await ground.transaction_coordinator(0))
    await ground.progress(800)


async def active_controller_killed(ground: Ground) -> None:
    """Kill -9 the broker that is the cluster's active controller."""
    await ground.progress(800)
    await broker_killed(ground, ground.active_controller())
    await ground.progress(800)


async def broker_killed(ground: Ground, broker: ClusterBroker, seconds: float = BROKER_AWAY_SECONDS) -> None:
    """Kill -9 a broker and start it again after a while."""
    await asyncio.to_thread(broker.kill)
    ground.injected["broker kill"] += 1
    await asyncio.sleep(seconds)
    await _comes_back(ground, broker)


async def _comes_back(ground: Ground, broker: ClusterBroker) -> None:
    broker.restart()
    await ground.whole_cluster()


async def broker_disk_full(ground: Ground) -> None:
    """Let every append of the broker fail that leads a decisions partition; it ends by itself."""
    await ground.progress(800)
    await disk_filled(ground, await ground.leader(ground.stage.topics.decisions, 0))
    await ground.progress(800)


async def disk_filled(ground: Ground, broker: ClusterBroker, seconds: float = BROKER_AWAY_SECONDS) -> None:
    """Let every append of a broker fail, wait until it ends, and start it again, with room, after a while."""
    broker.fill_disk()
    ground.injected["broker without disk"] += 1
    if not await asyncio.to_thread(broker.wait, PATIENCE):
        raise AssertionError("a broker whose appends fail did not end")
    await asyncio.sleep(seconds)
    await _comes_back(ground, broker)


async def broker_paused(ground: Ground) -> None:
    """Stop the broker that leads an accounts partition: its connections stay open, and nothing answers."""
    await ground.progress(800)
    await broker_stopped(ground, await ground.leader(ground.stage.topics.accounts, 0), BROKER_PAUSED_SECONDS)
    await ground.progress(800)


async def broker_stopped(ground: Ground, broker: ClusterBroker, seconds: float) -> None:
    """Stop a broker for a while."""
    broker.pause()
    ground.injected["broker pause"] += 1
    try:
        await asyncio.sleep(seconds)
    finally:
        broker.cont()
    await ground.whole_cluster()


FAULTS = {
    fault.__name__.replace("_", "-"): fault
    for fault in (
        replica_killed,
        replica_paused,
        rebalance_storm,
        restore_killed,
        output_leader_killed,
        transaction_coordinator_killed,
        active_controller_killed,
        broker_paused,
        broker_disk_full,
    )
}
