"""Polls the input topics, and hands what comes to the tasks of its partitions."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from stream_enforcer.kafka.client import raise_group_error
from stream_enforcer.kafka.denials import Denials
from stream_enforcer.kafka.failures import Fatal
from stream_enforcer.kafka.task import Task
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
DENIED_SECONDS: Final = 1.0
"""Between two polls where a right is missing."""


class Intake:
    """Takes records for the tasks that are ready for them, and no more than may be in flight."""

    def __init__(
        self,
        settings: Settings,
        consumer: AIOKafkaConsumer,
        tasks: Callable[[], Mapping[int, Task]],
        health: Health,
        metrics: Metrics,
    ) -> None:
        self._most = settings.max_in_flight_records
        self._consumer = consumer
        self._tasks = tasks
        self._denials = Denials(settings, health)
        self._metrics = metrics
        self._polled_at = time.monotonic()

    async def poll(self) -> None:
        """Poll once.

        Raises:
            Fatal: No poll has succeeded for long.
        """
        tasks = self._tasks()
        ready = {task.number: task.standing.epoch for task in tasks.values() if task.ready}
        tps = [tp for number in ready for tp in tasks[number].inputs]
        room = self._most - sum(task.partition.in_flight for task in tasks.values())
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
            await asyncio.sleep(DENIED_SECONDS)
            return
        log.warning("poll failed; seeking back", error=type(error).__name__, message=str(error)[:200])
        if time.monotonic() - self._polled_at > BAD_POLLS_SECONDS:
            raise Fatal(f"no poll has succeeded for {BAD_POLLS_SECONDS:.0f} s; the last error: {error!r}")
        await asyncio.sleep(POLL_MS / 1000)

    async def _hand_over(self, tp: TopicPartition, records: list[object], epoch: int) -> None:
        for start in range(0, len(records), CHUNK):
            task = self._tasks().get(tp.partition)
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
            task = self._tasks().get(number)
            if task is None or not task.standing.running:
                continue
            for tp in task.inputs:
                expected = task.partition.expected(tp.topic)
                if tp in assigned and expected is not None:
                    self._consumer.seek(tp, expected)
