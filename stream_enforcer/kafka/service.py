"""The service's loop: poll, hand batches to tasks, follow the group's assignments, drain on the way out."""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Final

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from stream_enforcer.domain.events import EventKind
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.changelog import Accounts, Restored, WorldId
from stream_enforcer.kafka.client import Clients, raise_group_error
from stream_enforcer.kafka.denials import Denials
from stream_enforcer.kafka.failures import Fatal
from stream_enforcer.kafka.lifetime import end_within
from stream_enforcer.kafka.partition import Terms
from stream_enforcer.kafka.refusal import not_let_in
from stream_enforcer.kafka.surroundings import Surroundings
from stream_enforcer.kafka.task import Task
from stream_enforcer.kafka.topics import TopicsMismatch, check
from stream_enforcer.kafka.watch import Watch
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.settings import Settings

log = structlog.get_logger(__name__)

POLL_MS: Final = 100
CHUNK: Final = 200
"""Records judged between two turns of the event loop. A commit takes about ten turns, so larger chunks make it
slow under load, and past its deadline in the end."""
BAD_POLLS_SECONDS: Final = 30.0
"""Polls that fail this long do not mend: the client's group membership is dead, or records were removed."""
STOP_SECONDS: Final = 3.0
COMMIT_SHARE, PRODUCER_SHARE, CONSUMER_SHARE, POLL_SHARE = 0.5, 0.15, 0.2, 0.1
"""How `drain_timeout_ms` is shared out: a Kafka that is away uses up each share, and the rest is for the process."""
BEAT_SECONDS: Final = 1.0
DENIED_SECONDS: Final = 1.0
"""Between two polls where a right is missing."""
FIRST_BACKOFF: Final = 0.5
LAST_BACKOFF: Final = 10.0


def input_kinds(settings: Settings) -> dict[str, EventKind]:
    """Return what each input topic carries."""
    topics = settings.topics
    return {topics.signups: "signup", topics.usage: "usage", topics.overrides: "override"}


class Service(ConsumerRebalanceListener):  # type: ignore[misc]  # the client is untyped
    """One replica: a member of the consumer group, with one task per partition that it owns."""

    def __init__(self, settings: Settings, world: World, metrics: Metrics, health: Health) -> None:
        self._settings = settings
        self._metrics = metrics
        self._health = health
        self._clients = Clients(settings.kafka)
        self._terms = Terms(
            world,
            input_kinds(settings),
            settings.emit,
            settings.kafka.group,
            settings.topics.accounts,
            settings.poison,
        )
        self._world = world
        self._tasks: dict[int, Task] = {}
        self._kept: dict[int, Restored] = {}
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None
        self._polled_at = time.monotonic()
        self._denials = Denials(settings, health)

    def stop(self) -> None:
        """Ask the service to drain and end; returns at once."""
        self._stopping.set()

    async def run(self) -> None:
        """Serve until `stop`.

        Raises:
            TopicsMismatch: A topic is missing or the partition counts differ.
            Refused: Kafka did not let it in, and would not without other settings.
            Fatal: The service cannot go on; its message says why.
        """
        beating = asyncio.create_task(self._beat(), name="beat")
        try:
            await self._connect()
            if not self._stopping.is_set():
                await self._serve()
        finally:
            beating.cancel()
        if self._failure is not None:
            raise self._failure

    async def _serve(self) -> None:
        watch = asyncio.create_task(self._watch(), name="watch")
        try:
            await self._loop()
        finally:
            watch.cancel()
            await self._shut_down()

    async def _connect(self) -> None:
        """Wait for Kafka, with growing pauses and one log line each, then check the topics and join."""
        backoff = FIRST_BACKOFF
        while not self._stopping.is_set():
            self._consumer = self._clients.group_consumer()
            try:
                await check(self._clients, self._settings.topics)
                await self._consumer.start()
            except (KafkaError, OSError) as error:
                await end_within(STOP_SECONDS, self._consumer.stop())
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
                await end_within(STOP_SECONDS, self._consumer.stop())
                raise
            self._health.kafka_reachable, self._health.kafka_unreachable_because = True, None
            self._consumer.subscribe(list(self._terms.kinds), listener=self)
            return

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _loop(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        poll: asyncio.Task[None] | None = None
        while not self._stopping.is_set():
            if poll is None:
                poll = asyncio.create_task(self._poll(), name="poll")
            # The poll is never cancelled: the client would count it as still waiting for ever. It ends when the
            # consumer stops.
            await asyncio.wait({poll, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if poll.done():
                poll.result()
                poll = None
        stopping.cancel()
        self._polling = poll

    async def _poll(self) -> None:
        ready = {task.number: task.standing.epoch for task in self._tasks.values() if task.ready}
        tps = [tp for number in ready for tp in self._tasks[number].inputs]
        room = self._settings.max_in_flight_records - sum(
            task.partition.in_flight for task in self._tasks.values()
        )
        try:
            if not tps or room <= 0:
                raise_group_error(self._consumer)
                self._denials.passed()
                self._polled_at = time.monotonic()
                await asyncio.sleep(0.005)
                return
            batches = await self._consumer.getmany(*tps, timeout_ms=POLL_MS, max_records=room)
        except KafkaError as error:
            # The client has moved positions past records that it then dropped.
            self._seek_back(ready)
            await self._poll_failed(error)
            return
        self._denials.passed()
        self._polled_at = time.monotonic()
        self._metrics.last_poll.set(time.time())
        for tp, records in batches.items():
            await self._hand_over(tp, records, ready[tp.partition])

    async def _poll_failed(self, error: KafkaError) -> None:
        if self._denials.met(error):
            self._polled_at = time.monotonic()  # no reason to end: a restart gives no rights
            await self._pause(DENIED_SECONDS)
            return
        log.warning("poll failed; seeking back", error=type(error).__name__, message=str(error)[:200])
        if time.monotonic() - self._polled_at > BAD_POLLS_SECONDS:
            self._fail(
                Fatal(f"no poll has succeeded for {BAD_POLLS_SECONDS:.0f} s; the last error: {error!r}")
            )
        await asyncio.sleep(POLL_MS / 1000)

    async def _hand_over(self, tp: TopicPartition, records: list[object], epoch: int) -> None:
        for start in range(0, len(records), CHUNK):
            task = self._tasks.get(tp.partition)
            if task is None or task.standing.epoch != epoch or not task.takes:
                return  # it was reset, stopped or revoked meanwhile; opening it seeks to its checkpoint
            started = time.perf_counter()
            task.partition.take(tp.topic, records[start : start + CHUNK], time.time_ns() // 1_000_000)
            self._metrics.step_seconds.observe(time.perf_counter() - started)
            task.gathered()
            await asyncio.sleep(0)

    def _seek_back(self, numbers: Iterable[int]) -> None:
        assigned = self._consumer.assignment()
        for number in numbers:
            task = self._tasks.get(number)
            if task is None or not task.standing.running:
                continue
            for tp in task.inputs:
                expected = task.partition.expected(tp.topic)
                if tp in assigned and expected is not None:
                    self._consumer.seek(tp, expected)

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
        for number in sorted(set(self._kept) - numbers):
            self._metrics.forget_partition(number)
        kept, self._kept = self._kept, {}
        self._tasks = {n: Task(n, shared, kept.get(n) or Restored(Accounts())) for n in sorted(numbers)}
        self._metrics.partitions.set(len(numbers))
        log.info("assigned", partitions=sorted(numbers))

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            settings=self._settings,
            terms=self._terms,
            world_id=WorldId(self._world.policy.hash, self._world.reference_hash),
            partitions=len(self._consumer.partitions_for_topic(self._settings.topics.signups) or ()),
            clients=self._clients,
            consumer=self._consumer,
            metrics=self._metrics,
            health=self._health,
            fatal=self._fail,
        )

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        self._stopping.set()

    def _owned(self) -> Iterable[Task]:
        return self._tasks.values()  # of the latest assignment, so no bound method of one dictionary

    async def _watch(self) -> None:
        watch = Watch(self._consumer, self._owned, self._clients, self._health, self._metrics)
        try:
            await watch.run()
        except Fatal as error:
            self._fail(error)

    async def _beat(self) -> None:
        while True:
            self._health.beat(time.monotonic())
            await asyncio.sleep(BEAT_SECONDS)

    async def _shut_down(self) -> None:
        """End in `drain_timeout_ms`, whatever Kafka does."""
        seconds = self._settings.drain_timeout_ms / 1000
        await self._drain()
        error = await end_within(CONSUMER_SHARE * seconds, self._consumer.stop())
        if error is not None:
            log.warning("the consumer did not leave the group in time", error=error)
        if self._polling is not None:
            await asyncio.wait([self._polling], timeout=POLL_SHARE * seconds)
        log.info("stopped")
