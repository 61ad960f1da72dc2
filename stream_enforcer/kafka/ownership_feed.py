"""Ownership statements as they arrive: one reader for each replica, which keeps the world in force up to date."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError, OffsetOutOfRangeError

from stream_enforcer.domain.ownership.amendments import Amendment
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.access import lacking
from stream_enforcer.kafka.changelog import bounds
from stream_enforcer.kafka.cleaned_tail import CleanedTail
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.failures import Fatal
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, START_SECONDS, end_consumer_within, start_within
from stream_enforcer.kafka.worlds import Amended, Place, Placed, Worlds
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.live import amendment_of, id_of
from stream_enforcer.settings import Settings

log = structlog.get_logger(__name__)

POLL_MS: Final = 200
MOST_RECORDS: Final = 5_000
"""Statements worked into one new world."""
BACKOFF_SECONDS: Final = 2.0
NO_PROGRESS_SECONDS: Final = 30.0

Work = Callable[[Sequence[Placed]], Amended]
Run = Callable[[Work, Sequence[Placed]], Awaitable[Amended]]


class OwnershipFeed:
    """Reads all partitions of the ownership topic, from the start, outside any group.

    The topic's compaction leaves the newest statement of each id, and that is all that counts.
    """

    def __init__(
        self,
        clients: Clients,
        settings: Settings,
        worlds: Worlds,
        metrics: Metrics,
        run: Run = asyncio.to_thread,
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._topic = settings.topics.ownership
        self._worlds = worlds
        self._metrics = metrics
        self._run = run
        self._reader: AIOKafkaConsumer | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._changing = asyncio.Lock()
        self._ended = False

    async def start(self, partitions: int, stopping: asyncio.Event) -> None:
        """Read what is there, to the end: whoever is judged before that is judged by half of the data.

        Args:
            partitions: How many the topic has.
            stopping: Ends it early.

        Raises:
            KafkaError, OSError: The cluster does not answer, or denies the right to read the topic.
        """
        tps = [TopicPartition(self._topic, number) for number in range(partitions)]
        held = await bounds(self._clients, tps)
        await self._connect({tp: first for tp, (first, _) in held.items()})
        tails = {tp: CleanedTail(self._reader, tp, end) for tp, (_, end) in held.items()}
        loop = asyncio.get_running_loop()
        since, left = loop.time(), tps
        # Never before Kafka has answered: a topic that may not be read looks empty.
        while (left or not self._answered()) and not stopping.is_set():
            if await self.poll(POLL_MS):
                since = loop.time()
            left = [tp for tp in left if not self._read_to(tp, held[tp][1], tails[tp])]
            if loop.time() - since > NO_PROGRESS_SECONDS:
                raise KafkaTimeoutError(f"topic {self._topic} gives nothing, and its end is not reached")
        log.info("ownership topic read", statements=self._worlds.statements)

    def _read_to(self, tp: TopicPartition, end: int, tail: CleanedTail) -> bool:
        position = self._positions[tp]
        return position >= end or tail.reached(position)

    def _answered(self) -> bool:
        reader = self._reader
        return reader is not None and all(reader.highwater(tp) is not None for tp in self._positions)

    async def follow(self) -> None:
        """Take up statements as they come, until cancelled. What can't be read now is read later.

        Raises:
            Fatal: What was to be read next is gone.
        """
        while not self._stopped():
            try:
                await self.poll(POLL_MS)
            except OffsetOutOfRangeError as error:
                raise Fatal(
                    "the ownership topic does not hold what was to be read next: records were removed, or it was "
                    "made anew; a new process reads it from its start"
                ) from error
            except (KafkaError, OSError) as error:
                if self._stopped():
                    return
                self._metrics.ownership_failures.inc()
                log.warning(
                    "ownership topic can't be read; trying again",
                    error=type(error).__name__,
                    reason=lacking(error, self._settings),
                )
                await asyncio.sleep(BACKOFF_SECONDS)
                await self._connect_again()

    async def poll(self, timeout_ms: int) -> int:
        """Take up the next statements, if there are any within the time; return how many records came.

        Raises:
            KafkaError, OSError: The cluster does not answer. Nothing is lost: the next poll reads them again.
        """
        reader = self._reader
        if reader is None:
            return 0
        batches = await reader.getmany(timeout_ms=timeout_ms, max_records=MOST_RECORDS)
        batch = [self._placed(record) for tp in sorted(batches) for record in batches[tp]]
        if batch:
            async with self._changing:
                self._worlds.put(await self._run(self._worlds.amend, batch))
            self._metrics.ownership_statements.set(self._worlds.statements)
        for tp in self._positions:
            self._positions[tp] = await reader.position(tp)
        return len(batch)

    async def rebase(self, world: World) -> None:
        """Put a world of other files in force, under the same statements."""
        async with self._changing:
            self._worlds.rebase(world)

    async def stop(self) -> None:
        """Disconnect for good; `follow` then ends by itself."""
        self._ended = True
        await self._disconnect()

    def _stopped(self) -> bool:
        return self._ended  # it changes while others wait

    async def _disconnect(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await end_consumer_within(CLOSE_SECONDS, reader)

    async def _connect(self, positions: dict[TopicPartition, int]) -> None:
        await self._disconnect()
        reader = self._clients.reader()
        try:
            await start_within(START_SECONDS, reader.start())
            reader.assign([*positions])
            for tp, position in positions.items():
                reader.seek(tp, position)
        except BaseException:
            await end_consumer_within(CLOSE_SECONDS, reader)
            raise
        self._reader, self._positions = reader, dict(positions)
        if self._stopped():
            await self._disconnect()

    async def _connect_again(self) -> None:
        try:
            await self._connect(self._positions)
        except (KafkaError, OSError) as error:
            log.debug("ownership topic is out of reach", error=type(error).__name__)

    def _placed(self, record: Any) -> Placed:
        place = Place(record.partition, record.offset)
        name = f"{self._topic}-{record.partition}"
        try:
            return Placed(amendment_of(record.key, record.value, path=name, line=record.offset), place)
        except BadReference as error:
            self._metrics.ownership_rejected.inc()
            # The message may say what the record says: names have no place in a log.
            log.error(  # noqa: TRY400 - and neither has a traceback
                "a record of the ownership topic is no statement",
                partition=record.partition,
                offset=record.offset,
                field=error.field,
            )
            return Placed(Amendment(id_of(record.key), "unreadable"), place)
