"""Whether a partition runs is told to the probes and to the metrics alike."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from stream_enforcer.kafka import standing as standing_module
from stream_enforcer.kafka.fake.clock import FakeClock
from stream_enforcer.kafka.standing import Standing
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics
from tests.client_fakes import Consumer


class Seen:
    """A partition that stands still, on a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = FakeClock(0)
        monkeypatch.setattr(standing_module, "time", self.clock)
        self.metrics = Metrics(CollectorRegistry(), "1")
        consumer: Any = Consumer()
        self.standing = Standing(3, (), consumer, Health(0.0), self.metrics)

    def value(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"stream_enforcer_partition_{name}", {"partition": "3"})


def test_an_opening_that_fails_goes_on_counting_from_its_first_try(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)
    began = seen.clock.time_ns() / 1e9
    seen.standing.opens()
    seen.clock.now += 20
    seen.standing.halt("transient", "transient: TimeoutError")
    seen.standing.opens()
    assert seen.value("opening_timestamp_seconds") == began
    seen.clock.now += 5
    seen.standing.run(7)
    assert seen.value("opening_timestamp_seconds") is None
    assert seen.value("open_seconds") == pytest.approx(25)


def test_a_partition_that_ran_is_opened_anew_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)
    seen.standing.opens()
    seen.standing.run(7)
    seen.clock.now += 1_000
    seen.standing.halt("transient", "transient: TimeoutError")
    seen.standing.opens()
    assert seen.value("opening_timestamp_seconds") == pytest.approx(seen.clock.time_ns() / 1e9)
    seen.clock.now += 2
    seen.standing.run(7)
    assert seen.value("open_seconds") == pytest.approx(2)
