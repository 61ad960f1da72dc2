"""A real Apache Kafka on this machine, for the demo, tests and benchmarks: one node, data in a temporary folder."""

import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from stream_enforcer.kafka.broker_files import HOST, Node, new_cluster_id, write_broker_files
from stream_enforcer.kafka.broker_process import (
    READY_WITHIN_SECONDS,
    brokers_known,
    failed,
    format_storage,
    java_program,
    launch,
    log_of,
    remove_all_but_log,
)
from stream_enforcer.kafka.child_process import ChildProcess
from stream_enforcer.kafka.distribution import (
    LocalKafkaError,
    LocalKafkaSetupError,
)

STOP_WITHIN_SECONDS = 20.0
_PORT_ATTEMPTS = 5
_POLL_SECONDS = 0.05
_HEAP_MEGABYTES = 512


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
        program = java_program()
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
        remove_all_but_log(self._node)
        if exit_code is None:
            raise failed(
                self._node, f"the local Kafka did not stop within {STOP_WITHIN_SECONDS:.0f} s; killed"
            )
        raise failed(self._node, f"the local Kafka ended by itself, exit code {exit_code}")

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
    try:
        write_broker_files(node, [node], properties)
        format_storage(program, node, cluster_id)
        broker = launch(program, node, _HEAP_MEGABYTES)
        try:
            _wait_until_ready(broker, node, cluster_id)
        except BaseException:
            broker.stop(STOP_WITHIN_SECONDS)
            raise
    except LocalKafkaError:
        remove_all_but_log(node)
        raise
    except BaseException:
        shutil.rmtree(node.folder)
        raise
    return broker


def _wait_until_ready(broker: ChildProcess, node: Node, cluster_id: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not brokers_known(node, cluster_id):
        if broker.wait(_POLL_SECONDS):
            if "Address already in use" in log_of(node):
                raise _PortTakenError
            raise failed(node, f"the local Kafka ended while it started, exit code {broker.exit_code}")
        if time.monotonic() > deadline:
            raise failed(node, f"the local Kafka did not answer within {READY_WITHIN_SECONDS:.0f} s")
