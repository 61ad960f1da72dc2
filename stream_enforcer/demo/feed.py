"""Feeds the demo's events to the input topics: a flood, a steady stream, or an endless flow."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Any, Final, NamedTuple

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from stream_enforcer.demo.events import TopicRole, drafts, generate
from stream_enforcer.settings import Topics

EVENTS_PER_ACCOUNT: Final = 20
FEWEST_EVENTS: Final = 1_000
_BATCH: Final = 500
"""Events in one produced batch."""
_SEED: Final = 20_260_618
_ROUND: Final = 100_000
"""Events of one round of the endless flow."""
_TICK_SECONDS: Final = 0.05


class Event(NamedTuple):
    """An encoded event; `event_id` only where its decision is waited for."""

    role: TopicRole
    key: bytes
    value: bytes
    event_id: str = ""


def flood_events(count: int) -> list[Event]:
    """Return the demo's stream: `count` records, one account for every twenty."""
    return [Event(*row) for row in generate(count, _SEED, accounts=count // EVENTS_PER_ACCOUNT)]


def steady_events(count: int) -> list[Event]:
    """Return signups of `count` further accounts: each one causes a decision, its account's first."""
    signups = (d.fields for d in drafts(2 * count, _SEED + 1, accounts=count) if d.role == "signups")
    found = []
    for fields in signups:
        account, event_id = f"late-{fields['account_id']}", f"late-{fields['event_id']}"
        value = orjson.dumps({**fields, "account_id": account, "event_id": event_id})
        found.append(Event("signups", account.encode(), value, event_id))
    return found


def endless_events(run: str) -> Iterator[Event]:
    """Yield the demo's stream, round after round, each with other accounts and other dice.

    Args:
        run: Part of the accounts' ids, so that no other run has them.
    """
    for number in count():
        own = f"acct-{run}-{number}-".encode()
        accounts = _ROUND // EVENTS_PER_ACCOUNT
        for role, key, value in generate(_ROUND, _SEED + number, accounts=accounts):
            yield Event(role, key.replace(b"acct-", own), value.replace(b"acct-", own))


class Feeder:
    """Writes events to the partitions where Kafka's default partitioner puts their keys.

    Attributes:
        sent: Number of records handed to the producer, by role.
        sent_at: For events of the steady stream, when they were sent: `time.perf_counter`, by event id.
    """

    def __init__(self, producer: AIOKafkaProducer, topics: Topics) -> None:
        self._producer = producer
        self._topics: dict[TopicRole, str] = {
            "signups": topics.signups,
            "usage": topics.usage,
            "overrides": topics.overrides,
        }
        self._partitions = list(range(topics.partitions))
        self._places: dict[bytes, int] = {}
        self._deliveries: list[asyncio.Future[Any]] = []
        self.sent: Counter[str] = Counter()
        self.sent_at: dict[str, float] = {}

    @property
    def total(self) -> int:
        """Number of records handed to the producer."""
        return self.sent.total()

    async def flood(self, events: Iterable[Event]) -> None:
        """Send events as fast as it goes and wait until the broker has them all.

        Raises:
            KafkaError: A batch could not be delivered.
        """
        open_batches: dict[tuple[TopicRole, int], list[Event]] = {}
        for event in events:
            place = event.role, self._partition(event.key)
            batch = open_batches.setdefault(place, [])
            batch.append(event)
            if len(batch) == _BATCH:
                await self._send(*place, open_batches.pop(place))
        for (role, partition), batch in open_batches.items():
            await self._send(role, partition, batch)
        await self._settle()

    async def steady(self, events: Sequence[Event], rate: float) -> None:
        """Send events one by one, `rate` a second, and wait until the broker has them all.

        Raises:
            KafkaError: An event could not be delivered.
        """
        start = time.perf_counter()
        for number, event in enumerate(events):
            await asyncio.sleep(start + number / rate - time.perf_counter())  # at once when it is late
            self.sent_at[event.event_id] = time.perf_counter()
            self._deliveries.append(
                await self._producer.send(
                    self._topics[event.role], event.value, event.key, self._partition(event.key)
                )
            )
            self.sent[event.role] += 1
        await self._settle()

    async def flow(self, events: Iterator[Event], rate: float) -> None:
        """Send events, `rate` a second in small portions, as long as there are any, and wait for each portion.

        Raises:
            KafkaError: An event could not be delivered.
        """
        start, due = time.perf_counter(), 0
        while True:
            due = max(due + 1, int((time.perf_counter() - start) * rate))
            portion = list(islice(events, due - self.total))
            if not portion:
                return
            for event in portion:
                place = self._topics[event.role], event.value, event.key, self._partition(event.key)
                self._deliveries.append(await self._producer.send(*place))
                self.sent[event.role] += 1
            await self._settle()
            if len(self._places) > _ROUND:  # accounts come and go
                self._places.clear()
            await asyncio.sleep(max(_TICK_SECONDS, 1 / rate))

    async def _send(self, role: TopicRole, partition: int, events: Sequence[Event]) -> None:
        builder = self._producer.create_batch()
        for event in events:
            if builder.append(timestamp=None, key=event.key, value=event.value) is None:
                raise ValueError(f"{len(events)} events are too large for one batch")
        self._deliveries.append(
            await self._producer.send_batch(builder, self._topics[role], partition=partition)
        )
        self.sent[role] += len(events)
        await asyncio.sleep(0)  # sending may not have given way, and the view and the reader want their turn

    async def _settle(self) -> None:
        await asyncio.gather(*self._deliveries)
        self._deliveries.clear()

    def _partition(self, key: bytes) -> int:
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = DefaultPartitioner()(key, self._partitions, self._partitions)
        return place
