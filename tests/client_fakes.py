"""Stand-ins for the Kafka clients that tests of the service's loop and tasks watch and steer."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from stream_enforcer.kafka.changelog import Checkpoint, Restored, WorldId
from stream_enforcer.kafka.partition import Terms
from stream_enforcer.kafka.surroundings import Surroundings
from stream_enforcer.kafka.task import Task
from stream_enforcer.kafka.worlds import Worlds
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.settings import Settings
from tests.builders import KINDS, world

WORLD: Final = world(())
WORLD_ID: Final = WorldId(WORLD.policy.hash, WORLD.reference_hash)
INPUTS: Final = [TopicPartition(topic, 0) for topic in KINDS]
OFFSETS: Final = {"signups": 7, "usage": 0, "overrides": 3}


class Consumer:
    """The group's consumer: notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.polls: list[asyncio.Future[Any]] = []
        self.most: list[int] = []
        self.refusal: BaseException | None = None
        self.fetched_at: int | None = None
        self.reachable = True
        self.polled = asyncio.Event()
        self.denial: BaseException | None = None
        self._coordinator = SimpleNamespace(check_errors=self._check_errors)
        self.resumed = asyncio.Event()

    def _check_errors(self) -> None:
        if self.denial is not None:
            raise self.denial

    def pause(self, *tps: TopicPartition) -> None:
        self.calls.append(("pause", tps))

    def resume(self, *tps: TopicPartition) -> None:
        self.calls.append(("resume", tps))
        self.resumed.set()

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.calls.append(("seek", (tp, offset)))

    def assignment(self) -> set[TopicPartition]:
        return set(INPUTS)

    def partitions_for_topic(self, _: str) -> set[int]:
        return {0}

    async def getmany(self, *_: TopicPartition, max_records: int, **__: int) -> Any:
        self.most.append(max_records)
        self.polls.append(asyncio.get_running_loop().create_future())
        self.polled.set()
        return await self.polls[-1]

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.calls.append(("commit", (offsets,)))
        if self.refusal is not None:
            raise self.refusal

    def highwater(self, _: TopicPartition) -> int:
        return 0

    def last_poll_timestamp(self, _: TopicPartition) -> int | None:
        return self.fetched_at

    async def topics(self) -> set[str]:
        if not self.reachable:
            raise OSError
        return set()

    def sought(self) -> dict[str, int]:
        return {args[0].topic: args[1] for name, args in self.calls if name == "seek"}


class Producer:
    """A transactional producer: every step goes well unless it is given something else to do."""

    def __init__(self, **steps: Callable[[], Any]) -> None:
        self.calls: list[str] = []
        self.fenced = False
        self.acks: list[asyncio.Future[Any]] = []
        self.steps = steps

    async def _step(self, name: str) -> None:
        self.calls.append(name)
        await self.steps.get(name, lambda: asyncio.sleep(0))()

    async def start(self) -> None:
        await self._step("start")

    async def stop(self) -> None:
        await self._step("stop")

    async def abandon(self) -> None:
        self.calls.append("abandon")

    async def begin_transaction(self) -> None:
        await self._step("begin")

    async def commit_transaction(self) -> None:
        await self._step("commit")

    async def send_offsets_to_transaction(self, *_: object) -> None:
        await self._step("offsets")

    def create_batch(self) -> Any:
        return SimpleNamespace(append=lambda **_: True, close=lambda: None, record_count=lambda: 1)

    async def send_batch(self, *_: object, **__: object) -> asyncio.Future[Any]:
        await self._step("send")
        ack = asyncio.get_running_loop().create_future()
        self.acks.append(ack)
        if "ack" not in self.steps:
            ack.set_result(SimpleNamespace(offset=0))
        return ack


def raises(error: BaseException) -> Callable[[], Any]:
    async def fail() -> None:
        raise error

    return fail


async def hangs() -> None:
    await asyncio.get_running_loop().create_future()


async def turns(number: int = 50) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


class IdleTask:
    """A task that takes records and does nothing."""

    def __init__(self, number: int, *_: object) -> None:
        self.number, self.ready = number, True
        self.standing = SimpleNamespace(epoch=0, running=True)
        self.inputs = [TopicPartition(topic, number) for topic in KINDS]
        self.partition = SimpleNamespace(expected=OFFSETS.get, in_flight=0)


class Stage:
    """A task and its producers, one after another; the changelog is at its end already."""

    def __init__(self, consumer: Consumer) -> None:
        self.consumer = consumer
        self.script: list[Producer] = []
        self.made: list[tuple[str | None, Producer]] = []
        self.fatal: list[BaseException] = []
        self.health = Health(0.0)
        self.task: Task | None = None

    def producer(self, transactional_id: str | None) -> Producer:
        self.made.append((transactional_id, self.script.pop(0) if self.script else Producer()))
        return self.made[-1][1]

    def open(self, *script: Producer, offsets: dict[str, int] | None = None) -> Task:
        self.script = list(script)
        terms = Terms(KINDS, "transitions", "g")
        metrics = Metrics(CollectorRegistry(), "1")
        clients: Any = SimpleNamespace(producer=self.producer)
        group: Any = self.consumer
        shared = Surroundings(
            Settings(), terms, Worlds(WORLD), 1, clients, group, metrics, self.health, self.fatal.append
        )
        checkpoint = Checkpoint(OFFSETS if offsets is None else offsets, 1, WORLD_ID)
        self.task = Task(0, shared, Restored(checkpoint=checkpoint))
        return self.task

    async def opened(self, producers: int) -> None:
        """Wait until the task runs with its so many-th producer."""
        async with asyncio.timeout(10):
            while len(self.made) < producers or self.task is None or not self.task.standing.running:
                self.consumer.resumed.clear()
                await self.consumer.resumed.wait()

    def gather(self) -> None:
        """Give the task something to commit."""
        assert self.task is not None
        self.task.partition.pending.moved("signups", 8, 1)
        self.task.gathered()
