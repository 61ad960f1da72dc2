"""Looks after a running service from the side: lag, reach, and whether it is stuck in a way that a restart mends."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from stream_enforcer.kafka.changelog import bounds
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.failures import Fatal
from stream_enforcer.kafka.refusal import refusal
from stream_enforcer.kafka.task import Task
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics

if TYPE_CHECKING:
    from stream_enforcer.kafka.suspended_cost import Kind

log = structlog.get_logger(__name__)

WATCH_SECONDS: Final = 1.0
PROBE_SECONDS: Final = 5.0
SILENT_SECONDS: Final = 60.0
"""Time without an answer to a fetch, empty ones included, after which the client counts as stuck if Kafka answers
others. Brokers answer an empty fetch ten times a second."""
UNASSIGNED_SECONDS: Final = 180.0
"""Time without an assignment after which this replica's membership counts as stuck. A rebalance takes 30 s."""


class Watch:
    """Runs beside the service's loop, from the first connection to the end."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        tasks: Callable[[], Mapping[int, Task]],
        clients: Clients,
        health: Health,
        metrics: Metrics,
    ) -> None:
        self._consumer = consumer
        self._tasks = tasks
        self._clients = clients
        self._health = health
        self._metrics = metrics
        self._fetched: dict[TopicPartition, tuple[int | None, float]] = {}
        self._assigned_at = time.monotonic()

    async def run(self) -> None:
        """Watch until cancelled.

        Raises:
            Fatal: The service is stuck.
        """
        probed = 0.0
        while True:
            self._measure_lag()
            self._measure_cost()
            if time.monotonic() - probed >= PROBE_SECONDS:
                await self._probe()
                probed = time.monotonic()
                if self._health.kafka_reachable:
                    self._require_assignment()
                    await self._require_fetches()
            await asyncio.sleep(WATCH_SECONDS)

    def _measure_lag(self) -> None:
        assigned = self._consumer.assignment()
        for task in self._tasks().values():
            for tp in task.inputs:
                high = self._consumer.highwater(tp) if tp in assigned else None
                expected = task.partition.expected(tp.topic)
                if high is not None and expected is not None:
                    self._metrics.lag.labels(tp.topic, str(tp.partition)).set(max(0, high - expected))

    def _measure_cost(self) -> None:
        micros: Counter[Kind] = Counter()
        for task in self._tasks().values():
            micros.update(task.suspended_cost.micros)
        self._metrics.show_suspended_cost({kind: cost / 1_000_000 for kind, cost in micros.items()})

    async def _probe(self) -> None:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._consumer.topics()
            reason = None
        except (KafkaError, OSError, TimeoutError) as error:
            found = await refusal(self._clients.settings)
            reason = found.reason if found is not None else type(error).__name__
        if (reason is None) != self._health.kafka_reachable:
            if reason is None:
                log.warning("Kafka is reachable again")
            else:
                log.warning("Kafka is not reachable", reason=reason)
        self._health.kafka_reachable, self._health.kafka_unreachable_because = reason is None, reason

    def _require_assignment(self) -> None:
        now = time.monotonic()
        if self._health.assigned is not None or self._health.kafka_denial is not None:
            self._assigned_at = now
        elif now - self._assigned_at > UNASSIGNED_SECONDS:
            raise Fatal(
                f"the group has given no assignment for {UNASSIGNED_SECONDS:.0f} s though Kafka answers: do all "
                "members subscribe to the same topics?"
            )

    async def _require_fetches(self) -> None:
        now, assigned = time.monotonic(), self._consumer.assignment()
        fetched = {}
        for task in self._tasks().values():
            for tp in task.inputs if task.ready else ():
                if tp in assigned:
                    answered = self._consumer.last_poll_timestamp(tp)
                    before, since = self._fetched.get(tp, (None, now))
                    fetched[tp] = (answered, now if answered != before else since)
        self._fetched = fetched
        silent = [tp for tp, (_, since) in fetched.items() if now - since > SILENT_SECONDS]
        if silent and await self._answers_others(silent):
            tp = silent[0]
            raise Fatal(
                f"no fetch of {tp.topic}-{tp.partition} was answered for {SILENT_SECONDS:.0f} s, and Kafka answers "
                "other clients: the client is stuck, and a new process connects anew"
            )

    async def _answers_others(self, tps: list[TopicPartition]) -> bool:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await bounds(self._clients, tps)
        except (KafkaError, OSError, TimeoutError):
            return False
        return True
