"""One fault under load, and everything that must hold when the dust has settled."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from aiokafka.errors import KafkaError

from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.demo.replica import ReplicaFailed
from stream_enforcer.domain.engine import step
from stream_enforcer.kafka.cluster import LocalCluster
from stream_enforcer.kafka.service import input_kinds
from stream_enforcer.reference.policy_file import load_policy
from stream_enforcer.reference.world_files import load_world
from stream_enforcer.replay.event_files import Line
from stream_enforcer.replay.verification import verify_decisions
from tests.broker.faults.feed import Feed
from tests.broker.faults.ground import EMIT, PATIENCE, Ground, prepare
from tests.broker.stage import Stage, broken_chains, until
from tests.broker.test_crash import Verdicts, last_verdicts
from tests.builders import Json

PER_SECOND = 400
Fault = Callable[[Ground], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a scenario; `failures` is empty when every promise was kept."""

    fault: str
    injected: str
    events: int
    decisions: int
    dead_letters: int
    lost: int
    repeated: int
    seconds: float
    failures: tuple[str, ...]


class Found(NamedTuple):
    """What the output topics hold, and the promises that were not kept."""

    decisions: int
    expected: int
    dead_letters: int
    failures: list[str]


class Expected(NamedTuple):
    """What the input topics hold, and what comes of it."""

    records: int
    decisions: int
    malformed: int
    verdicts: Verdicts


async def play(cluster: LocalCluster, name: str, fault: Fault, folder: Path, least: int) -> Outcome:
    """Feed events to two replicas while the fault does its harm, then check everything."""
    started = time.monotonic()
    ground = await prepare(cluster, folder)
    feed = Feed(ground.stage, least, PER_SECOND)
    following = asyncio.create_task(ground.tail.follow(), name="tail")
    feeding = asyncio.create_task(feed.run(), name="feed")
    injected = "-"
    try:
        for replica in ground.replicas:
            await asyncio.to_thread(replica.wait_ready, PATIENCE)
        injected = await fault(ground)
        feed.enough.set()
        await feeding
        await ground.whole_cluster()
        await until(lambda: ground.tail.done >= feed.sent, PATIENCE)
        for replica in list(ground.replicas):
            await ground.stop(replica)
        found = await _judge(ground, feed)
    except (TimeoutError, AssertionError, KafkaError, ReplicaFailed) as error:
        found = Found(
            0, 0, 0, [f"{type(error).__name__}: {error}; {ground.tail.done} of {feed.sent} events done"]
        )
    finally:
        for task in (feeding, following):
            task.cancel()
        await asyncio.wait([feeding, following])
        for replica in ground.replicas:
            replica.kill()
    chains, seconds = ground.tail.chains, round(time.monotonic() - started, 1)
    lost = chains.lost + max(0, found.expected - found.decisions)
    repeated = chains.repeated + max(0, found.decisions - found.expected)
    counts = (feed.sent, found.decisions, found.dead_letters, lost, repeated)
    return Outcome(name, injected, *counts, seconds, tuple(found.failures))


async def _judge(ground: Ground, feed: Feed) -> Found:
    """Compare the outputs with each other, with the input, and with what was seen meanwhile."""
    stage, tail = ground.stage, ground.tail
    decisions = await stage.decisions()
    await until(lambda: len(tail.chains.order) >= len(decisions), PATIENCE)
    checkpoints = await stage.checkpoints()
    positions = {(topic, p): n for p, c in checkpoints.items() for topic, n in c.offsets.items()}
    committed = await stage.committed()
    open_partitions = await stage.open_transactions()
    expected = await _oracle(stage)
    buried = await stage.read(stage.topics.dead_letters)
    last = last_verdicts(decisions)
    lines = [Line(n, orjson.dumps(decision), whole=True) for n, decision in enumerate(decisions, start=1)]
    promises = {
        f"{feed.acknowledged} of {feed.sent} events were acknowledged": feed.acknowledged == feed.sent,
        f"the input holds {expected.records} records, not {feed.sent}": expected.records == feed.sent,
        f"the checkpoints count {sum(positions.values())}": sum(positions.values()) == feed.sent,
        f"the group's offsets are not the checkpoint's: {committed}": committed == positions,
        f"chains are broken: {broken_chains(decisions)[:3]}": not broken_chains(decisions),
        f"chains were broken while they grew: {tail.chains.lost} lost": tail.chains.whole,
        "the concurrent reader saw other decisions": _same(tail.chains.order, decisions),
        f"verdicts differ from decide: {_difference(last, expected.verdicts)}": last == expected.verdicts,
        f"{len(decisions)} decisions, not {expected.decisions}": len(decisions) == expected.decisions,
        f"{len(buried)} dead letters, not {expected.malformed}": len(buried) == expected.malformed,
        f"transactions are open: {open_partitions}": not open_partitions,
        "verify finds a fault": verify_decisions(lines, load_policy(None), partial=False).failure is None,
    }
    broken = [words for words, kept in promises.items() if not kept]
    return Found(len(decisions), expected.decisions, len(buried), broken)


def _same(seen: list[str], decisions: list[Json]) -> bool:
    return Counter(seen) == Counter(decision["decision_id"] for decision in decisions)


def _difference(ours: Verdicts, expected: Verdicts) -> list[tuple[Any, Any]]:
    return [
        (ours.get(account), expected.get(account))
        for account in sorted(ours.keys() | expected.keys())
        if ours.get(account) != expected.get(account)
    ][:3]


async def _oracle(stage: Stage) -> Expected:
    """Judge the input topics' records anew, one after another."""
    world = load_world(None, geo_sources(), [ownership_file()]).world
    kinds = input_kinds(stage.settings)
    records = [record for topic in kinds for record in await stage.read(topic)]
    accounts: dict[bytes, Any] = {}
    decisions: list[Json] = []
    malformed = 0
    for record in sorted(records, key=lambda r: (r.timestamp, r.topic, r.offset)):
        known = accounts.get(record.key)
        caused = step(record, kinds[record.topic], known, world, EMIT)
        malformed += caused.malformed is not None
        if caused.account is not None:
            accounts[record.key] = caused.account
        if caused.decision is not None:
            decisions.append(orjson.loads(caused.decision.value))
    return Expected(len(records), len(decisions), malformed, last_verdicts(decisions))
