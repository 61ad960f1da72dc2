"""The demo's stream at a pace, each event once in the input whatever happens to the brokers."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaProducer

from stream_enforcer.demo.events import generate
from tests.broker.stage import Stage, until

USAGE_ONLY = 3
"""One account in so many has no signup: all that it does comes through one topic, so in one order."""
MOST_BEHIND = 100_000
"""Events that the replicas may be behind before the feed waits for them."""
_SEED = 11
_TURN_SECONDS = 0.05
_PATIENCE = 300.0
_MOST_IN_A_TURN = 500
_MOST_UNACKNOWLEDGED = 64
_REQUEST_TIMEOUT_MS = 90_000
"""Longer than any fault, so that the client tries again instead of giving a record up."""

Event = tuple[str, bytes, bytes]
Batch = tuple["asyncio.Future[object]", int]


@dataclass(frozen=True, slots=True)
class Load:
    """How much is fed.

    Attributes:
        least: Events in any case, however early the faults end.
        most: Events at the most, however late.
        per_second: The pace while faults go on; afterwards it is as fast as the cluster takes them.
        accounts: Accounts of the stream.
    """

    least: int
    most: int
    per_second: int
    accounts: int


class Feed:
    """Sends events until it is `enough`, and the load's `least` in any case."""

    def __init__(self, stage: Stage, load: Load, done: Callable[[], int]) -> None:
        self.sent = 0
        self.acknowledged = 0
        self.enough = asyncio.Event()
        self._stage = stage
        self._load = load
        self._done = done
        self._unacknowledged: deque[Batch] = deque()

    @property
    def has_sent_least(self) -> bool:
        """Whether the load's least events are sent."""
        return self.sent >= self._load.least

    async def run(self) -> None:
        """Send all, and wait until all are acknowledged by every broker in sync.

        Raises:
            KafkaError: One was not; whether it is in the input is unknown, so nothing can be said afterwards.
        TimeoutError: The replicas stay too far behind.
        """
        producer = AIOKafkaProducer(
            bootstrap_servers=self._stage.settings.kafka.bootstrap_servers,
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=512 * 1024,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
        )
        await producer.start()
        try:
            events = self._events()
            started = asyncio.get_running_loop().time()
            while not (self.enough.is_set() and self.has_sent_least):
                turn = list(islice(events, self._due(asyncio.get_running_loop().time() - started)))
                if not turn:
                    break
                await self._send(producer, turn)
                await self._acknowledgements(_MOST_UNACKNOWLEDGED)
                await asyncio.sleep(_TURN_SECONDS)
                await until(lambda: self.sent - self._done() <= MOST_BEHIND, _PATIENCE)
            await self._acknowledgements(0)
        finally:
            await producer.stop()

    def _due(self, seconds: float) -> int:
        """Say how many events to send next: what a broker that was away held up is caught up."""
        if self.enough.is_set():
            return _MOST_IN_A_TURN
        return min(_MOST_IN_A_TURN, max(1, int(seconds * self._load.per_second) - self.sent))

    def _events(self) -> Iterator[Event]:
        for role, key, value in generate(self._load.most, _SEED, accounts=self._load.accounts):
            if role != "signups" or crc32(key) % USAGE_ONLY:
                yield getattr(self._stage.topics, role), key, value

    async def _send(self, producer: AIOKafkaProducer, events: list[Event]) -> None:
        batches: dict[tuple[str, int], Any] = defaultdict(producer.create_batch)
        for topic, key, value in events:
            batch = batches[topic, crc32(key) % self._stage.topics.partitions]
            if batch.append(timestamp=None, key=key, value=value) is None:
                raise ValueError("the events of one turn do not fit into a batch")
        for (topic, partition), batch in batches.items():
            count = batch.record_count()
            sent = await producer.send_batch(batch, topic, partition=partition)
            self._unacknowledged.append((sent, count))
            self.sent += count

    async def _acknowledgements(self, left: int) -> None:
        while len(self._unacknowledged) > left:
            acknowledgement, count = self._unacknowledged.popleft()
            await acknowledgement
            self.acknowledged += count
