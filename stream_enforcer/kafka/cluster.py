"""Several real brokers on this machine that can be killed, paused and restarted, to try what a fault does."""

import os
import resource
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from stream_enforcer.kafka.broker_files import HOST, Detour, Node, new_cluster_id, write_broker_files
from stream_enforcer.kafka.broker_process import (
    brokers_known,
    failed,
    format_storage,
    java_program,
    launch,
    remove_all_but_log,
)

READY_WITHIN_SECONDS: Final = 120.0
"""Several Java runtimes start at once."""
_HEAP_MEGABYTES: Final = 256
_POLL_SECONDS: Final = 0.1
# Three brokers on one machine notice a dead one sooner than in a data centre.
_SETTINGS: Final = {"broker.session.timeout.ms": "6000"}

PutBetween = Callable[[int], int]
"""Put a proxy before a broker's port; return the port of the proxy."""


class ClusterBroker:
    """One broker of a local cluster, controller too."""

    def __init__(self, program: list[str], node: Node) -> None:
        self.node = node
        self._program = program
        self._process = launch(program, node, _HEAP_MEGABYTES)
        self._harmed = False

    @property
    def node_id(self) -> int:
        """Its number in the cluster, as in the cluster's metadata."""
        return self.node.node_id

    @property
    def pid(self) -> int:
        """Process id; another one after a restart."""
        return self._process.pid

    @property
    def log_path(self) -> Path:
        """Its log; gone after a clean stop of the cluster."""
        return self.node.log_path

    def kill(self) -> None:
        """End it as a crash would."""
        self._harmed = True
        self._process.kill()

    def restart(self) -> None:
        """Start it again on the same ports and data; returns at once, see `LocalCluster.wait_until_ready`."""
        if self._process.exit_code is None:
            raise ValueError(f"broker {self.node_id} is running")
        self._process = launch(self._program, self.node, _HEAP_MEGABYTES)
        self._harmed = False

    def fill_disk(self) -> None:
        """Let every append fail from now on, as on a full disk; it then ends by itself. On Linux only.

        No file may grow past one byte (`RLIMIT_FSIZE`): an append fails with EFBIG where a full disk would say
        ENOSPC. Its log is a file too, so it cannot say what happened. A restart has no such limit.
        """
        self._harmed = True
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (1, hard))

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, at most `seconds`; tell whether it has."""
        return self._process.wait(seconds)

    def pause(self) -> None:
        """Let it stand still: its connections stay open, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def cont(self) -> None:
        """Let it go on after a pause."""
        os.kill(self.pid, signal.SIGCONT)

    def ended_by_itself(self) -> bool:
        """Tell whether it ended though nobody killed it or took its disk."""
        return not self._harmed and self._process.exit_code is not None


class LocalCluster:
    """Running brokers; stop them, or use it as a context manager.

    Blocking, as `LocalKafka` is. The brokers die with this process, even when that is killed (on Linux), but
    then leave their folders behind. Topics have a copy on every broker only where they are created so.
    """

    def __init__(self, brokers: Sequence[ClusterBroker], cluster_id: str, folder: Path) -> None:
        self.brokers = tuple(brokers)
        self._cluster_id = cluster_id
        self._folder = folder
        self._stopped = False

    @classmethod
    def start(cls, brokers: int = 3, put_between: PutBetween | None = None) -> Self:
        """Start brokers and wait until each knows them all.

        Args:
            brokers: How many.
            put_between: Where it is given, every broker has a second listener behind a proxy that this makes;
                see `detour_servers`. What brokers say to each other never goes through it.

        Raises:
            LocalKafkaSetupError: The `local` extra or Java is missing.
            LocalKafkaError: Kafka could not be downloaded, or a broker did not answer in time.
        """
        program, cluster_id = java_program(), new_cluster_id()
        folder = Path(tempfile.mkdtemp(prefix="stream-enforcer-cluster-"))
        nodes = _nodes(brokers, folder, put_between)
        try:
            for node in nodes:
                write_broker_files(node, nodes, _SETTINGS)
            with ThreadPoolExecutor(brokers) as pool:
                list(pool.map(lambda node: format_storage(program, node, cluster_id), nodes))
        except BaseException:
            shutil.rmtree(folder)
            raise
        cluster = cls([ClusterBroker(program, node) for node in nodes], cluster_id, folder)
        try:
            cluster.wait_until_ready()
        except BaseException:
            cluster._end(keep_logs=True)
            raise
        return cluster

    @property
    def bootstrap_servers(self) -> str:
        """Addresses of all brokers for clients, separated by commas."""
        return ",".join(f"{HOST}:{broker.node.port}" for broker in self.brokers)

    @property
    def detour_servers(self) -> str:
        """Addresses of all brokers' proxies for clients; empty without proxies."""
        detours = [broker.node.detour for broker in self.brokers]
        return ",".join(f"{HOST}:{detour.told}" for detour in detours if detour is not None)

    def broker(self, node_id: int) -> ClusterBroker:
        """Return the broker with that number."""
        return next(broker for broker in self.brokers if broker.node_id == node_id)

    def wait_until_ready(self) -> None:
        """Wait until every broker answers and knows all the others.

        Raises:
            LocalKafkaError: One ended, or did not answer in time.
        """
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        for broker in self.brokers:
            while brokers_known(broker.node, self._cluster_id) < len(self.brokers):
                self._check_that_none_ended()
                if time.monotonic() > deadline:
                    raise failed(broker.node, f"broker {broker.node_id} does not know the whole cluster")
                time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End the brokers and remove their folders; nothing happens the second time.

        They are killed: the last of them could not shut down in an orderly way without a quorum, and their data
        is of no use afterwards.

        Raises:
            LocalKafkaError: One had ended by itself; the logs are kept.
        """
        if self._stopped:
            return
        ended = any(broker.ended_by_itself() for broker in self.brokers)
        try:
            self._check_that_none_ended()
        finally:
            self._end(keep_logs=ended)

    def _check_that_none_ended(self) -> None:
        for broker in self.brokers:
            if broker.ended_by_itself():
                raise failed(broker.node, f"broker {broker.node_id} of the local cluster ended by itself")

    def _end(self, *, keep_logs: bool) -> None:
        self._stopped = True
        for broker in self.brokers:
            broker.kill()
        if not keep_logs:
            shutil.rmtree(self._folder)
            return
        for broker in self.brokers:
            remove_all_but_log(broker.node)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _nodes(count: int, folder: Path, put_between: PutBetween | None) -> list[Node]:
    """Return nodes on free ports; all are held until the last is chosen, so that none is chosen twice."""
    with ExitStack() as held:
        ports = [
            held.enter_context(socket.create_server((HOST, 0))).getsockname()[1] for _ in range(3 * count)
        ]
        detours = [put_between and Detour(port, put_between(port)) for port in ports[2 * count :]]
    return [
        Node(number, ports[2 * number - 2], ports[2 * number - 1], folder / f"broker-{number}", detour)
        for number, detour in enumerate(detours, start=1)
    ]
