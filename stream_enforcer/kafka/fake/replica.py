"""One replica of the service over the broker in memory: the real tasks, and a group that does as it is told."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from stream_enforcer.domain.account import Account
from stream_enforcer.domain.cost import Spent
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.changelog import Checkpoint, Restored
from stream_enforcer.kafka.fake.broker import FakeBroker
from stream_enforcer.kafka.fake.clients import FakeClients
from stream_enforcer.kafka.fake.host import Host
from stream_enforcer.kafka.ownership_feed import OwnershipFeed
from stream_enforcer.kafka.service import terms_of
from stream_enforcer.kafka.surroundings import Surroundings
from stream_enforcer.kafka.task import Task
from stream_enforcer.kafka.worlds import Amended, Placed, Worlds
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.observe.spans import NO_SPANS, Spans
from stream_enforcer.settings import Settings


class Replica:
    """A process with one task per partition. Every method runs inside the loop.

    Attributes:
        host: What can go wrong in it.
        failure: Why it ended itself, or None.
    """

    def __init__(self, settings: Settings, world: World, broker: FakeBroker, spans: Spans = NO_SPANS) -> None:
        self.host = Host()
        self.failure: BaseException | None = None
        clients = FakeClients(settings.kafka, broker, self.host)
        topics = settings.topics
        terms = terms_of(settings)
        self._kinds = terms.kinds
        self._consumer = clients.group_consumer()
        metrics = Metrics(CollectorRegistry(), version("stream-enforcer"))
        worlds = Worlds(world)
        worlds.listen(self._wake)
        # Its clients have a host of their own, which never goes down: a dead replica is not fed.
        feeding = FakeClients(settings.kafka, broker)
        self._ownership = OwnershipFeed(feeding, settings, worlds, metrics, run=_at_once)
        self._shared = Surroundings(
            settings=settings,
            terms=terms,
            worlds=worlds,
            partitions=topics.partitions,
            clients=clients,
            consumer=self._consumer,
            metrics=metrics,
            health=Health(0.0),
            fatal=self._end,
            spans=spans,
        )
        self._tasks: list[Task] = []

    @property
    def world(self) -> World:
        """The world in force."""
        return self._shared.worlds.current

    async def start(self) -> None:
        """Read the ownership topic, then take every partition, without memory."""
        await self._ownership.start(1, asyncio.Event())
        self.open()

    async def rebase(self, world: World) -> None:
        """Put a world of other files in force."""
        await self._ownership.rebase(world)

    def open(self, restored: Iterable[Restored] | None = None) -> None:
        """Take every partition, as a new assignment does; without memory unless given what was kept."""
        numbers = range(self._shared.settings.topics.partitions)
        kept = [Restored() for _ in numbers] if restored is None else restored
        tps = [TopicPartition(topic, number) for topic in self._kinds for number in numbers]
        self._consumer.assign(tps)
        self._consumer.pause(*tps)
        for tp in tps:
            self._consumer.seek(tp, 0)
        self._tasks = [Task(n, self._shared, memory) for n, memory in zip(numbers, kept, strict=True)]

    async def feed(self, now_ms: int) -> bool:
        """Hand over records one at a time, oldest first, with a turn between; tell whether there was any.

        So a task judges its next record while it commits the last one.
        """
        fed = False
        took = True
        while took:
            took = bool(await self._ownership.poll(0))
            took |= bool(sum(self._hand_over(task, now_ms) for task in self._tasks if task.ready))
            fed |= took
            await asyncio.sleep(0)
        return fed

    async def reopen(self) -> None:
        """Drain and open again with what is in memory, as a rebalance that gives all back does."""
        seconds = self._shared.settings.drain_timeout_ms / 1000
        await asyncio.gather(*(task.drain(seconds, seconds) for task in self._tasks))
        self.open([task.partition.restored for task in self._tasks])

    async def die(self) -> None:
        """End at once, without a word to the broker."""
        self.host.down = True
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def account(self, key: bytes, partition: int) -> Account | None:
        """Return an account's committed state from memory."""
        return self._tasks[partition].partition.restored.accounts.get(key)

    def spent(self, key: bytes, partition: int) -> Spent | None:
        """Return what an account spent, of what was committed, from memory."""
        return self._tasks[partition].partition.restored.costs.get(key)

    def suspended_cost(self) -> dict[tuple[str, str], int]:
        """Return what suspended accounts cost in a month, in micro-dollars, by rule and jurisdiction."""
        micros: Counter[tuple[str, str]] = Counter()
        for task in self._tasks:
            micros.update(task.suspended_cost.micros)
        return dict(+micros)

    def checkpoint(self, partition: int) -> Checkpoint | None:
        """Return the last committed checkpoint, from memory."""
        return self._tasks[partition].partition.restored.checkpoint

    def _hand_over(self, task: Task, now_ms: int) -> bool:
        record = self._consumer.take_oldest(task.inputs)
        if record is None:
            return False
        task.partition.take(record.topic, [record], now_ms)
        task.gathered()
        return True

    def _wake(self) -> None:
        for task in self._tasks:
            task.wake()

    def _end(self, error: BaseException) -> None:
        if not self.host.down and self.failure is None:
            self.failure = error


async def _at_once(work: Callable[[Sequence[Placed]], Amended], batch: Sequence[Placed]) -> Amended:
    return work(batch)
