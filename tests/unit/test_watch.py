"""The watch tells what a restart mends from what it does not."""

from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from prometheus_client import CollectorRegistry

from stream_enforcer.kafka import watch as watch_module
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.failures import Fatal
from stream_enforcer.kafka.fake.clock import FakeClock
from stream_enforcer.kafka.watch import SILENT_SECONDS, UNASSIGNED_SECONDS, Watch
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.settings import Kafka
from tests.client_fakes import Consumer, IdleTask


class Seen:
    """A watch whose clock moves on with each look."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.consumer = Consumer()
        self.task = IdleTask(0)
        self.health = Health(0.0, assigned=frozenset({0}), kafka_reachable=True)
        consumer: Any = self.consumer

        def tasks() -> dict[int, Any]:
            return {0: self.task}

        self.watch = Watch(consumer, tasks, Clients(Kafka()), self.health, Metrics(CollectorRegistry(), "1"))

    async def look(self, seconds: float) -> None:
        self.clock.now += seconds
        self.watch._require_assignment()
        await self.watch._require_fetches()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether Kafka answers other clients; the last one counts."""
    told = [True]

    async def bounds(*_: object) -> dict[Any, Any]:
        if not told[-1]:
            raise KafkaConnectionError
        return {}

    monkeypatch.setattr(watch_module, "bounds", bounds)
    return told


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, answers: list[bool]) -> Seen:
    clock = FakeClock(0)
    monkeypatch.setattr(watch_module, "time", clock)
    return Seen(clock)


async def test_a_partition_that_is_never_answered_ends_the_service(seen: Seen) -> None:
    await seen.look(0)
    with pytest.raises(Fatal, match="the client is stuck"):
        await seen.look(SILENT_SECONDS + 1)


async def test_answers_without_records_are_answers(seen: Seen) -> None:
    for moment in range(5):
        seen.consumer.fetched_at = moment
        await seen.look(SILENT_SECONDS)


async def test_a_kafka_that_answers_nobody_is_waited_for(seen: Seen, answers: list[bool]) -> None:
    answers.append(False)
    for _ in range(5):
        await seen.look(SILENT_SECONDS)


async def test_a_partition_that_takes_no_records_is_not_asked_for(seen: Seen) -> None:
    await seen.look(0)
    seen.task.ready = False
    await seen.look(SILENT_SECONDS + 1)
    seen.task.ready = True
    await seen.look(SILENT_SECONDS - 1)
    await seen.look(SILENT_SECONDS - 1)


async def test_a_replica_without_an_assignment_ends_after_a_time(seen: Seen) -> None:
    seen.health.assigned = None
    await seen.look(UNASSIGNED_SECONDS - 1)
    with pytest.raises(Fatal, match="no assignment for 180 s"):
        await seen.look(2)


async def test_a_replica_that_stands_by_has_an_assignment(seen: Seen) -> None:
    seen.health.assigned = frozenset()
    await seen.look(UNASSIGNED_SECONDS + 1)
