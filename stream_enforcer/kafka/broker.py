"""A real Apache Kafka on this machine, for the demo, tests and benchmarks: one node, data in a temporary folder."""

import asyncio
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stream_enforcer.kafka.broker_files import HOST, Node, new_cluster_id, write_broker_files
from stream_enforcer.kafka.child_process import ChildProcess
from stream_enforcer.kafka.distribution import (
    LocalKafkaError,
    LocalKafkaSetupError,
    cache_folder,
    java_executable,
    kafka_classpath,
    pinned_jars,
)

READY_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 20.0
_PORT_ATTEMPTS = 5
_POLL_SECONDS = 0.05
_REQUEST_TIMEOUT_MS = 2000
_LOG_TAIL_LINES = 15

# Measured on two cores over 4 million records of 250 bytes: without the optimising compiler the broker takes a
# fifth less CPU time per record (its hot path is copies and checksums), has a lower p99 and starts 0.6 s sooner.
_JVM_FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
)
_BROKER_HEAP = ("-Xms512m", "-Xmx512m")


class _PortTakenError(Exception):
    """Another program took a port between the choice and the broker's start."""


class LocalKafka:
    """A running broker; stop it, or use it as a context manager.

    Blocking: from a coroutine, call `start` and `stop` with `asyncio.to_thread`. The broker dies with this
    process, even when that is killed (on Linux), but then leaves its folder behind.
    """

    def __init__(self, node: Node, process: ChildProcess) -> None:
        self._node = node
        self._process = process
        self._stopped = False

    @classmethod
    def start(cls, *, port: int | None = None, properties: Mapping[str, str] | None = None) -> Self:
        """Start a broker and wait until it answers.

        Args:
            port: Port on 127.0.0.1; a free one by default.
            properties: Broker settings that replace those of `broker_properties`.

        Raises:
            LocalKafkaSetupError: The `local` extra or Java is missing, or `port` is taken.
            LocalKafkaError: It could not be downloaded, or did not answer in time; the message shows the log.
        """
        java = java_executable()
        classpath = kafka_classpath(cache_folder(), pinned_jars())
        program = [str(java), "-cp", classpath, *_JVM_FLAGS]
        for _ in range(_PORT_ATTEMPTS):
            client_port, controller_port = _free_ports(port)
            node = Node(
                1, client_port, controller_port, Path(tempfile.mkdtemp(prefix="stream-enforcer-kafka-"))
            )
            try:
                return cls(node, _launch(program, node, properties or {}))
            except _PortTakenError:
                continue
        raise LocalKafkaError(f"no free port on {HOST} after {_PORT_ATTEMPTS} attempts")

    @property
    def bootstrap_servers(self) -> str:
        """Address for clients, `127.0.0.1:PORT`."""
        return f"{HOST}:{self._node.port}"

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        return self._process.pid

    @property
    def log_path(self) -> Path:
        """The broker's log; gone after a clean stop."""
        return self._node.log_path

    def wait(self) -> None:
        """Wait until the broker has ended, for whatever reason."""
        self._process.wait()

    def stop(self) -> None:
        """Stop the broker and remove its folder; nothing happens the second time.

        Raises:
            LocalKafkaError: It had ended by itself, or had to be killed; its log is kept.
        """
        if self._stopped:
            return
        self._stopped = True
        exit_code = self._process.exit_code
        if exit_code is None and self._process.stop(STOP_WITHIN_SECONDS):
            shutil.rmtree(self._node.folder)
            return
        _remove_all_but_log(self._node)
        if exit_code is None:
            raise _failed(
                self._node, f"the local Kafka did not stop within {STOP_WITHIN_SECONDS:.0f} s; killed"
            )
        raise _failed(self._node, f"the local Kafka ended by itself, exit code {exit_code}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextmanager
def given_or_local(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the bootstrap servers of the Kafka in `KAFKA_BOOTSTRAP_SERVERS`, else of one that runs meanwhile.

    Raises:
        LocalKafkaError: See `LocalKafka.start`.
    """
    given = environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    with LocalKafka.start() as broker:
        yield broker.bootstrap_servers


def _free_ports(wanted: int | None) -> tuple[int, int]:
    """Return ports for clients and for controllers; another program may still take one before the broker does."""
    try:
        with (
            socket.create_server((HOST, wanted or 0)) as client,
            socket.create_server((HOST, 0)) as controller,
        ):
            return client.getsockname()[1], controller.getsockname()[1]
    except OSError as error:
        raise LocalKafkaSetupError(
            f"port {wanted or 'of any number'} on {HOST} is not free: {error}"
        ) from error


def _launch(program: list[str], node: Node, properties: Mapping[str, str]) -> ChildProcess:
    """Start a broker in `node.folder`, and leave nothing but a log when that fails."""
    cluster_id = new_cluster_id()
    program = [
        *program,
        f"-Dlog4j2.configurationFile={node.logging_path}",
        f"-Djava.io.tmpdir={node.scratch_folder}",
    ]
    try:
        write_broker_files(node, [node], properties)
        _format_storage(program, node, cluster_id)
        broker = ChildProcess(
            [*program, *_BROKER_HEAP, "kafka.Kafka", str(node.properties_path)], node.folder, node.log_path
        )
        try:
            _wait_until_ready(broker, node, cluster_id)
        except BaseException:
            broker.stop(STOP_WITHIN_SECONDS)
            raise
    except LocalKafkaError:
        _remove_all_but_log(node)
        raise
    except BaseException:
        shutil.rmtree(node.folder)
        raise
    return broker


def _format_storage(program: list[str], node: Node, cluster_id: str) -> None:
    command = [
        "kafka.tools.StorageTool",
        "format",
        "--cluster-id",
        cluster_id,
        "--config",
        str(node.properties_path),
    ]
    tool = ChildProcess([*program, *command], node.folder, node.log_path)
    try:
        tool.wait(READY_WITHIN_SECONDS)
        exit_code = tool.exit_code
    finally:
        tool.stop(0)
    if exit_code != 0:
        raise _failed(node, f"cannot format the storage of the local Kafka, exit code {exit_code}")


def _wait_until_ready(broker: ChildProcess, node: Node, cluster_id: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not _answers(node, cluster_id):
        if broker.wait(_POLL_SECONDS):
            if "Address already in use" in _log_of(node):
                raise _PortTakenError
            raise _failed(node, f"the local Kafka ended while it started, exit code {broker.exit_code}")
        if time.monotonic() > deadline:
            raise _failed(node, f"the local Kafka did not answer within {READY_WITHIN_SECONDS:.0f} s")


def _answers(node: Node, cluster_id: str) -> bool:
    try:
        socket.create_connection((HOST, node.port), timeout=1).close()
    except OSError:
        return False
    # An own loop: `asyncio.run` would unset the caller's.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(_serves_cluster(node, cluster_id))


async def _serves_cluster(node: Node, cluster_id: str) -> bool:
    """Tell whether the broker at `node.port` is ours, and takes requests."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=f"{HOST}:{node.port}", request_timeout_ms=_REQUEST_TIMEOUT_MS
    )
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    except KafkaError:
        return False
    finally:
        await admin.close()
    return bool(cluster["cluster_id"] == cluster_id and cluster["brokers"])


def _remove_all_but_log(node: Node) -> None:
    for folder in (node.data_folder, node.scratch_folder):
        shutil.rmtree(folder, ignore_errors=True)


def _log_of(node: Node) -> str:
    return node.log_path.read_text("utf-8", errors="replace") if node.log_path.exists() else ""


def _failed(node: Node, message: str) -> LocalKafkaError:
    tail = "\n".join(_log_of(node).splitlines()[-_LOG_TAIL_LINES:])
    return LocalKafkaError(f"{message}; the log is {node.log_path} and ends with:\n{tail}")
