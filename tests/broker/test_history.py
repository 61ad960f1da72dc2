"""History read from a real Kafka: all that was committed when the reading began, and nothing else."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition

from stream_enforcer.kafka import history as kafka_history
from stream_enforcer.kafka.changelog import bounds
from stream_enforcer.kafka.history import TopicHistory
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within
from stream_enforcer.replay.history import BadHistory, Dated, Merge, Source
from tests.broker.past import (
    NOW,
    in_transactions,
    offsets,
    ordered,
    places,
    read,
    some_records,
    usage_of,
    wanted,
    write,
    write_usage,
)
from tests.broker.stage import PARTITIONS, Stage


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
    [(None, NOW + 30, [0, 1]), (NOW + 20, None, [2, 3, 4]), (NOW + 11, NOW + 40, [2]), (NOW + 99, None, [])],
    ids=["an end", "a start", "both", "a start behind all"],
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


async def test_no_more_records_of_a_partition_wait_than_its_share(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_history, "SHARE", (7, 20))
    waited: list[int] = []
    feed = Merge.feed

    def watched(merge: Merge, source: int, batch: Any) -> None:
        feed(merge, source, batch)
        waited.append(merge.waiting(source))

    monkeypatch.setattr(Merge, "feed", watched)
    written = some_records(stage, 1_000)
    await write(stage, written)
    found, _ = await read(stage, wanted(stage))
    assert places(found) == ordered(stage, written)
    assert max(waited) <= 20
