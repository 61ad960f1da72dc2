"""One fault under load, and everything that must hold when the dust has settled."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from aiokafka.errors import KafkaError

from stream_enforcer.demo.replica import ReplicaFailed
from tests.broker.faults.feed import Load
from tests.broker.faults.ground import FENCED, PATIENCE, RESET, Arena, Ground, prepare
from tests.broker.faults.judge import Findings, judge
from tests.broker.stage import until

CATCH_UP_SECONDS = 300.0
"""For the whole backlog after the last fault."""
TELL_SECONDS = 30.0
Fault = Callable[[Ground], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a scenario; `failures` is empty when every promise was kept.

    Attributes:
        fault: The scenario.
        injected: What was done, in words.
        faults: How many times harm was done.
        events: Events in the input.
        decisions: Decisions of them.
        dead_letters: Dead letters of them.
        lost: Decisions and dead letters that are missing.
        repeated: Those that are there too often.
        fenced: Times that a replica found a partition taken by another.
        resets: Times that a replica threw a producer away and read the changelog anew.
        ended: Replicas that ended by themselves.
        seconds: From creating the topics to the last check.
        failures: The promises that were broken.
        skipped: Why it was not run; None where it was.
    """

    fault: str
    injected: str = "-"
    faults: int = 0
    events: int = 0
    decisions: int = 0
    dead_letters: int = 0
    lost: int = 0
    repeated: int = 0
    fenced: int = 0
    resets: int = 0
    ended: int = 0
    seconds: float = 0.0
    failures: tuple[str, ...] = ()
    skipped: str | None = None


class Found(NamedTuple):
    """What the topics hold, and the promises that were not kept."""

    partitions: list[Findings]
    failures: list[str]


async def play(arena: Arena, name: str, fault: Fault, folder: Path, load: Load) -> Outcome:
    """Feed events to two replicas while the fault does its harm, then check everything."""
    started = time.monotonic()
    ground = await prepare(arena, folder, load)
    following = asyncio.create_task(ground.tail.follow(), name="tail")
    feeding = asyncio.create_task(ground.feed.run(), name="feed")
    telling = asyncio.create_task(_tell(ground), name="tell")
    try:
        await _survive(ground, fault, feeding)
        found = await _judge(ground)
    except (TimeoutError, AssertionError, KafkaError, ReplicaFailed) as error:
        found = Found([], [_told(error, ground)])
    except ExceptionGroup as group:
        found = Found([], [_told(error, ground) for error in group.exceptions])
    finally:
        for task in (telling, feeding, following):
            task.cancel()
        await asyncio.wait([telling, feeding, following])
        for replica in ground.replicas:
            replica.kill()
    return _outcome(name, ground, found, time.monotonic() - started)


async def _survive(ground: Ground, fault: Fault, feeding: asyncio.Task[None]) -> None:
    """Do the harm, end the feed, wait until every event is done, and end the replicas."""
    for replica in ground.replicas:
        await asyncio.to_thread(replica.wait_ready, PATIENCE)
    harm = asyncio.ensure_future(fault(ground))
    try:
        await asyncio.wait([harm, feeding], return_when=asyncio.FIRST_COMPLETED)
        if feeding.done() and not harm.done():
            feeding.result()
            raise AssertionError("the feed ended before the faults did")
        await harm
    finally:
        harm.cancel()
        await asyncio.wait([harm])
    ground.feed.enough.set()
    await feeding
    await ground.whole_cluster()
    await until(lambda: ground.tail.done >= ground.feed.sent, CATCH_UP_SECONDS)
    for replica in list(ground.replicas):
        await ground.stop(replica)


async def _tell(ground: Ground) -> None:
    """Write how far a long scenario is."""
    while True:
        await asyncio.sleep(TELL_SECONDS)
        faults, done, sent = ground.injected.total(), ground.tail.done, ground.feed.sent
        sys.stderr.write(f"  {faults} faults, {done:,} of {sent:,} events done\n")


def _told(error: Exception, ground: Ground) -> str:
    return f"{type(error).__name__}: {error}; {ground.tail.done} of {ground.feed.sent} events done"


async def _judge(ground: Ground) -> Found:
    """Compare the outputs with each other, with the input, and with what was seen meanwhile."""
    stage, tail, feed = ground.stage, ground.tail, ground.feed
    checkpoints = await stage.checkpoints()
    positions = {(topic, p): n for p, c in checkpoints.items() for topic, n in c.offsets.items()}
    committed = await stage.committed()
    open_partitions = await stage.open_transactions()
    await tail.catch_up(CATCH_UP_SECONDS)
    findings = await judge(stage, tail.chains)
    records = sum(found.records for found in findings)
    promises = {
        f"{feed.acknowledged} of {feed.sent} events were acknowledged": feed.acknowledged == feed.sent,
        f"the input holds {records} records, not {feed.sent}": records == feed.sent,
        f"the checkpoints count {sum(positions.values())}": sum(positions.values()) == feed.sent,
        f"the group's offsets are not the checkpoint's: {committed}": committed == positions,
        f"transactions are open: {open_partitions}": not open_partitions,
    }
    broken = [words for words, kept in promises.items() if not kept]
    return Found(findings, broken + [failure for found in findings for failure in found.failures])


def _outcome(name: str, ground: Ground, found: Found, seconds: float) -> Outcome:
    injected = ", ".join(f"{count} x {kind}" for kind, count in sorted(ground.injected.items()))
    return Outcome(
        fault=name,
        injected=injected or "-",
        faults=ground.injected.total(),
        events=ground.feed.sent,
        decisions=sum(p.decisions for p in found.partitions),
        dead_letters=sum(p.dead_letters for p in found.partitions),
        lost=sum(p.lost for p in found.partitions),
        repeated=sum(p.repeated for p in found.partitions),
        fenced=ground.logged(FENCED),
        resets=ground.logged(RESET),
        ended=ground.ended_by_themselves,
        seconds=round(seconds, 1),
        failures=tuple(found.failures),
    )
