"""A local Kafka starts, works, and leaves nothing behind."""

import os
import select
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream_enforcer.kafka import broker as broker_module
from stream_enforcer.kafka.broker import LocalKafka
from stream_enforcer.kafka.distribution import LocalKafkaError, LocalKafkaSetupError
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within

PATIENCE_SECONDS = 20.0

# The broker must outlive the thread that asked for it: the program asks the broker something, and prints its pid,
# only once the kernel has ended that thread.
STARTS_A_BROKER_AND_WAITS = """
import asyncio, pathlib, threading
from aiokafka.admin import AIOKafkaAdminClient
from stream_enforcer.kafka.broker import LocalKafka

async def ask(broker):
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    await admin.close()

brokers = []
starter = threading.Thread(target=lambda: brokers.append(LocalKafka.start()))
starter.start()
task = pathlib.Path(f"/proc/self/task/{starter.native_id}")
starter.join()
while task.exists():
    pass
asyncio.run(ask(brokers[0]))
print(brokers[0].pid, flush=True)
input()
"""


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Brokers of these tests, and of programs that they start, put their folders here."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


@pytest.fixture
def taken_port() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def new_topic(bootstrap_servers: str) -> str:
    topic = f"broker-test-{uuid.uuid4()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    return topic


async def first_record(bootstrap_servers: str, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        value: bytes | None = (await consumer.getone()).value
        return value
    finally:
        await end_within(CLOSE_SECONDS, consumer.stop())


async def test_a_record_that_was_produced_is_consumed(kafka: str) -> None:
    topic = await new_topic(kafka)
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"plain", partition=0)
    finally:
        await producer.stop()
    assert await first_record(kafka, topic) == b"plain"


async def test_only_records_of_committed_transactions_are_visible(kafka: str) -> None:
    topic = await new_topic(kafka)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=topic)
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted", partition=0)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed", partition=0)
    finally:
        await producer.stop()
    assert await first_record(kafka, topic) == b"committed"


def test_two_brokers_run_at_once_and_a_stop_leaves_nothing(temporary_folder: Path) -> None:
    with LocalKafka.start() as one, LocalKafka.start() as other:
        pids = (one.pid, other.pid)
        assert all(is_running(pid) for pid in pids)
        assert one.bootstrap_servers != other.bootstrap_servers
        assert one.log_path.parent.parent == temporary_folder
        one.stop()
        one.stop()
    assert not any(is_running(pid) for pid in pids)
    assert list(temporary_folder.iterdir()) == []


def test_a_broker_that_died_is_reported_and_its_log_kept(temporary_folder: Path) -> None:
    broker = LocalKafka.start()
    os.kill(broker.pid, signal.SIGKILL)
    broker.wait()
    with pytest.raises(LocalKafkaError, match=r"ended by itself, exit code -9; the log is .*/kafka\.log"):
        broker.stop()
    assert [path.name for path in temporary_folder.glob("*/*") if path.is_dir()] == []
    assert "Kafka Server started" in broker.log_path.read_text()


def test_a_broker_that_cannot_start_shows_the_end_of_its_log(temporary_folder: Path) -> None:
    with pytest.raises(LocalKafkaError, match=r"exit code 1; the log is [\s\S]*num\.io\.threads"):
        LocalKafka.start(properties={"num.io.threads": "none"})
    assert [path.name for path in temporary_folder.glob("*/*") if path.is_dir()] == []


def test_a_port_lost_to_another_kafka_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = broker_module._free_ports
    with LocalKafka.start() as other:
        lost = int(other.bootstrap_servers.rpartition(":")[2])
        choices = iter([(lost, choose(None)[1])])
        monkeypatch.setattr(
            broker_module, "_free_ports", lambda wanted: next(choices, None) or choose(wanted)
        )
        with LocalKafka.start() as broker:
            assert broker.bootstrap_servers != other.bootstrap_servers
            assert next(choices, None) is None


def test_a_wanted_port_that_is_taken_is_the_users_error(taken_port: int, temporary_folder: Path) -> None:
    with pytest.raises(LocalKafkaSetupError, match=f"port {taken_port} .* is not free"):
        LocalKafka.start(port=taken_port)
    assert list(temporary_folder.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_a_broker_dies_with_a_killed_parent() -> None:
    command = [sys.executable, "-c", STARTS_A_BROKER_AND_WAITS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        broker_end = os.pidfd_open(int(parent.stdout.readline()))
        try:
            parent.kill()
            assert select.select([broker_end], [], [], PATIENCE_SECONDS)[0], "outlived its parent"
        finally:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(broker_end, signal.SIGKILL)
            os.close(broker_end)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_kafka_up_prints_its_address_and_ends_cleanly_on_a_signal(
    signal_number: signal.Signals, temporary_folder: Path
) -> None:
    command = [sys.executable, "-c", "from stream_enforcer.cli import main; main()", "kafka", "up"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        assert line.startswith("KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:"), running.communicate()
        host, port = line.strip().partition("=")[2].split(":")
        socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS).close()
        running.send_signal(signal_number)
        stdout, stderr = running.communicate(timeout=PATIENCE_SECONDS)
    assert (running.returncode, stdout) == (0, "")
    assert f"log: {temporary_folder}" in stderr
    assert list(temporary_folder.iterdir()) == []
