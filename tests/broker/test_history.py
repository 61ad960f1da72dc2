"""History read from a real Kafka: all that was committed when the reading began, and nothing else."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete

from stream_enforcer.kafka import history as kafka_history
from stream_enforcer.kafka.changelog import bounds
from stream_enforcer.kafka.history import TopicHistory, Wanted
from stream_enforcer.kafka.history_bounds import RANKS, settle
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within
from stream_enforcer.replay.history import BadHistory, Dated, Manifest, Part, Position, Source
from tests.broker.stage import PARTITIONS, Stage

DAY = 1_780_000_000_000
Place = tuple[str, int, int]


def wanted(stage: Stage, **more: Any) -> Wanted:
    topics = stage.topics
    kinds = {topics.signups: "signup", topics.usage: "usage", topics.overrides: "override"}
    return Wanted(kinds, **more)  # type: ignore[arg-type]  # a dict of literals is one of strings


def usage_of(stage: Stage, **more: Any) -> Wanted:
    return Wanted({stage.topics.usage: "usage"}, frozenset({0}), **more)


async def write(stage: Stage, records: Iterable[tuple[str, int, int]]) -> None:
    """Write a record to each topic and partition, with that time after the day's beginning."""
    producer = stage.clients.producer(None)
    await producer.start()
    try:
        for topic, partition, ms in records:
            await producer.send(topic, b"%d" % ms, b"k", partition=partition, timestamp_ms=DAY + ms)
        await producer.flush()
    finally:
        await producer.stop()


async def write_usage(stage: Stage, times: Iterable[int]) -> None:
    await write(stage, ((stage.topics.usage, 0, ms) for ms in times))


async def in_transactions(stage: Stage, *turns: tuple[str, int], name: str = "") -> None:
    """Send so many records in each transaction and "commit" it, or leave it "open" for the next to abort."""
    for end, count in turns:
        producer: Any = stage.clients.producer(f"{stage.topics.usage}{name}")
        await producer.start()
        await producer.begin_transaction()
        for n in range(count):
            sent = await producer.send(
                stage.topics.usage, f"{end}-{n}".encode(), b"k", partition=0, timestamp_ms=DAY
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
        newest[part] = max(newest[part], DAY + ms)
        keyed.append((newest[part], RANKS[kinds[topic]], partition, count[part], topic))
        count[part] += 1
    return [(topic, partition, offset) for _, _, partition, offset, topic in sorted(keyed)]


def some_records(stage: Stage, count: int) -> list[tuple[str, int, int]]:
    """Records at random in all inputs, whose times go on and now and then back."""
    rng = Random(7)
    names = list(wanted(stage).topics)
    return [(rng.choice(names), rng.randrange(PARTITIONS), 3 * n - rng.randrange(200)) for n in range(count)]


async def test_all_that_is_there_comes_by_time_and_each_partition_by_offset(stage: Stage) -> None:
    written = some_records(stage, 2_000)
    await write(stage, written)
    found, manifest = await read(stage, wanted(stage))
    assert places(found) == ordered(stage, written)
    assert {kind for kind, _ in found} == {"signup", "usage", "override"}
    assert len(manifest.sources) == 3 * PARTITIONS
    assert sum(source.end for source in manifest.sources) == len(written)
    assert manifest.notes == ()


async def test_a_reading_that_broke_off_goes_on_as_if_it_had_not(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream_enforcer.replay.history.order.CHUNK", 50)
    monkeypatch.setattr(kafka_history, "SHARE", (7, 20))
    await write(stage, some_records(stage, 1_000))
    whole, _ = await read(stage, wanted(stage))
    before: list[Dated] = []
    async with TopicHistory(stage.clients, wanted(stage)) as history:
        async for chunk in history:
            before += chunk
            if len(before) > 400:
                break
        resume, manifest = history.positions, history.manifest
    await write(stage, some_records(stage, 100))
    ends = {(source.name, source.partition): source.end for source in manifest.sources}
    after, _ = await read(stage, wanted(stage, resume=resume, end=ends))
    assert 400 < len(before) < 1_000
    assert places(before) + places(after) == places(whole)


async def test_what_comes_later_is_not_read(stage: Stage) -> None:
    await write_usage(stage, range(10))
    async with TopicHistory(stage.clients, usage_of(stage)) as history:
        await write_usage(stage, range(10, 20))
        found = [dated async for chunk in history for dated in chunk]
    assert offsets(found) == list(range(10))
    assert history.manifest.sources == (Source(stage.topics.usage, 0, 0, 10),)


async def test_empty_topics_are_a_history_without_records(stage: Stage) -> None:
    found, manifest = await read(stage, wanted(stage))
    assert found == []
    assert {(source.start, source.end) for source in manifest.sources} == {(0, 0)}


async def test_markers_and_what_was_aborted_are_passed_over_up_to_the_end(stage: Stage) -> None:
    await in_transactions(stage, ("commit", 2), ("open", 3), ("commit", 1), ("open", 2), ("commit", 0))
    found, manifest = await read(stage, usage_of(stage))
    assert [record.value for _, record in found] == [b"commit-0", b"commit-1", b"commit-0"]
    ((_, _, start, end),) = manifest.sources
    assert (start, end) == (
        0,
        (await bounds(stage.clients, [TopicPartition(stage.topics.usage, 0)]))[
            TopicPartition(stage.topics.usage, 0)
        ][1],
    )


async def test_an_open_transaction_before_the_end_is_waited_for(stage: Stage) -> None:
    producer: Any = stage.clients.producer(stage.topics.usage)
    await producer.start()
    await producer.begin_transaction()
    sent = await producer.send(stage.topics.usage, b"open", b"k", partition=0)
    await sent
    await write_usage(stage, [1])
    reading = asyncio.create_task(read(stage, usage_of(stage)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(reading), 0.5)
    await producer.commit_transaction()
    found, _ = await reading
    assert [record.value for _, record in found] == [b"open", b"1"]
    await end_within(CLOSE_SECONDS, producer.stop())


async def test_a_transaction_that_stays_open_is_an_error_that_names_the_partition(stage: Stage) -> None:
    await write_usage(stage, range(3))
    await in_transactions(stage, ("open", 1))
    with pytest.raises(
        BadHistory, match=f"^{stage.topics.usage}-0: a transaction from offset 3 on is still open"
    ):
        await read(stage, usage_of(stage), patience=0.3)


async def test_an_end_before_an_open_transaction_is_reached(stage: Stage) -> None:
    await write_usage(stage, range(3))
    await in_transactions(stage, ("open", 1))
    found, _ = await read(stage, usage_of(stage, end={(stage.topics.usage, 0): 3}), patience=0.3)
    assert offsets(found) == [0, 1, 2]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(None, DAY + 30, [0, 1]), (DAY + 20, None, [2, 3, 4]), (DAY + 11, DAY + 40, [2]), (DAY + 99, None, [])],
)
async def test_times_say_where_to_begin_and_end(
    start: int | None, end: int | None, expected: list[int], stage: Stage
) -> None:
    await write_usage(stage, [0, 10, 30, 40, 50])
    found, manifest = await read(stage, usage_of(stage, start=start, end=end))
    assert offsets(found) == expected
    (source,) = manifest.sources
    assert source.end - source.start == len(expected)


async def test_offsets_say_where_to_begin_and_end(stage: Stage) -> None:
    await write_usage(stage, range(10))
    part = (stage.topics.usage, 0)
    found, _ = await read(stage, usage_of(stage, start={part: 3}, end={part: 7}))
    assert offsets(found) == [3, 4, 5, 6]


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
@pytest.mark.parametrize(("how", "where"), [("start", 1), ("resume", Position(1, DAY))])
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


async def test_no_group_hears_of_a_reading(stage: Stage) -> None:
    await write_usage(stage, range(10))

    async def groups() -> list[Any]:
        admin = stage.clients.admin()
        await admin.start()
        try:
            return sorted(await admin.list_consumer_groups())
        finally:
            await admin.close()

    before = await groups()
    found, _ = await read(stage, wanted(stage))
    assert len(found) == 10
    assert await groups() == before
