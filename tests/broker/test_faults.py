"""The fault suite's short form: a few faults of each kind in a few seconds, and the judge that must see a fault."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_enforcer.kafka.cluster import LocalCluster
from tests.broker.faults.faults import broker_killed
from tests.broker.faults.feed import Load
from tests.broker.faults.ground import Arena, Ground
from tests.broker.faults.network import ALL, RESET, harmed
from tests.broker.faults.scenario import play
from tests.broker.faults.toxiproxy import NoToxiproxy, Toxiproxy

LOAD = Load(least=6_000, most=100_000, per_second=500, accounts=1_000)


@pytest.fixture
def network() -> Iterator[Toxiproxy | None]:
    """The network between replicas and brokers; None where it cannot be harmed, since Go is missing."""
    try:
        network = Toxiproxy.start()
    except NoToxiproxy:
        yield None
        return
    yield network
    network.stop()


async def a_few(ground: Ground) -> None:
    await ground.recovered()
    ground.kill(ground.replicas[0])
    ground.injected["replica kill"] += 1
    await ground.add_replica()
    await broker_killed(ground, await ground.leader(ground.stage.topics.decisions, 0), seconds=0.5)
    if ground.network is not None:
        await harmed(ground, "network reset", RESET, ALL, seconds=0.5)
    await ground.recovered()


def test_a_few_faults_lose_and_repeat_nothing(
    network: Toxiproxy | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # The suite's own clients have much to say of a broker that is killed on purpose.
    caplog.set_level(logging.CRITICAL, "aiokafka")
    with LocalCluster.start(put_between=None if network is None else network.put_between) as cluster:
        outcome = asyncio.run(play(Arena(cluster, network), "a few", a_few, tmp_path, LOAD))
    assert outcome.failures == ()
    assert (outcome.lost, outcome.repeated) == (0, 0)
    assert outcome.events == outcome.decisions + outcome.dead_letters >= LOAD.least
    assert outcome.faults == (2 if network is None else 3)
