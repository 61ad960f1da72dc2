"""The task of one partition: fence, restore, seek, resume; then one transaction after another."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced

from stream_enforcer.domain.account_state import encode
from stream_enforcer.kafka.changelog import (
    ACCOUNT_PREFIX,
    CHECKPOINT_KEY,
    Checkpoint,
    Restored,
    RestoreStalled,
    Sweep,
    WorldId,
    bounds,
    restore,
)
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.lifetime import START_SECONDS, end_within, start_within
from stream_enforcer.kafka.partition import SWEEP_CHUNK, Partition, Terms
from stream_enforcer.kafka.transaction import NO_HEADERS, Outgoing, commit
from stream_enforcer.kafka.work import Work, count_committed
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.settings import Settings

log = structlog.get_logger(__name__)

COMMIT_SECONDS: Final = 10.0
"""A commit slower than this has an unknown outcome: its producer is thrown away."""
STOP_SECONDS: Final = 2.0
TELL_GROUP_SECONDS: Final = 1.0
"""How often the group's offsets follow the checkpoint. They serve lag tools alone, and telling the group in
every transaction costs it two more round trips, one more marker, and the broker a third of its work."""
REBALANCE_SECONDS: Final = 30.0
FIRST_BACKOFF: Final = 0.1
LAST_BACKOFF: Final = 5.0

TRANSIENT: Final = (KafkaError, TimeoutError, OSError, RestoreStalled, AssertionError)
"""Retried from the changelog. The client checks its own state with assertions, so a dead sender shows as one."""


class Fatal(Exception):
    """The service must end; its message says what to do."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every task of a service shares."""

    settings: Settings
    terms: Terms
    world_id: WorldId
    partitions: int
    clients: Clients
    consumer: AIOKafkaConsumer
    metrics: Metrics
    health: Health
    fatal: Callable[[BaseException], None]


class Task:
    """Owns partition `number` of every co-partitioned topic, from an assignment to the next."""

    def __init__(self, number: int, shared: Surroundings, restored: Restored) -> None:
        self.number = number
        self.shared = shared
        self.partition = Partition(number, shared.terms, restored)
        self.epoch = 0
        self.running = False
        self._draining = False
        self._group_is_behind = False
        self._group_told_at = 0.0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._producer: AIOKafkaProducer | None = None
        self._runner = asyncio.create_task(self._run(), name=f"partition-{number}")
        self._runner.add_done_callback(self._ended)

    @property
    def inputs(self) -> list[TopicPartition]:
        """The input partitions of this task."""
        return [TopicPartition(topic, self.number) for topic in self.shared.terms.kinds]

    @property
    def ready(self) -> bool:
        """Whether the task takes records: it runs and has not gathered its fill."""
        return self.takes and not self._draining and not self.partition.pending.full

    @property
    def takes(self) -> bool:
        """Whether records that were already fetched may be judged: it runs, and no storm stopped it."""
        return self.running and self.partition.storm is None

    def gathered(self) -> None:
        """Wake the committer: there is work. Stop taking more where a storm began."""
        if self.partition.storm is not None:
            self._pause("dead_letters", f"dead letters: {self.partition.storm}")
            log.error(
                "partition paused: too many dead letters",
                partition=self.number,
                dead_letters=self.partition.storm,
            )
        self._idle.clear()
        self._wake.set()

    async def drain(self, seconds: float) -> None:
        """Take no more, commit what was gathered within a time, and end. What is not committed is dropped."""
        self._draining = True
        if self.running and self._group_is_behind:
            self._idle.clear()
        self._wake.set()
        if self.running:
            try:
                await asyncio.wait_for(self._idle.wait(), seconds)
            except TimeoutError:
                log.warning("drain incomplete; the work is judged again later", partition=self.number)
        self.running = False
        self._runner.cancel()
        await asyncio.wait([self._runner])
        await self._discard_producer()
        self.partition.drop()

    def _ended(self, runner: asyncio.Task[None]) -> None:
        if not self._draining and runner.cancelled():
            # A client that ends in a cancellation of its own making must not leave a partition standing still.
            self.shared.fatal(Fatal(f"the task of partition {self.number} was cancelled from within"))

    async def _run(self) -> None:
        backoff = FIRST_BACKOFF
        while True:
            try:
                await self._open()
                backoff = FIRST_BACKOFF
                await self._commit_forever()
            except (ProducerFenced, InvalidProducerEpoch):
                await self._lost()
                return
            except TRANSIENT as error:
                await self._reset("transient", error)
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, LAST_BACKOFF)
            except Exception as error:  # noqa: BLE001 - handed on: it ends the service
                self.running = False
                self.shared.fatal(error)
                return

    async def _open(self) -> None:
        """Fence the predecessor, bring the states up to date, seek to the checkpoint, resume."""
        shared = self.shared
        started = time.perf_counter()
        settings = shared.settings.kafka
        self._producer = shared.clients.producer(f"{settings.group}-{settings.environment}-{self.number}")
        await start_within(START_SECONDS, self._producer.start())
        changelog = TopicPartition(shared.settings.topics.accounts, self.number)
        await restore(shared.clients, changelog, self.partition.restored)
        self._refuse_another_partition_count()
        for tp, (begin, end) in (await bounds(shared.clients, self.inputs)).items():
            offset = self._start_offset(tp, begin, end)
            if self.partition.expected(tp.topic) is None:
                self.partition.pending.moved(tp.topic, offset, 0)
            shared.consumer.seek(tp, offset)
        await self._sweep()
        # A start that is not written down would be looked up anew after a failure, and have moved.
        if self.partition.pending.offsets:
            await self._commit()
        shared.consumer.resume(*self.inputs)
        self.running = True
        shared.health.restored.add(self.number)
        shared.health.paused.pop(self.number, None)
        shared.metrics.not_paused(self.number)
        accounts = len(self.partition.restored.accounts)
        shared.metrics.accounts.labels(str(self.number)).set(accounts)
        seconds = round(time.perf_counter() - started, 3)
        log.info("partition open", partition=self.number, accounts=accounts, seconds=seconds)

    def _refuse_another_partition_count(self) -> None:
        checkpoint, now = self.partition.restored.checkpoint, self.shared.partitions
        if checkpoint is not None and checkpoint.partitions != now:
            raise Fatal(
                f"the topics have {now} partitions, and the accounts were written when they had "
                f"{checkpoint.partitions}: accounts would be looked for in the wrong partition. Make topics of new "
                "names with the number you want, and let the service read the inputs again into them"
            )

    def _start_offset(self, tp: TopicPartition, begin: int, end: int) -> int:
        expected = self.partition.expected(tp.topic)
        if expected is None:
            return begin if self.shared.settings.start_from == "earliest" else end
        if begin <= expected <= end:
            return expected
        raise Fatal(
            f"{tp.topic}-{tp.partition}: the checkpoint wants offset {expected}, the topic holds {begin} to {end}: "
            "records were removed before they were judged, or the topic was made anew"
        )

    async def _sweep(self) -> None:
        """Judge every account again that was last judged in another world."""
        shared, partition = self.shared, self.partition
        checkpoint = partition.restored.checkpoint
        keys = partition.unswept(shared.world_id)
        if not keys or checkpoint is None:
            return
        kind = checkpoint.world.what_changed(shared.world_id)
        log.info("judging accounts again", partition=self.number, accounts=len(keys), changed=kind)
        offset = partition.restored.position
        for start in range(0, len(keys), SWEEP_CHUNK):
            chunk = keys[start : start + SWEEP_CHUNK]
            partition.look_again(chunk, kind, offset, _now_ms())
            if start + SWEEP_CHUNK < len(keys):
                partition.pending.sweep = Sweep(shared.world_id, chunk[-1].decode())
            await self._commit()

    async def _commit_forever(self) -> None:
        interval = self.shared.settings.commit_interval_ms / 1000
        while True:
            await self._work_or_time_to_tell_the_group()
            if interval and not self._draining and not self.partition.pending.full:
                await asyncio.sleep(interval)
            self._wake.clear()
            if self.partition.pending.offsets or self._group_to_be_told():
                await self._commit()
            if not self.partition.pending.offsets and not self._draining_untold():
                self._idle.set()

    async def _work_or_time_to_tell_the_group(self) -> None:
        if not self._group_is_behind:
            await self._wake.wait()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TELL_GROUP_SECONDS):
                await self._wake.wait()

    def _group_to_be_told(self) -> bool:
        waited = time.monotonic() - self._group_told_at >= TELL_GROUP_SECONDS
        return self._group_is_behind and (waited or self._draining)

    def _draining_untold(self) -> bool:
        return self._draining and self._group_is_behind

    async def _commit(self) -> None:
        shared, producer = self.shared, self._producer
        if producer is None:
            raise Fatal("a commit without a producer")
        started = time.perf_counter()
        self._group_is_behind = True
        tell = self._group_to_be_told()
        work = self.partition.next_work()
        checkpoint = self._checkpoint(work)
        offsets = {TopicPartition(t, self.number): offset for t, offset in checkpoint.offsets.items()}
        outgoing = self._outgoing(work, checkpoint)
        group = shared.settings.kafka.group
        # Not `wait_for`: it swallows a cancellation that comes when the commit has just ended.
        async with asyncio.timeout(COMMIT_SECONDS):
            after = await commit(producer, self.number, outgoing, offsets if tell else {}, group)
        self.partition.committed()
        self.partition.restored.checkpoint = checkpoint
        self.partition.restored.position = after
        if tell:
            self._group_is_behind, self._group_told_at = False, time.monotonic()
        accounts = len(self.partition.restored.accounts)
        count_committed(shared.metrics, self.number, work, accounts, time.perf_counter() - started)

    def _checkpoint(self, work: Work) -> Checkpoint:
        before = self.partition.restored.checkpoint
        offsets = {**(before.offsets if before else {}), **work.offsets}
        if work.sweep is not None and before is not None:
            return Checkpoint(offsets, before.partitions, before.world, work.sweep)
        return Checkpoint(offsets, self.shared.partitions, self.shared.world_id)

    def _outgoing(self, work: Work, checkpoint: Checkpoint) -> list[Outgoing]:
        topics = self.shared.settings.topics
        outgoing = []
        if work.dead_letters:
            outgoing.append(Outgoing(topics.dead_letters, work.dead_letters))
        if work.decisions:
            decisions = ((key, value, NO_HEADERS) for key, value in work.decisions)
            outgoing.append(Outgoing(topics.decisions, decisions))
        states = ((ACCOUNT_PREFIX + key, encode(account), NO_HEADERS) for key, account in work.states.items())
        position = (CHECKPOINT_KEY, checkpoint.encode(), NO_HEADERS)
        return [*outgoing, Outgoing(topics.accounts, chain(states, [position]))]

    async def _reset(self, why: str, error: BaseException) -> None:
        """Drop what is not committed and the producer, and stand still until opened again."""
        committing = self.partition.committing is not None
        self._stand_still(why, f"{why}: {type(error).__name__}")
        self.partition.drop()
        await self._discard_producer()
        if committing:
            self.shared.metrics.transactions.labels("unknown").inc()
        log.warning(
            "partition reset; opening it again",
            partition=self.number,
            error=type(error).__name__,
            message=str(error)[:200],
        )

    async def _lost(self) -> None:
        """Another producer has this partition: never fence it back; the group will say who owns it."""
        # Said before any await: standing still lets a drain end, which cancels this.
        self.shared.metrics.transactions.labels("fenced").inc()
        log.error("fenced: another replica owns this partition", partition=self.number)
        self._stand_still("fenced", "fenced by another owner")
        self.partition.drop()
        await self._discard_producer()
        # The group's next assignment ends this task. Without one, it is not the group that gave the partition away.
        await asyncio.sleep(self.shared.settings.kafka.session_timeout_ms / 1000 + REBALANCE_SECONDS)
        self.shared.fatal(
            Fatal(
                f"partition {self.number} is fenced by another producer, and the group still gives it to this "
                "replica: does another service run with the same kafka.group and kafka.environment?"
            )
        )

    def _stand_still(self, kind: str, why: str) -> None:
        self.epoch += 1
        self.running = False
        self._idle.set()
        self.shared.health.restored.discard(self.number)
        self._pause(kind, why)

    def _pause(self, kind: str, why: str) -> None:
        self.shared.health.paused[self.number] = why
        self.shared.metrics.paused(self.number, kind)
        assigned = self.shared.consumer.assignment()
        self.shared.consumer.pause(*(tp for tp in self.inputs if tp in assigned))

    async def _discard_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            error = await end_within(STOP_SECONDS, producer.stop())
            if error is not None:  # the next owner's start settles whatever it left open
                log.debug("producer did not stop", partition=self.number, error=error)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
