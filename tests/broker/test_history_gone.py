"""History of which a part is gone from a real Kafka: it is said, or it is an error, and never silence."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.admin.records_to_delete import RecordsToDelete

from stream_enforcer.kafka import history as kafka_history
from stream_enforcer.kafka.broker import LocalKafka
from stream_enforcer.kafka.history import TopicHistory, Wanted
from stream_enforcer.kafka.history_bounds import settle
from stream_enforcer.kafka.topics import partition_counts
from stream_enforcer.replay.history import BadHistory, Position, Source
from tests.broker.past import NOW, offsets, read, usage_of, write_usage
from tests.broker.stage import PARTITIONS, Stage, make_stage, until


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"start": 11}, r"the start, offset 11, is not among those that are there, 2 to 10"),
        ({"start": 1}, r"the start, offset 1, is not among"),
        ({"end": 11}, r"the end, offset 11, is not among"),
        ({"end": 1}, r"the end, offset 1, is not among"),
        ({"start": 5, "end": 4}, r"the end, offset 4, lies before the start, offset 5"),
    ],
)
async def test_offsets_that_are_not_there_are_named(
    bad: Mapping[str, int], message: str, stage: Stage
) -> None:
    await write_usage(stage, range(10))
    await remove_before(stage, 2)
    part = (stage.topics.usage, 0)
    bad_bounds = {name: {part: offset} for name, offset in bad.items()}
    with pytest.raises(BadHistory, match=f"^{stage.topics.usage}-0: {message}"):
        await read(stage, usage_of(stage, **bad_bounds))


async def test_what_is_not_there_to_be_read_is_named(stage: Stage) -> None:
    missing = f"{stage.topics.usage}-other"
    with pytest.raises(BadHistory, match=f"no topic {missing}"):
        await read(stage, Wanted({missing: "usage"}))
    with pytest.raises(BadHistory, match=f"{stage.topics.usage}-9: the topic has {PARTITIONS} partitions"):
        await read(stage, Wanted({stage.topics.usage: "usage"}, [9]))
    with pytest.raises(BadHistory, match=f"the start names {stage.topics.usage}-1, which is not read"):
        await read(stage, usage_of(stage, start={(stage.topics.usage, 1): 0}))
    with pytest.raises(BadHistory, match="the end, 1 ms, lies before the start, 2 ms"):
        await read(stage, usage_of(stage, start=2, end=1))


async def remove_before(stage: Stage, offset: int) -> None:
    admin = stage.clients.admin()
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(stage.topics.usage, 0): RecordsToDelete(offset)})
    finally:
        await admin.close()


async def test_history_that_is_gone_is_said(stage: Stage) -> None:
    await write_usage(stage, range(10))
    await remove_before(stage, 4)
    found, manifest = await read(stage, usage_of(stage))
    assert offsets(found) == [4, 5, 6, 7, 8, 9]
    assert manifest.notes == (f"{stage.topics.usage}-0: history before offset 4 is gone",)


async def test_a_topic_that_was_emptied_has_no_history_and_says_so(stage: Stage) -> None:
    await write_usage(stage, range(10))
    await remove_before(stage, 10)
    found, manifest = await read(stage, usage_of(stage))
    assert found == []
    assert manifest.notes == (f"{stage.topics.usage}-0: history before offset 10 is gone",)


@pytest.fixture
def removed_in_between(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first four records go when it is settled what to read, and before the first read."""

    async def settle_and_remove(*arguments: Any) -> Any:
        spans = await settle(*arguments)
        await remove_before(stage, 4)
        return spans

    monkeypatch.setattr(kafka_history, "settle", settle_and_remove)


@pytest.mark.usefixtures("removed_in_between")
async def test_records_removed_before_the_first_read_are_said_to_be_gone(stage: Stage) -> None:
    await write_usage(stage, range(10))
    found, manifest = await read(stage, usage_of(stage))
    assert offsets(found) == [4, 5, 6, 7, 8, 9]
    assert manifest.sources == (Source(stage.topics.usage, 0, 4, 10),)
    assert manifest.notes == (f"{stage.topics.usage}-0: history before offset 4 is gone",)


@pytest.mark.usefixtures("removed_in_between")
@pytest.mark.parametrize(("how", "where"), [("start", 1), ("resume", Position(1, NOW))])
async def test_records_removed_behind_a_given_start_are_an_error(how: str, where: Any, stage: Stage) -> None:
    await write_usage(stage, range(10))
    with pytest.raises(BadHistory, match="-0: the records from offset 1 on were removed"):
        await read(stage, usage_of(stage, **{how: {(stage.topics.usage, 0): where}}))


async def test_records_removed_while_they_are_read_are_an_error(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream_enforcer.replay.history.order.CHUNK", 1)
    monkeypatch.setattr(kafka_history, "SHARE", (1, 1))
    # Several batches, of which one answer holds no more than the first: the second is asked for when it is gone.
    monkeypatch.setattr(kafka_history, "FETCH_BYTES", 1)
    for n in range(10):
        await write_usage(stage, [n])
    async with TopicHistory(stage.clients, usage_of(stage)) as history:
        chunks = aiter(history)
        await anext(chunks)
        await remove_before(stage, 8)
        with pytest.raises(BadHistory, match=r"-0: the records from offset [1-7] on were removed while"):
            [chunk async for chunk in chunks]


COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "50",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "0",
}
KEYS = 5


@pytest.fixture(scope="module")
def eager() -> Iterator[str]:
    """A broker whose cleaner looks again at once."""
    with LocalKafka.start(properties={"log.cleaner.backoff.ms": "50"}) as broker:
        yield broker.bootstrap_servers


async def test_a_compacted_topic_is_read_to_its_end_though_most_of_it_is_gone(eager: str) -> None:
    stage = await make_stage(eager)
    topic = f"{stage.topics.usage}-compacted"
    await make_compacted(stage, topic)
    written = 0

    async def cleaned() -> bool:
        nonlocal written
        producer: Any = stage.clients.producer(topic)
        await producer.start()
        await producer.begin_transaction()
        sent = [await producer.send(topic, b"%d" % n, b"k%d" % n, partition=0) for n in range(KEYS)]
        await asyncio.gather(*sent)
        await producer.commit_transaction()
        await producer.stop()
        written += KEYS
        found, _ = await read(stage, Wanted({topic: "usage"}))
        return len(found) <= written // 2

    await until(cleaned)
    found, manifest = await read(stage, Wanted({topic: "usage"}))
    assert [(r.key, r.value) for _, r in found][-KEYS:] == [(b"k%d" % n, b"%d" % n) for n in range(KEYS)]
    assert offsets(found) == sorted(offsets(found))
    assert manifest.sources[0].end > written  # with the markers


async def make_compacted(stage: Stage, topic: str) -> None:
    admin = stage.clients.admin()
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=COMPACTED)])
    finally:
        await admin.close()

    async def told() -> bool:
        return topic in await partition_counts(stage.clients)

    await until(told)
