"""A broker that was deposed tells an old end: a restore that believed it must publish nothing."""

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import RecordMetadata

from stream_enforcer.kafka import changelog
from stream_enforcer.kafka.changelog import bounds
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.fake.broker import Row
from stream_enforcer.kafka.fake.producer import FakeProducer
from stream_enforcer.testing import EnforcerDriver
from tests.builders import ip, signup, usage, world

WORLD = world()


def test_a_restore_up_to_an_old_end_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with EnforcerDriver(WORLD) as driver:
        driver.pipe(signup("a", ip=ip("us")))
        driver.pipe(usage("a", ip=ip("cn")), usage("a", ip=ip("us"), cost_usd_micros=7))
        before = driver.read()
        lies = iter([1])

        async def deposed(
            clients: Clients, tps: list[TopicPartition]
        ) -> dict[TopicPartition, tuple[int, int]]:
            told = await bounds(clients, tps)
            if tps[0].topic != "enforcer-accounts" or next(lies, None) is None:
                return told
            return {tp: (first, 3) for tp, (first, _) in told.items()}

        monkeypatch.setattr(changelog, "bounds", deposed)
        driver.restart()
        driver.advance(10)
        assert next(lies, None) is None
        driver.pipe(usage("a", ip=ip("cn"), cost_usd_micros=5))
        driver.advance(1)
        after = driver.read()
        assert [decision["sequence"] for decision in before + after] == list(
            range(1, len(before) + len(after) + 1)
        )
        assert driver.cost_of("a") == 12


def test_a_broker_that_does_not_say_where_a_batch_stands_has_nothing_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A broker that knows a batch already, and no longer where it is, acknowledges it with -1."""
    with EnforcerDriver(WORLD) as driver:
        for number in range(4):
            driver.pipe(usage(f"a{number}", ip=ip("us")))
        send = FakeProducer._send

        async def forgotten(self: FakeProducer, rows: list[Row], tp: TopicPartition) -> RecordMetadata:
            return (await send(self, rows, tp))._replace(offset=-1)

        with monkeypatch.context() as once:
            once.setattr(FakeProducer, "_send", forgotten)
            driver.pipe(usage("b", ip=ip("us")))
        for number in range(3):
            driver.pipe(usage(f"c{number}", ip=ip("us")))
        driver.advance(10)
        assert driver.journal.count(("start",)) == 1, "a producer was thrown away"
        assert len(driver.read()) == 8
