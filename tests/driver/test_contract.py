"""What the task relies on, of the broker in memory and of a real one alike."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, InvalidProducerEpoch, ProducerFenced

from stream_enforcer.kafka.changelog import bounds
from stream_enforcer.kafka.client import MAX_BATCH_BYTES, Clients
from stream_enforcer.kafka.fake.broker import FakeBroker
from stream_enforcer.kafka.fake.clients import FakeClients
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within
from stream_enforcer.settings import Kafka
from tests.broker.stage import make_stage, until

POLL_MS = 100


@dataclass(frozen=True)
class Place:
    """A partition of its own, and clients that reach it."""

    clients: Clients
    tp: TopicPartition
    name: str

    @asynccontextmanager
    async def producer(self, name: str = "one") -> AsyncIterator[Any]:
        """Start the newest producer of a transactional id; other names have other ids."""
        producer: Any = self.clients.producer(f"{self.name}-{name}")
        await producer.start()
        try:
            yield producer
        finally:
            await end_within(CLOSE_SECONDS, producer.stop())

    @asynccontextmanager
    async def reader(self, isolation: str = "read_committed") -> AsyncIterator[Any]:
        reader: Any = self.clients.reader(isolation)
        await reader.start()
        try:
            reader.assign([self.tp])
            reader.seek(self.tp, 0)
            yield reader
        finally:
            await end_within(CLOSE_SECONDS, reader.stop())

    async def send(self, producer: Any, *values: bytes) -> int:
        """Send values in one batch and return the offset of the first."""
        batch = producer.create_batch()
        for value in values:
            batch.append(timestamp=None, key=b"k", value=value, headers=[("h", b"v")])
        batch.close()
        sent = await producer.send_batch(batch, self.tp.topic, partition=self.tp.partition)
        return int((await sent).offset)

    async def commit(self, producer: Any) -> None:
        """Commit, and wait for the marker: the broker answers before it is written."""
        await producer.commit_transaction()

        async def marked() -> bool:
            stable, end = await self.ends()
            return stable == end

        await until(marked)

    async def read(self, isolation: str = "read_committed") -> list[tuple[int, bytes]]:
        """Read from the start to the end that this kind of reader is told."""
        found: list[tuple[int, bytes]] = []
        async with self.reader(isolation) as reader:
            end = (await reader.end_offsets([self.tp]))[self.tp]

            async def at_the_end() -> bool:
                if await reader.position(self.tp) >= end:
                    return True
                for records in (await reader.getmany(self.tp, timeout_ms=POLL_MS)).values():
                    found.extend((record.offset, record.value) for record in records)
                return bool(await reader.position(self.tp) >= end)

            await until(at_the_end)
        return found

    async def ends(self) -> tuple[int, int]:
        """Return the last stable offset and the high watermark."""
        async with self.reader() as reader:
            stable = (await reader.end_offsets([self.tp]))[self.tp]
        return stable, (await bounds(self.clients, [self.tp]))[self.tp][1]


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.broker)])
def servers(request: pytest.FixtureRequest) -> str | None:
    """Bootstrap servers of the real Kafka, None for the fake. Not async: what starts a broker runs its own loop."""
    return str(request.getfixturevalue("kafka")) if request.param == "real" else None


@pytest.fixture
async def place(servers: str | None) -> Place:
    name = f"t-{uuid4().hex[:10]}"
    if servers is None:
        return Place(FakeClients(Kafka(), FakeBroker()), TopicPartition("decisions", 0), name)
    stage = await make_stage(servers)
    return Place(stage.clients, TopicPartition(stage.topics.decisions, 0), name)


def values(records: Sequence[tuple[int, bytes]]) -> list[bytes]:
    return [value for _, value in records]


async def test_an_open_transaction_is_seen_by_uncommitted_readers_alone(place: Place) -> None:
    async with place.producer() as producer:
        await producer.begin_transaction()
        await place.send(producer, b"1", b"2")
        assert await place.read() == []
        assert values(await place.read("read_uncommitted")) == [b"1", b"2"]
        assert await place.ends() == (0, 2)
        await place.commit(producer)
    assert await place.read() == [(0, b"1"), (1, b"2")]


async def test_a_marker_takes_an_offset_and_is_never_shown(place: Place) -> None:
    async with place.producer() as producer:
        for value, offset in ((b"1", 0), (b"2", 2)):
            await producer.begin_transaction()
            assert await place.send(producer, value) == offset
            await place.commit(producer)
    assert await place.read() == await place.read("read_uncommitted") == [(0, b"1"), (2, b"2")]
    assert await place.ends() == (4, 4)


async def test_a_position_comes_to_the_end_past_a_last_marker(place: Place) -> None:
    async with place.producer() as producer:
        await producer.begin_transaction()
        await place.send(producer, b"1")
        await place.commit(producer)
    async with place.reader() as reader:

        async def at_the_end() -> bool:
            await reader.getmany(place.tp, timeout_ms=POLL_MS)
            return bool(await reader.position(place.tp) == 2)

        await until(at_the_end)
        assert reader.last_stable_offset(place.tp) == reader.highwater(place.tp) == 2


async def test_a_start_aborts_what_its_predecessor_left_open(place: Place) -> None:
    async with place.producer() as producer:
        await producer.begin_transaction()
        await place.send(producer, b"lost")
    assert await place.ends() == (0, 1)
    async with place.producer():
        assert await place.ends() == (2, 2)
    assert await place.read() == []
    assert await place.read("read_uncommitted") == [(0, b"lost")]


async def test_aborted_data_is_passed_over_between_what_was_committed(place: Place) -> None:
    async with place.producer() as producer:
        await producer.begin_transaction()
        await place.send(producer, b"1")
        await place.commit(producer)
        await producer.begin_transaction()
        await place.send(producer, b"lost")
    async with place.producer() as producer:
        await producer.begin_transaction()
        await place.send(producer, b"2")
        await place.commit(producer)
    assert await place.read() == [(0, b"1"), (4, b"2")]


async def test_what_was_committed_behind_an_open_transaction_is_held_back(place: Place) -> None:
    async with place.producer("one") as one, place.producer("two") as two:
        await one.begin_transaction()
        await place.send(one, b"open")
        await two.begin_transaction()
        await place.send(two, b"done")
        await two.commit_transaction()
        assert await place.ends() == (0, 3)
        assert await place.read() == []
        await one.commit_transaction()
    assert values(await place.read()) == [b"open", b"done"]


@pytest.mark.parametrize("last", ["send", "commit"])
async def test_a_producer_with_a_successor_writes_nothing_more(last: str, place: Place) -> None:
    async with place.producer() as older:
        await older.begin_transaction()
        if last == "commit":
            await place.send(older, b"lost")
        async with place.producer() as newer:
            with pytest.raises((ProducerFenced, InvalidProducerEpoch)):
                await (place.send(older, b"lost") if last == "send" else older.commit_transaction())
            await newer.begin_transaction()
            await place.send(newer, b"1")
            await newer.commit_transaction()
    assert values(await place.read()) == [b"1"]


async def test_a_record_keeps_its_key_value_and_headers(place: Place) -> None:
    async with place.producer() as producer:
        await producer.begin_transaction()
        await place.send(producer, b"1")
        await place.commit(producer)
    async with place.reader() as reader:
        found: list[Any] = []

        async def there() -> bool:
            found.extend((await reader.getmany(place.tp, timeout_ms=POLL_MS)).get(place.tp, ()))
            return bool(found)

        await until(there)
    (record,) = found
    assert (record.topic, record.partition, record.offset) == (place.tp.topic, 0, 0)
    assert (record.key, record.value, tuple(record.headers)) == (b"k", b"1", (("h", b"v"),))


async def test_a_paused_partition_gives_nothing_until_it_is_resumed(place: Place) -> None:
    async with place.producer() as producer:
        await producer.begin_transaction()
        await place.send(producer, b"1")
        await place.commit(producer)
    async with place.reader() as reader:
        reader.pause(place.tp)
        assert await reader.getmany(place.tp, timeout_ms=POLL_MS) == {}
        reader.resume(place.tp)

        async def there() -> bool:
            return bool(await reader.getmany(place.tp, timeout_ms=POLL_MS))

        await until(there)


async def test_a_partition_that_is_not_assigned_has_no_position(place: Place) -> None:
    async with place.reader() as reader:
        assert reader.assignment() == {place.tp}
        with pytest.raises(IllegalStateError):
            reader.seek(TopicPartition(place.tp.topic, 1), 0)


async def test_a_batch_refuses_what_does_not_fit(place: Place) -> None:
    async with place.producer() as producer:
        batch = producer.create_batch()
        half = bytes(MAX_BATCH_BYTES // 2)
        taken = [batch.append(timestamp=None, key=b"k", value=half, headers=[]) for _ in range(2)]
        assert [answer is not None for answer in taken] == [True, False]
        assert batch.append(timestamp=None, key=b"k", value=b"", headers=[]) is None
