"""Records written to topics with times of our own, and read back as history."""

import time
from collections import defaultdict
from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING, Any

from stream_enforcer.kafka.history import TopicHistory, Wanted
from stream_enforcer.kafka.history_bounds import RANKS
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within
from stream_enforcer.replay.history import Dated, Manifest, Part
from tests.broker.stage import PARTITIONS, Stage

if TYPE_CHECKING:
    from stream_enforcer.domain.events import EventKind

NOW = int(time.time() * 1000) - 3_600_000
"""Young enough that no broker removes it, and in the past, for brokers refuse the future."""
Place = tuple[str, int, int]


def wanted(stage: Stage, **more: Any) -> Wanted:
    topics = stage.topics
    kinds: dict[str, EventKind] = {
        topics.signups: "signup",
        topics.usage: "usage",
        topics.overrides: "override",
    }
    return Wanted(kinds, **more)


def usage_of(stage: Stage, **more: Any) -> Wanted:
    return Wanted({stage.topics.usage: "usage"}, frozenset({0}), **more)


async def write(stage: Stage, records: Iterable[tuple[str, int, int]]) -> None:
    """Write a record to each topic and partition, with that time after `NOW`."""
    producer = stage.clients.producer(None)
    await producer.start()
    try:
        for topic, partition, ms in records:
            await producer.send(topic, b"%d" % ms, b"k", partition=partition, timestamp_ms=NOW + ms)
        await producer.flush()
    finally:
        await producer.stop()


async def write_usage(stage: Stage, times: Iterable[int]) -> None:
    await write(stage, ((stage.topics.usage, 0, ms) for ms in times))


async def in_transactions(stage: Stage, *turns: tuple[str, int]) -> None:
    """Send so many records in each transaction and "commit" it, or leave it "open" for the next to abort."""
    for end, count in turns:
        producer: Any = stage.clients.producer(stage.topics.usage)
        await producer.start()
        await producer.begin_transaction()
        for n in range(count):
            sent = await producer.send(
                stage.topics.usage, f"{end}-{n}".encode(), b"k", partition=0, timestamp_ms=NOW
            )
            await sent
        if end == "commit":
            await producer.commit_transaction()
        await end_within(CLOSE_SECONDS, producer.stop())


async def read(stage: Stage, what: Wanted, **more: Any) -> tuple[list[Dated], Manifest]:
    async with TopicHistory(stage.clients, what, **more) as history:
        found = [dated async for chunk in history for dated in chunk]
        return found, history.manifest


def places(found: Iterable[Dated]) -> list[Place]:
    return [(record.topic, record.partition, record.offset) for _, record in found]


def offsets(found: Iterable[Dated]) -> list[int]:
    return [record.offset for _, record in found]


def ordered(stage: Stage, written: Iterable[tuple[str, int, int]]) -> list[Place]:
    """The order by its definition: a record's place is the newest time of its partition up to it."""
    newest: dict[Part, int] = defaultdict(lambda: -1)
    count: dict[Part, int] = defaultdict(int)
    keyed = []
    kinds = wanted(stage).topics
    for topic, partition, ms in written:
        part = (topic, partition)
        newest[part] = max(newest[part], NOW + ms)
        keyed.append((newest[part], RANKS[kinds[topic]], partition, count[part], topic))
        count[part] += 1
    return [(topic, partition, offset) for _, _, partition, offset, topic in sorted(keyed)]


def some_records(stage: Stage, count: int) -> list[tuple[str, int, int]]:
    """Records at random in all inputs, whose times go on and now and then back."""
    rng = Random(7)
    names = list(wanted(stage).topics)
    return [(rng.choice(names), rng.randrange(PARTITIONS), 3 * n - rng.randrange(200)) for n in range(count)]
