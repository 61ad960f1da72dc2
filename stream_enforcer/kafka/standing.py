"""Whether a partition runs, and everybody who is to know: the consumer, the probes, the metrics."""

import time
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics


class Standing:
    """Stands still at first.

    Attributes:
        running: Whether the partition's records are judged.
        epoch: Changes whenever the partition comes to stand still: records polled before are not its own any more.
    """

    def __init__(
        self,
        number: int,
        inputs: Sequence[TopicPartition],
        consumer: AIOKafkaConsumer,
        health: Health,
        metrics: Metrics,
    ) -> None:
        self.running = False
        self.epoch = 0
        self._opening_since: float | None = None
        self._number = number
        self._inputs = inputs
        self._consumer = consumer
        self._health = health
        self._metrics = metrics

    def opens(self) -> None:
        """Tell that the partition is being opened; a further try of it goes on with the first one's time."""
        if self._opening_since is None:
            self._opening_since = _now()
            self._metrics.opening(self._number, self._opening_since)

    def run(self, accounts: int) -> None:
        """Take records from now on.

        Args:
            accounts: Accounts in memory.
        """
        self._consumer.resume(*self._inputs)
        self.running = True
        self._health.restored.add(self._number)
        self._health.paused.pop(self._number, None)
        since, self._opening_since = self._opening_since, None
        took = 0.0 if since is None else max(0.0, _now() - since)
        self._metrics.opened(self._number, accounts, took)

    def halt(self, kind: str, why: str) -> None:
        """Stand still: nothing of the partition is in memory for certain.

        Args:
            kind: The metric's label.
            why: What `/readyz` says.
        """
        self.epoch += 1
        self.running = False
        self._health.restored.discard(self._number)
        self.pause(kind, why)

    def pause(self, kind: str, why: str) -> None:
        """Take no more records; what is in memory holds."""
        self._health.paused[self._number] = why
        self._metrics.paused(self._number, kind)
        assigned = self._consumer.assignment()
        self._consumer.pause(*(tp for tp in self._inputs if tp in assigned))


def _now() -> float:
    return time.time_ns() / 1e9
