"""A transactional producer of the broker in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import IllegalOperation, ProducerClosed
from aiokafka.structs import OffsetAndMetadata, RecordMetadata

from stream_enforcer.kafka.client import MAX_BATCH_BYTES
from stream_enforcer.kafka.dead_letters import Header
from stream_enforcer.kafka.fake.broker import CREATE_TIME, FakeBroker, Row, Ticket
from stream_enforcer.kafka.fake.host import Host

RECORD_OVERHEAD: Final = 32


@dataclass(slots=True)
class FakeBatch:
    """A batch under construction, as `create_batch` gives it."""

    rows: list[Row] = field(default_factory=list)
    _bytes: int = 0
    _closed: bool = False

    def append(
        self, *, timestamp: int | None, key: bytes | None, value: bytes | None, headers: Sequence[Header]
    ) -> object | None:
        """Add a record; None where it does not fit any more. What has refused one takes no other."""
        del timestamp  # the broker's clock is the only one
        size = len(key or b"") + len(value or b"") + RECORD_OVERHEAD
        if self._closed or (self.rows and self._bytes + size > MAX_BATCH_BYTES):
            self._closed = True
            return None
        self._bytes += size
        self.rows.append(Row(key, value, tuple(headers)))
        return len(self.rows)

    def record_count(self) -> int:
        """Return how many records it has."""
        return len(self.rows)

    def close(self) -> None:
        """Take no more."""
        self._closed = True


class FakeProducer:
    """A transactional producer. Like the real one it commits although a batch failed, unless somebody looks."""

    def __init__(self, broker: FakeBroker, host: Host, transactional_id: str) -> None:
        self._broker = broker
        self._host = host
        self._transactional_id = transactional_id
        self._ticket: Ticket | None = None
        self._begun = False
        self._sending: list[asyncio.Task[RecordMetadata]] = []

    @property
    def fenced(self) -> bool:
        """Never told beside the error itself."""
        return False

    async def start(self) -> None:
        """Fence the predecessors."""
        await self._host.turn()
        self._ticket = self._broker.start(self._transactional_id)

    async def stop(self) -> None:
        """Stop; an open transaction stays open until a successor starts."""
        await self._host.turn()
        self._ticket = None

    async def abandon(self) -> None:
        """Let go of everything."""
        self._ticket = None

    async def begin_transaction(self) -> None:
        """Begin; the broker hears of it with the first batch."""
        await self._host.turn()
        if self._begun:
            raise IllegalOperation("a transaction is under way")
        self._begun = True
        self._broker.journal.append(("begin",))

    def create_batch(self) -> FakeBatch:
        """Return an empty batch."""
        return FakeBatch()

    async def send_batch(
        self, batch: FakeBatch, topic: str, *, partition: int
    ) -> "asyncio.Task[RecordMetadata]":
        """Hand a batch over; the future tells whether it arrived."""
        await self._host.turn()
        self._in_transaction()
        sending = asyncio.create_task(self._send(batch.rows, TopicPartition(topic, partition)))
        self._sending.append(sending)
        return sending

    async def send_offsets_to_transaction(
        self, offsets: dict[TopicPartition, OffsetAndMetadata], group: str
    ) -> None:
        """Add group offsets."""
        del group  # the broker knows one
        ticket = self._in_transaction()
        await self._host.turn()
        await self._host.reach("offsets", "before")
        self._broker.add_offsets(ticket, {tp: offset.offset for tp, offset in offsets.items()})
        await self._host.reach("offsets", "after")

    async def commit_transaction(self) -> None:
        """Wait for the batches, whatever became of them, and commit."""
        ticket = self._in_transaction()
        if self._sending:
            await asyncio.wait(self._sending)
        await self._host.turn()
        await self._host.reach("commit", "before")
        self._broker.commit(ticket)
        self._begun, self._sending = False, []
        await self._host.reach("commit", "after")

    async def _send(self, rows: list[Row], tp: TopicPartition) -> RecordMetadata:
        await self._host.turn()
        await self._host.reach("send", "before")
        offset = self._broker.send(self._in_transaction(), tp, rows)
        await self._host.turn()
        await self._host.reach("send", "after")
        self._broker.journal.append(("ack", tp.topic))
        return RecordMetadata(tp.topic, tp.partition, tp, offset, None, CREATE_TIME, 0)

    def _in_transaction(self) -> Ticket:
        if self._ticket is None:
            raise ProducerClosed("the producer is not started, or stopped")
        if not self._begun:
            raise IllegalOperation("no transaction is under way")
        return self._ticket
