"""The service's loop: poll, hand batches to tasks, follow the group's assignments, drain on the way out."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from stream_enforcer.domain.events import EventKind
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.changelog import Restored
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.failures import Fatal
from stream_enforcer.kafka.intake import Intake
from stream_enforcer.kafka.lifetime import end_consumer_within, end_within
from stream_enforcer.kafka.ownership_feed import OwnershipFeed
from stream_enforcer.kafka.partition import Terms
from stream_enforcer.kafka.refusal import not_let_in
from stream_enforcer.kafka.surroundings import Surroundings
from stream_enforcer.kafka.task import Task
from stream_enforcer.kafka.topics import TopicsMismatch, check
from stream_enforcer.kafka.watch import Watch
from stream_enforcer.kafka.worlds import Worlds
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.observe.spans import NO_SPANS, Spans
from stream_enforcer.settings import Settings

log = structlog.get_logger(__name__)

STOP_SECONDS: Final = 3.0
COMMIT_SHARE, PRODUCER_SHARE, CONSUMER_SHARE, POLL_SHARE = 0.5, 0.15, 0.2, 0.1
"""How `drain_timeout_ms` is shared out: a Kafka that is away uses up each share, and the rest is for the process."""
BEAT_SECONDS: Final = 1.0
FIRST_BACKOFF: Final = 0.5
LAST_BACKOFF: Final = 10.0

Work = Callable[[], Awaitable[None]]


def input_kinds(settings: Settings) -> dict[str, EventKind]:
    """Return what each input topic carries."""
    topics = settings.topics
    return {topics.signups: "signup", topics.usage: "usage", topics.overrides: "override"}


def terms_of(settings: Settings) -> Terms:
    """Return what every partition is judged by."""
    return Terms(
        kinds=input_kinds(settings),
        emit=settings.emit,
        group=settings.kafka.group,
        poison=settings.poison,
        source=settings.cloudevents_source,
        traced=settings.tracing != "none",
    )


class Service(ConsumerRebalanceListener):  # type: ignore[misc]  # the client is untyped
    """One replica: a member of the consumer group, with one task per partition that it owns."""

    def __init__(
        self, settings: Settings, world: World, metrics: Metrics, health: Health, spans: Spans = NO_SPANS
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._health = health
        self._spans = spans
        self._clients = Clients(settings.kafka)
        self._terms = terms_of(settings)
        self._worlds = Worlds(world)
        self._tasks: dict[int, Task] = {}
        self._kept: dict[int, Restored] = {}
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None
        self._polling: asyncio.Task[None] | None = None
        self._feed = OwnershipFeed(self._clients, settings, self._worlds, metrics)
        self._worlds.listen(self._wake)

    def stop(self) -> None:
        """Ask the service to drain and end; returns at once."""
        self._stopping.set()

    async def run(self, *beside: Work) -> None:
        """Serve until `stop`.

        Args:
            beside: What else to do meanwhile; its failure ends the service.

        Raises:
            TopicsMismatch: A topic is missing or the partition counts differ.
            Refused: Kafka did not let it in, and would not without other settings.
            Fatal: The service cannot go on; its message says why.
        """
        beating = asyncio.create_task(self._beat(), name="beat")
        try:
            await self._connect()
            if not self._stopping.is_set():
                await self._serve(beside)
        finally:
            beating.cancel()
            await self._feed.stop()
        if self._failure is not None:
            raise self._failure

    @property
    def world(self) -> World:
        """The world in force."""
        return self._worlds.current

    async def rebase(self, world: World) -> None:
        """Put a world of other files in force, without a stop; live ownership statements go on amending it."""
        await self._feed.rebase(world)

    async def _serve(self, beside: Iterable[Work]) -> None:
        following = asyncio.create_task(self._beside(self._feed.follow))
        tasks = [asyncio.create_task(self._beside(work)) for work in (self._watch, *beside)]
        try:
            await self._loop()
        finally:
            for task in tasks:
                task.cancel()
            tasks.append(following)  # it is not cancelled: that could leave a connection behind
            await self._shut_down()
            await asyncio.wait(tasks, timeout=POLL_SHARE * self._settings.drain_timeout_ms / 1000)

    async def _beside(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - handed on: it ends the service
            self._fail(error)

    async def _connect(self) -> None:
        """Wait for Kafka, with growing pauses and one log line each, then check the topics and join."""
        backoff = FIRST_BACKOFF
        while not self._stopping.is_set():
            self._consumer = self._clients.group_consumer()
            try:
                partitions = await check(self._clients, self._settings.topics)
                await self._feed.start(partitions[self._settings.topics.ownership], self._stopping)
                await self._consumer.start()
            except (KafkaError, OSError) as error:
                await end_consumer_within(STOP_SECONDS, self._consumer)
                reason = self._health.kafka_unreachable_because = await not_let_in(error, self._settings)
                log.warning(
                    "Kafka is not reachable; trying again",
                    servers=self._settings.kafka.bootstrap_servers,
                    error=type(error).__name__,
                    reason=reason,
                    seconds=backoff,
                )
                await self._pause(backoff)
                backoff = min(2 * backoff, LAST_BACKOFF)
                continue
            except TopicsMismatch:
                await end_consumer_within(STOP_SECONDS, self._consumer)
                raise
            self._health.kafka_reachable, self._health.kafka_unreachable_because = True, None
            self._consumer.subscribe(list(self._terms.kinds), listener=self)
            return

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _loop(self) -> None:
        intake = Intake(self._settings, self._consumer, self._tasks_in_hand, self._health, self._metrics)
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        poll: asyncio.Task[None] | None = None
        while not self._stopping.is_set():
            if poll is None:
                poll = asyncio.create_task(intake.poll(), name="poll")
            # The poll is never cancelled: the client would count it as still waiting for ever. It ends when the
            # consumer stops.
            await asyncio.wait({poll, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if poll.done():
                try:
                    poll.result()
                except Fatal as error:
                    self._fail(error)
                poll = None
        stopping.cancel()
        self._polling = poll

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Commit what was gathered, within the drain time; states are kept for partitions that come back."""
        del revoked  # every rebalance revokes everything
        self._health.assigned = None
        await self._drain()

    async def _drain(self) -> None:
        seconds = self._settings.drain_timeout_ms / 1000
        tasks, self._tasks = self._tasks, {}
        shares = COMMIT_SHARE * seconds, PRODUCER_SHARE * seconds
        await asyncio.gather(*(task.drain(*shares) for task in tasks.values()))
        self._kept = {task.number: task.partition.restored for task in tasks.values()}

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Open a task per partition in the background. Heartbeats stand still meanwhile: it must be quick."""
        tps = list(assigned)
        self._consumer.pause(*tps)  # before any await: nothing may arrive from a position that is not ours
        for tp in tps:
            self._consumer.seek(tp, 0)  # a placeholder, so that the client looks up no committed offset
        numbers = frozenset(tp.partition for tp in tps)
        if len(tps) != len(numbers) * len(self._terms.kinds):
            self._fail(
                Fatal("the group assigned only some topics of a partition; do all members agree on them?")
            )
            return
        self._metrics.rebalances.inc()
        self._health.assign(numbers)
        self._health.restored.clear()
        shared = self._surroundings()
        self._metrics.topic_partitions.set(shared.partitions)
        for number in sorted(set(self._kept) - numbers):
            self._metrics.forget_partition(number)
        kept, self._kept = self._kept, {}
        self._tasks = {n: Task(n, shared, kept.get(n) or Restored()) for n in sorted(numbers)}
        self._metrics.partitions.set(len(numbers))
        log.info("assigned", partitions=sorted(numbers))

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            settings=self._settings,
            terms=self._terms,
            worlds=self._worlds,
            partitions=len(self._consumer.partitions_for_topic(self._settings.topics.signups) or ()),
            clients=self._clients,
            consumer=self._consumer,
            metrics=self._metrics,
            health=self._health,
            fatal=self._fail,
            spans=self._spans,
        )

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        self._stopping.set()

    def _tasks_in_hand(self) -> Mapping[int, Task]:
        return self._tasks  # of the latest assignment

    def _wake(self) -> None:
        for task in self._tasks.values():
            task.wake()

    async def _watch(self) -> None:
        await Watch(self._consumer, self._tasks_in_hand, self._clients, self._health, self._metrics).run()

    async def _beat(self) -> None:
        while True:
            self._health.beat(time.monotonic())
            await asyncio.sleep(BEAT_SECONDS)

    async def _shut_down(self) -> None:
        """End in `drain_timeout_ms`, whatever Kafka does."""
        seconds = self._settings.drain_timeout_ms / 1000
        await self._drain()
        share = CONSUMER_SHARE * seconds
        error, _ = await asyncio.gather(
            end_consumer_within(share, self._consumer), end_within(share, self._feed.stop())
        )
        if error is not None:
            log.warning("the consumer did not leave the group in time", error=error)
        if self._polling is not None:
            await asyncio.wait([self._polling], timeout=POLL_SHARE * seconds)
        log.info("stopped")
