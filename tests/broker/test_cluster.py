"""A local cluster survives the loss of a broker, takes it back, and leaves nothing behind."""

import asyncio
import os
from pathlib import Path
from uuid import uuid4

import pytest

from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.cluster import LocalCluster
from stream_enforcer.kafka.distribution import LocalKafkaError
from stream_enforcer.kafka.topics import create
from stream_enforcer.settings import Kafka, Topics
from tests.broker.stage import until


async def all_in_sync(clients: Clients, topic: str) -> bool:
    admin = clients.admin()
    await admin.start()
    try:
        (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    return len(described["partitions"][0]["isr"]) == 3


async def produced_to(clients: Clients, topic: str) -> int:
    """Give the offset of one more record that two brokers at least have."""
    producer = clients.producer(f"cluster-test-{uuid4()}")
    await producer.start()
    try:
        async with producer.transaction():
            return int((await producer.send_and_wait(topic, b"value", partition=0)).offset)
    finally:
        await producer.stop()


def left_behind(folder: Path, pids: list[int]) -> list[Path]:
    """Give the processes that still run, and the files."""
    return [*(proc for pid in pids if (proc := Path(f"/proc/{pid}")).exists()), *folder.iterdir()]


async def test_a_killed_broker_is_survived_and_comes_back_with_its_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cluster = await asyncio.to_thread(LocalCluster.start)
    try:
        clients = Clients(Kafka(bootstrap_servers=cluster.bootstrap_servers))
        topics = Topics(partitions=1, replication=3)
        await create(clients, topics)
        await until(lambda: all_in_sync(clients, topics.decisions))
        first, *_ = cluster.brokers
        old_pid = first.pid
        first.kill()
        assert await produced_to(clients, topics.decisions) == 0
        first.restart()
        await asyncio.to_thread(cluster.wait_until_ready)
        await until(lambda: all_in_sync(clients, topics.decisions))
        assert await produced_to(clients, topics.decisions) == 2  # after the first record and its marker
        pids = [old_pid, *(broker.pid for broker in cluster.brokers)]
    finally:
        cluster.stop()
    assert len(set(pids)) == 4
    assert left_behind(tmp_path, pids) == []


def test_a_broker_that_ends_by_itself_is_told_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cluster = LocalCluster.start(brokers=1)
    (broker,) = cluster.brokers
    os.kill(broker.pid, 9)
    broker._process.wait()
    with pytest.raises(LocalKafkaError, match="broker 1 of the local cluster ended by itself"):
        cluster.stop()
    cluster.stop()
    assert broker.log_path.exists()
    assert not broker.node.data_folder.exists()
