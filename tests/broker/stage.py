"""A topic set of its own on the real broker, and what tests do with it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4
from zlib import crc32

import orjson
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import NewPartitions, NewTopic
from prometheus_client import CollectorRegistry

from stream_enforcer.domain.world import World
from stream_enforcer.kafka.changelog import CHECKPOINT_KEY, Checkpoint, bounds
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within
from stream_enforcer.kafka.service import Service
from stream_enforcer.kafka.topics import co_partitioned, create, partition_counts
from stream_enforcer.observe.health import Health, ready
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.settings import Kafka, Settings, Topics
from tests.builders import Json

DEADLINE = 30.0
PARTITIONS = 4
ROLES = {"signup": "signups", "usage": "usage", "override": "overrides"}


@dataclass(frozen=True)
class Running:
    """A service that runs in this process."""

    service: Service
    metrics: Metrics
    health: Health
    task: asyncio.Task[None]

    def ready(self) -> bool:
        if self.task.done():
            self.task.result()
        return ready(self.health, time.monotonic()).ok

    def consumed(self) -> float:
        return self.total("stream_enforcer_records_consumed_total")

    async def all_consumed(self, count: int) -> None:
        """Wait until that many records are committed."""
        await until(lambda: self.consumed() == count)

    def total(self, name: str) -> float:
        families = self.metrics.registry.collect()
        return sum(s.value for family in families for s in family.samples if s.name == name)

    async def stop(self) -> None:
        self.service.stop()
        await self.task


@dataclass(frozen=True)
class Stage:
    """Topics of one test."""

    settings: Settings

    @property
    def topics(self) -> Topics:
        return self.settings.topics

    @property
    def clients(self) -> Clients:
        return Clients(self.settings.kafka)

    def topic(self, event: Json) -> str:
        name: str = getattr(self.topics, ROLES[event["type"]])
        return name

    async def send(self, events: Iterable[Json]) -> int:
        """Produce events to the partitions of their accounts; return how many."""
        return await self.send_raw(
            (self.topic(event), event["account_id"].encode(), orjson.dumps(event)) for event in events
        )

    async def send_raw(self, records: Iterable[tuple[str, bytes | None, bytes | None]]) -> int:
        producer = self.clients.producer(None)
        await producer.start()
        count = 0
        try:
            for topic, key, value in records:
                await producer.send(topic, value, key, partition=crc32(key or b"") % self.topics.partitions)
                count += 1
            await producer.flush()
        finally:
            await producer.stop()
        return count

    async def make_topic(self, name: str, partitions: int) -> None:
        admin = self.clients.admin()
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, partitions, 1)])
        finally:
            await admin.close()
        await self._until_visible(name, visible=True)

    async def widen_topics(self, partitions: int) -> None:
        """Give every topic that the service uses that many partitions."""
        admin = self.clients.admin()
        await admin.start()
        try:
            await admin.create_partitions(
                {name: NewPartitions(partitions) for name in co_partitioned(self.topics)}
            )
        finally:
            await admin.close()

        async def told() -> bool:
            counts = await partition_counts(self.clients)
            return {counts[name] for name in co_partitioned(self.topics)} == {partitions}

        await until(told)

    async def remove_topic(self, name: str) -> None:
        admin = self.clients.admin()
        await admin.start()
        try:
            await admin.delete_topics([name])
        finally:
            await admin.close()
        await self._until_visible(name, visible=False)

    async def _until_visible(self, name: str, *, visible: bool) -> None:
        async def told() -> bool:
            return (name in await partition_counts(self.clients)) is visible

        await until(told)

    async def read(self, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
        """Read every committed record of a topic, partition by partition."""
        tps = [TopicPartition(topic, p) for p in range(self.topics.partitions)]
        ends = {tp: end for tp, (_, end) in (await bounds(self.clients, tps)).items()}
        reader = self.clients.reader()
        await reader.start()
        found: list[ConsumerRecord[bytes, bytes]] = []
        try:
            reader.assign(tps)
            for tp in tps:
                reader.seek(tp, 0)
            while any([await reader.position(tp) < ends[tp] for tp in tps]):
                for records in (await reader.getmany(timeout_ms=100)).values():
                    found += records
        finally:
            await end_within(CLOSE_SECONDS, reader.stop())
        return sorted(found, key=lambda r: (r.partition, r.offset))

    async def decisions(self) -> list[Json]:
        return [orjson.loads(record.value) for record in await self.read(self.topics.decisions)]

    async def checkpoints(self) -> dict[int, Checkpoint]:
        """Return the last committed checkpoint of each partition."""
        records = await self.read(self.topics.accounts)
        return {r.partition: Checkpoint.decode(r.value) for r in records if r.key == CHECKPOINT_KEY}

    async def committed(self) -> dict[tuple[str, int], int]:
        """Return the group's committed offsets of the inputs."""
        admin = self.clients.admin()
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self.settings.kafka.group)
        finally:
            await admin.close()
        return {(tp.topic, tp.partition): meta.offset for tp, meta in offsets.items()}

    async def open_transactions(self) -> list[str]:
        """Return the output partitions whose last stable offset is not their end."""
        outputs = (self.topics.decisions, self.topics.accounts, self.topics.dead_letters)
        tps = [TopicPartition(topic, p) for topic in outputs for p in range(self.topics.partitions)]
        high = await bounds(self.clients, tps)
        reader = self.clients.reader("read_committed")
        await reader.start()
        try:
            stable = await reader.end_offsets(tps)
        finally:
            await end_within(CLOSE_SECONDS, reader.stop())
        return [f"{tp.topic}-{tp.partition}" for tp in tps if stable[tp] != high[tp][1]]

    @asynccontextmanager
    async def running(self, world: World, **changes: Any) -> AsyncIterator[Running]:
        """Run a service in this process until the block ends; it must drain without error."""
        settings = self.settings.model_copy(update=changes)
        metrics = Metrics(CollectorRegistry(), "test")
        health = Health(time.monotonic())
        health.reference_loaded = True
        service = Service(settings, world, metrics, health)
        running = Running(service, metrics, health, asyncio.create_task(service.run()))
        try:
            yield running
        finally:
            await running.stop()


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = DEADLINE) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while True:
        held = condition()
        if isinstance(held, Awaitable):
            held = await held
        if held:
            return
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true in time")
        await asyncio.sleep(0.05)


def broken_chains(decisions: Iterable[Json]) -> list[str]:
    """Say where an account's decisions have a gap, a repeat, or a link that does not fit."""
    chains: dict[str, list[Json]] = defaultdict(list)
    for decision in decisions:
        chains[decision["account_id"]].append(decision)
    faults = []
    for account, chain in chains.items():
        before: Json | None = None
        for place, decision in enumerate(chain, start=1):
            expected = (place, before and before["decision_id"], before and before["action"])
            said = (decision["sequence"], decision["supersedes"], decision["previous_action"])
            if said != expected:
                faults.append(f"{account} at {place}: {said} instead of {expected}")
            before = decision
    return faults


async def make_stage(servers: str, **kafka: Any) -> Stage:
    """Create a set of topics with names of its own."""
    name = f"t-{uuid4().hex[:10]}"
    shape = ("partitions", "replication")
    names = {
        field: f"{name}-{field.replace('_', '-')}" for field in Topics.model_fields if field not in shape
    }
    settings = Settings(
        kafka=Kafka(bootstrap_servers=servers, group=name, session_timeout_ms=6_000, **kafka),
        topics=Topics(**names, partitions=PARTITIONS),
    )
    stage = Stage(settings)
    await create(stage.clients, stage.topics)
    return stage
