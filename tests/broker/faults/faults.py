"""The faults: each does harm while events flow, waits until the service goes on, and says what it did."""

import asyncio
import os
import signal

from stream_enforcer.demo.replica import Replica
from stream_enforcer.kafka.cluster import ClusterBroker
from tests.broker.faults.ground import SESSION_SECONDS, Ground

BROKER_AWAY_SECONDS = 5.0
BROKER_PAUSED_SECONDS = 15.0
STORM_SECONDS = 2.0
ASSIGNED = '"assigned"'
"""What a replica logs when the group gave it partitions."""


async def replica_killed(ground: Ground) -> str:
    """Kill -9 a replica in mid-stream, and start another."""
    for _ in range(3):
        await ground.progress(800)
        ground.kill(ground.replicas[0])
        await ground.add_replica()
    await ground.progress(800)
    return "3 kills of a replica"


async def replica_paused(ground: Ground) -> str:
    """Stop a replica for longer than its session, so that another owns its partitions when it wakes."""
    for zombie, other in (ground.replicas, ground.replicas[::-1]):
        await ground.progress(800)
        rejoined, taken_over = (assignments(replica) + 1 for replica in (zombie, other))
        os.kill(zombie.pid, signal.SIGSTOP)
        try:
            await ground.says(other, ASSIGNED, times=taken_over)
            await asyncio.sleep(SESSION_SECONDS / 2)
        finally:
            os.kill(zombie.pid, signal.SIGCONT)
        await ground.says(zombie, ASSIGNED, times=rejoined)
    await ground.progress(800)
    fenced = sum("fenced" in replica.log.read_text() for replica in ground.replicas)
    return f"2 replicas paused in turn; {fenced} woke in a transaction and was fenced"


def assignments(replica: Replica) -> int:
    return replica.log.read_text().count(ASSIGNED)


async def rebalance_storm(ground: Ground) -> str:
    """Let a third replica join and leave, again and again."""
    rounds = 6
    for number in range(rounds):
        third = await ground.add_replica()
        await ground.says(third, ASSIGNED)
        await asyncio.sleep(STORM_SECONDS)
        if number % 2:
            ground.kill(third)
        else:
            await ground.stop(third)
    await ground.progress(800)
    return f"{rounds} joins, {rounds} leaves, half of them kills"


async def restore_killed(ground: Ground) -> str:
    """Kill -9 a new replica right after it got its partitions, while it restores them."""
    await ground.progress(4000)
    for _ in range(5):
        third = await ground.add_replica()
        await ground.says(third, ASSIGNED)
        ground.kill(third)
    await ground.progress(800)
    return "5 kills during restore"


async def output_leader_killed(ground: Ground) -> str:
    """Kill -9 the broker that leads a decisions partition."""
    await ground.progress(800)
    return await _broker_killed(ground, await ground.leader(ground.stage.topics.decisions, 0))


async def transaction_coordinator_killed(ground: Ground) -> str:
    """Kill -9 the broker that coordinates a partition's transactions."""
    await ground.progress(800)
    return await _broker_killed(ground, await ground.transaction_coordinator(0))


async def active_controller_killed(ground: Ground) -> str:
    """Kill -9 the broker that is the cluster's active controller."""
    await ground.progress(800)
    return await _broker_killed(ground, ground.active_controller())


async def _broker_killed(ground: Ground, broker: ClusterBroker) -> str:
    await asyncio.to_thread(broker.kill)
    await asyncio.sleep(BROKER_AWAY_SECONDS)
    broker.restart()
    await ground.whole_cluster()
    await ground.progress(800)
    return "1 kill of a broker"


async def broker_paused(ground: Ground) -> str:
    """Stop the broker that leads an accounts partition: its connections stay open, and nothing answers."""
    await ground.progress(800)
    broker = await ground.leader(ground.stage.topics.accounts, 0)
    broker.pause()
    try:
        await asyncio.sleep(BROKER_PAUSED_SECONDS)
    finally:
        broker.cont()
    await ground.whole_cluster()
    await ground.progress(800)
    return f"1 broker paused for {BROKER_PAUSED_SECONDS:.0f} s"


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
    )
}
