"""Decisions of a replay, published once to a topic of their own, however often the replay breaks off.

A replay decides the same from the same records, byte for byte. So nothing has to be kept of how far it came: a
partition's committed decisions are the beginning of those that it gets, and what follows them is still to publish.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Self

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from stream_enforcer.kafka.changelog import bounds
from stream_enforcer.kafka.client import FENCED, Clients, Producer
from stream_enforcer.kafka.history_bounds import Span
from stream_enforcer.kafka.history_reader import OPEN_TRANSACTION_SECONDS, PartitionReader
from stream_enforcer.kafka.lifetime import (
    CLOSE_SECONDS,
    START_SECONDS,
    end_producer_within,
    end_within,
    start_within,
)
from stream_enforcer.kafka.topics import partition_counts
from stream_enforcer.kafka.transaction import NO_HEADERS, Entry, Outgoing, commit
from stream_enforcer.replay.history import NEVER, Position
from stream_enforcer.settings import Settings

MOST_WAITING: Final = 2_000
"""So many decisions of a partition are published in one transaction."""
MOST_BYTES: Final = 4 << 20
"""…or fewer, when they are large."""
COMMIT_SECONDS: Final = 30.0
_READ_AT_ONCE: Final = 1_000


class BadTarget(Exception):
    """The topic cannot take the decisions; the message says why."""


async def check_target(settings: Settings, topic: str) -> None:
    """Make sure that a topic can take the decisions of a replay.

    Raises:
        BadTarget: It is one that the service uses, there is none, or its partitions are not those of the inputs.
        KafkaError, OSError: The cluster does not answer.
    """
    topics = settings.topics
    live = topics.model_dump(exclude={"partitions", "replication"})
    if topic in live.values():
        raise BadTarget(f"{topic}: is a topic of the service; a replay publishes to one of its own")
    counts = await partition_counts(Clients(settings.kafka))
    wanted = counts.get(topics.signups, 0)
    if counts.get(topic) != wanted:
        has = f"it has {counts[topic]}" if topic in counts else "there is none, or no right to Describe it"
        raise BadTarget(f"{topic}: needs {wanted} partitions, as {topics.signups} has; {has}")


class _Tally:
    """A number of records in order, by count and hash."""

    __slots__ = ("_hash", "count")

    def __init__(self) -> None:
        self.count = 0
        self._hash = sha256()

    def add(self, key: bytes | None, value: bytes | None) -> None:
        for part in (key or b"", value or b""):
            self._hash.update(len(part).to_bytes(8, "big") + part)
        self.count += 1

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


@dataclass(slots=True)
class _Lane:
    """One partition: what it holds, what was decided again of that, and what is to be published."""

    tp: TopicPartition
    producer: Producer
    held: _Tally = field(default_factory=_Tally)
    again: _Tally = field(default_factory=_Tally)
    waiting: list[Entry] = field(default_factory=list)
    size: int = 0

    def take(self, key: bytes, value: bytes) -> None:
        if self.again.count < self.held.count:
            self.again.add(key, value)
            if self.again.count == self.held.count:
                self.compare()
            return
        self.waiting.append((key, value, NO_HEADERS))
        self.size += len(value)

    def compare(self) -> None:
        if (self.again.count, self.again.digest) != (self.held.count, self.held.digest):
            raise BadTarget(
                f"{self.tp.topic}-{self.tp.partition}: holds {self.held.count:,} records that are not the first"
                " decisions of this replay; give it a topic of its own"
            )

    @property
    def due(self) -> bool:
        return len(self.waiting) >= MOST_WAITING or self.size >= MOST_BYTES


class Emission:
    """Publishes decisions to the partitions of their accounts: an asynchronous context manager.

    Each partition has a transactional producer of its own, whose start fences that of an earlier attempt.

    Args:
        clients: Makes the clients.
        topic: Where the decisions go.
        namespace: What the transactional ids of this replay begin with, and of no other.
        partitions: Those that are replayed.

    Attributes:
        published: Decisions published.
    """

    def __init__(self, clients: Clients, topic: str, namespace: str, partitions: Collection[int]) -> None:
        self._clients = clients
        self._lanes = {
            number: _Lane(TopicPartition(topic, number), clients.producer(f"{namespace}-{number}"))
            for number in sorted(partitions)
        }
        self.published = 0

    async def __aenter__(self) -> Self:
        """Fence earlier attempts, and find out what they published.

        Raises:
            BadHistory: A partition cannot be read to its end.
            KafkaError, OSError: The cluster does not answer, or refuses.
        """
        try:
            opened = await asyncio.gather(*map(self._open, self._lanes.values()), return_exceptions=True)
            for error in opened:
                if error is not None:
                    raise error
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        ends = (end_producer_within(CLOSE_SECONDS, lane.producer) for lane in self._lanes.values())
        await asyncio.gather(*ends)

    async def _open(self, lane: _Lane) -> None:
        """Start a partition's producer, then read what it holds up to its end, which nobody moves any more."""
        await start_within(START_SECONDS, lane.producer.start())
        first, end = (await bounds(self._clients, [lane.tp]))[lane.tp]
        span = Span(lane.tp, None, Position(first, NEVER), end, exact=True, note=None)
        consumer = self._clients.reader()
        try:
            await start_within(START_SECONDS, consumer.start())
            reader = PartitionReader(consumer, span, OPEN_TRANSACTION_SECONDS)
            while records := await reader.next(_READ_AT_ONCE):
                for record in records:
                    lane.held.add(record.key, record.value)
        finally:
            await end_within(CLOSE_SECONDS, consumer.stop())

    @property
    def found(self) -> int:
        """How many decisions were there already."""
        return sum(lane.held.count for lane in self._lanes.values())

    def take(self, partition: int, key: bytes, value: bytes) -> None:
        """Take the next decision of a partition; `flush` publishes it.

        Raises:
            BadTarget: The partition holds something else than the decisions up to this one.
        """
        self._lanes[partition].take(key, value)

    async def flush(self) -> None:
        """Publish where enough decisions wait.

        Raises:
            BadTarget: Another run of the same replay took over.
            KafkaError, OSError: The outcome of a transaction is not known; another attempt finds it out.
        """
        for lane in self._lanes.values():
            if lane.due:
                await self._commit(lane)

    async def finish(self) -> None:
        """Publish the rest.

        Raises:
            BadTarget: A partition holds more than was decided, or as in `flush`.
            KafkaError, OSError: As in `flush`.
        """
        for lane in self._lanes.values():
            lane.compare()
        for lane in self._lanes.values():
            if lane.waiting:
                await self._commit(lane)

    async def _commit(self, lane: _Lane) -> None:
        out: list[Any] = [Outgoing(lane.tp.topic, lane.waiting)]
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await commit(lane.producer, lane.tp.partition, out, {}, "")
        except (KafkaError, AssertionError) as error:  # the client checks its states with assertions
            place = f"{lane.tp.topic}-{lane.tp.partition}"
            if isinstance(error, FENCED) or lane.producer.fenced:
                raise BadTarget(f"{place}: another run of the same replay publishes there now") from error
            if isinstance(error, KafkaError):
                raise
            raise KafkaError(f"{place}: a transaction failed") from error
        self.published += len(lane.waiting)
        lane.waiting, lane.size = [], 0
