"""The task of one partition: fence, restore, seek, resume; then one transaction after another."""

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

import structlog
from aiokafka import TopicPartition

from stream_enforcer.kafka.access import lacking
from stream_enforcer.kafka.changelog import Checkpoint, Restored, bounds, restore
from stream_enforcer.kafka.client import FENCED
from stream_enforcer.kafka.expiry import Expiry
from stream_enforcer.kafka.failures import TRANSIENT, Fatal, GivenAway
from stream_enforcer.kafka.lifetime import START_SECONDS, end_producer_within, start_within
from stream_enforcer.kafka.membership import require_ownership
from stream_enforcer.kafka.opening import refuse_another_partition_count, start_offset
from stream_enforcer.kafka.partition import Partition
from stream_enforcer.kafka.publication import next_checkpoint, outgoing
from stream_enforcer.kafka.second_looks import SecondLooks
from stream_enforcer.kafka.standing import Standing
from stream_enforcer.kafka.surroundings import Surroundings
from stream_enforcer.kafka.suspended_cost import SuspendedCost
from stream_enforcer.kafka.transaction import commit
from stream_enforcer.kafka.work import count_committed

if TYPE_CHECKING:
    from stream_enforcer.kafka.client import Producer

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
OWNED_BY_ANOTHER: Final = (*FENCED, GivenAway)


class Task:
    """Owns partition `number` of every co-partitioned topic, from an assignment to the next.

    Attributes:
        inputs: The input partitions.
        partition: States and work.
        standing: Whether it runs.
        suspended_cost: What its suspended accounts cost.
    """

    def __init__(self, number: int, shared: Surroundings, restored: Restored) -> None:
        self.number = number
        self.shared = shared
        self.inputs = [TopicPartition(topic, number) for topic in shared.terms.kinds]
        self.partition = Partition(number, shared.terms, shared.worlds.current, restored)
        self.standing = Standing(number, self.inputs, shared.consumer, shared.health, shared.metrics)
        self._expiry = Expiry(shared.settings.account_retention_days)
        self._second_looks = SecondLooks(self.partition, shared.worlds, shared.settings.topics)
        self.suspended_cost = SuspendedCost(self.partition)
        self._has_more_to_do = False
        self._draining = False
        self._group_is_behind = False
        self._group_told_at = 0.0
        self._read_to: int | None = None
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._producer: Producer | None = None
        self._runner = asyncio.create_task(self._run(), name=f"partition-{number}")
        self._runner.add_done_callback(self._ended)

    @property
    def ready(self) -> bool:
        """Whether the task takes records: it runs and has not gathered its fill."""
        return self.takes and not self._draining and not self.partition.pending.full

    @property
    def takes(self) -> bool:
        """Whether records that were already fetched may be judged: it runs, and no storm stopped it."""
        return self.standing.running and self.partition.storm is None

    def gathered(self) -> None:
        """Wake the committer: there is work. Stop taking more where a storm began."""
        if self.partition.storm is not None:
            self.standing.pause("dead_letters", f"dead letters: {self.partition.storm}")
            log.error(
                "partition paused: too many dead letters",
                partition=self.number,
                dead_letters=self.partition.storm,
            )
        self._idle.clear()
        self._wake.set()

    def wake(self) -> None:
        """Look whether there is anything to do: the world may have changed."""
        self._wake.set()

    async def drain(self, commit_seconds: float, stop_seconds: float) -> None:
        """Take no more, commit what was gathered, and end. What is not committed is dropped.

        Args:
            commit_seconds: Time for the last commit.
            stop_seconds: Time for the producer to end.
        """
        self._draining = True
        if self.standing.running and self._group_is_behind:
            self._idle.clear()
        self._wake.set()
        if self.standing.running:
            try:
                await asyncio.wait_for(self._idle.wait(), commit_seconds)
            except TimeoutError:
                log.warning("drain incomplete; the work is judged again later", partition=self.number)
        self.standing.running = False
        self._runner.cancel()
        await asyncio.wait([self._runner])
        await self._discard_producer(stop_seconds)
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
            except (*OWNED_BY_ANOTHER, *TRANSIENT) as error:
                if isinstance(error, OWNED_BY_ANOTHER) or (self._producer and self._producer.fenced):
                    await self._lost(error)
                    return
                await self._reset(error)
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, LAST_BACKOFF)
            except Exception as error:  # noqa: BLE001 - handed on: it ends the service
                self.standing.running = False
                self.shared.fatal(error)
                return

    async def _open(self) -> None:
        """Fence the predecessor, bring the states up to date, seek to the checkpoint, resume."""
        shared, restored = self.shared, self.partition.restored
        started = time.perf_counter()
        self.standing.opens()
        await self._start_producer()
        changelog = TopicPartition(shared.settings.topics.accounts, self.number)
        await restore(shared.clients, changelog, restored)
        refuse_another_partition_count(restored.checkpoint, shared.partitions)
        self._read_to = restored.position
        await self._seek()
        self._second_looks.open(restored.checkpoint)
        self.suspended_cost.open()
        # A start that is not written down would be looked up anew after a failure, and have moved.
        if self.partition.pending.offsets:
            await self._commit()
        accounts = len(restored.accounts)
        self.standing.run(accounts)
        self._wake.set()
        seconds = round(time.perf_counter() - started, 3)
        log.info("partition open", partition=self.number, accounts=accounts, seconds=seconds)

    async def _start_producer(self) -> None:
        """Start a producer, which fences every earlier one; after a failure only if the group agrees."""
        shared, checkpoint = self.shared, self.partition.restored.checkpoint
        if self.standing.epoch and checkpoint is not None:
            await require_ownership(shared.consumer, self._offsets(checkpoint))
        settings = shared.settings.kafka
        self._producer = shared.clients.producer(f"{settings.group}-{settings.environment}-{self.number}")
        await start_within(START_SECONDS, self._producer.start())

    async def _seek(self) -> None:
        shared, partition = self.shared, self.partition
        for tp, held in (await bounds(shared.clients, self.inputs)).items():
            expected = partition.expected(tp.topic)
            offset = start_offset(tp, expected, held, shared.settings.start_from)
            if expected is None:
                partition.pending.moved(tp.topic, offset, 0)
            shared.consumer.seek(tp, offset)

    def _offsets(self, checkpoint: Checkpoint) -> dict[TopicPartition, int]:
        return {TopicPartition(topic, self.number): offset for topic, offset in checkpoint.offsets.items()}

    async def _commit_forever(self) -> None:
        interval = self.shared.settings.commit_interval_ms / 1000
        while True:
            await self._work_or_time_to_tell_the_group()
            if interval and not self._draining and not self.partition.pending.full:
                await asyncio.sleep(interval)
            self._wake.clear()
            self._has_more_to_do = not self._draining and self._work_of_its_own()
            if self.partition.pending or self._group_to_be_told() or self._has_looked_at_all():
                await self._commit()
            if not self.partition.pending and not self._draining_untold():
                self._idle.set()

    def _work_of_its_own(self) -> bool:
        """Add to the pending work what no record asks for; tell whether there is more to do."""
        now = _now_ms()
        more = [
            self._second_looks.work(now),
            self._expiry.work(self.partition, now),
            self.suspended_cost.work(),
        ]
        return any(more)

    def _has_looked_at_all(self) -> bool:
        """Tell whether a round of second looks has ended and the checkpoint does not say so."""
        checkpoint, (world, sweep) = self.partition.restored.checkpoint, self._second_looks.progress
        return checkpoint is not None and sweep is None and checkpoint.world != world

    async def _work_or_time_to_tell_the_group(self) -> None:
        if self._has_more_to_do:
            await asyncio.sleep(0)  # others have their turn though nothing is committed in between
            return
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
        partition, restored = self.partition, self.partition.restored
        work = partition.next_work()
        progress = self._second_looks.progress
        checkpoint = next_checkpoint(restored.checkpoint, work, shared.partitions, progress)
        offsets = self._offsets(checkpoint) if tell else {}
        entries = outgoing(work, checkpoint, shared.settings.topics)
        group = shared.settings.kafka.group
        # Not `wait_for`: it swallows a cancellation that comes when the commit has just ended.
        with shared.spans.transaction(self.number, work):
            async with asyncio.timeout(COMMIT_SECONDS):
                after = await commit(producer, self.number, entries, offsets, group, read_to=self._read_to)
        partition.committed()
        self.suspended_cost.committed(work)
        restored.checkpoint, self._read_to = checkpoint, after
        if after is not None:
            restored.position = after
        if tell:
            self._group_is_behind, self._group_told_at = False, time.monotonic()
        count_committed(
            shared.metrics, self.number, work, len(restored.accounts), time.perf_counter() - started
        )

    async def _reset(self, error: BaseException) -> None:
        """Drop what is not committed and the producer, and stand still until opened again."""
        # Said before any await: standing still lets a drain end, which cancels this.
        if self.partition.committing is not None:
            self.shared.metrics.transactions.labels("unknown").inc()
        lacks = lacking(error, self.shared.settings)
        log.warning(
            "partition reset; opening it again",
            partition=self.number,
            error=type(error).__name__,
            message=lacks or str(error)[:200],
        )
        await self._stand_still("transient", f"transient: {lacks or type(error).__name__}")

    async def _lost(self, error: BaseException) -> None:
        """Another replica has this partition: never fence it back; the group will say who owns it."""
        if isinstance(error, GivenAway):
            log.warning("the group gave this partition away", partition=self.number, message=str(error)[:200])
            await self._stand_still("given_away", "given away by the group")
        else:
            self.shared.metrics.transactions.labels("fenced").inc()
            log.error("fenced: another replica owns this partition", partition=self.number)
            await self._stand_still("fenced", "fenced by another owner")
        # The group's next assignment ends this task. Without one, it is not the group that gave the partition away.
        await asyncio.sleep(self.shared.settings.kafka.session_timeout_ms / 1000 + REBALANCE_SECONDS)
        self.shared.fatal(
            Fatal(
                f"partition {self.number} belongs to another producer, and the group still gives it to this "
                "replica: does another service run with the same kafka.group and kafka.environment?"
            )
        )

    async def _stand_still(self, kind: str, why: str) -> None:
        self.standing.halt(kind, why)
        self._idle.set()
        self.partition.drop()
        await self._discard_producer()

    async def _discard_producer(self, seconds: float = STOP_SECONDS) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            error = await end_producer_within(seconds, producer)
            if error is not None:  # the next owner's start settles whatever it left open
                log.debug("producer did not stop", partition=self.number, error=error)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
