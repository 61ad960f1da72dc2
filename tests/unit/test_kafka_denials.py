"""A right that is denied is said once and again after a while, and is over when nothing is denied for a while."""

from types import SimpleNamespace

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from structlog.testing import capture_logs

from stream_enforcer.kafka import denials
from stream_enforcer.kafka.denials import LASTS_SECONDS, SAID_AGAIN_SECONDS, Denials
from stream_enforcer.observe.health import Health, ready
from stream_enforcer.settings import Settings

USAGE = "User:ANONYMOUS lacks Read on topic usage"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1_000.0)
    monkeypatch.setattr(denials, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def health() -> Health:
    return Health(0.0, assigned=frozenset(), reference_loaded=True, kafka_reachable=True)


def test_a_denial_is_said_once_a_minute_and_at_once_when_it_is_another(
    clock: SimpleNamespace, health: Health
) -> None:
    met = Denials(Settings(), health)
    with capture_logs() as logs:
        for _ in range(3):
            assert met.met(TopicAuthorizationFailedError("usage"))
        assert met.met(GroupAuthorizationFailedError("stream-enforcer"))
        clock.now += SAID_AGAIN_SECONDS
        assert met.met(GroupAuthorizationFailedError("stream-enforcer"))
    group = "User:ANONYMOUS lacks Read on group stream-enforcer"
    assert [line["reason"] for line in logs] == [USAGE, group, group]


def test_a_denial_keeps_the_replica_from_being_ready_until_it_is_over(
    clock: SimpleNamespace, health: Health
) -> None:
    met = Denials(Settings(), health)
    assert ready(health, 0.0).ok
    met.met(TopicAuthorizationFailedError("usage"))
    clock.now += LASTS_SECONDS
    met.passed()
    assert ready(health, 0.0).reasons == (USAGE,)
    clock.now += 0.1
    met.passed()
    assert ready(health, 0.0).ok


def test_another_failure_is_not_noted(health: Health) -> None:
    assert not Denials(Settings(), health).met(KafkaError("x"))
    assert health.kafka_denial is None
