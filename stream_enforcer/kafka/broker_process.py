"""A broker's process on this machine: the Java command, its storage, and whether it answers."""

import asyncio
import shutil
import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stream_enforcer.kafka.broker_files import HOST, Node
from stream_enforcer.kafka.child_process import ChildProcess
from stream_enforcer.kafka.distribution import (
    LocalKafkaError,
    cache_folder,
    java_executable,
    kafka_classpath,
    pinned_jars,
)

READY_WITHIN_SECONDS: Final = 60.0
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


def java_program() -> list[str]:
    """Return how to run Kafka's Java programs; jars are downloaded when they are missing.

    Raises:
        LocalKafkaSetupError: The `local` extra or Java is missing.
        LocalKafkaError: The jars could not be downloaded.
    """
    return [str(java_executable()), "-cp", kafka_classpath(cache_folder(), pinned_jars()), *_JVM_FLAGS]


def launch(program: list[str], node: Node, heap_megabytes: int) -> ChildProcess:
    """Start the broker of a formatted node; returns at once."""
    heap = (f"-Xms{heap_megabytes}m", f"-Xmx{heap_megabytes}m")
    command = [*_java(program, node), *heap, "kafka.Kafka", str(node.properties_path)]
    return ChildProcess(command, node.folder, node.log_path)


def _java(program: list[str], node: Node) -> list[str]:
    return [
        *program,
        f"-Dlog4j2.configurationFile={node.logging_path}",
        f"-Djava.io.tmpdir={node.scratch_folder}",
    ]


def format_storage(
    program: list[str], node: Node, cluster_id: str, users: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Prepare the node's data folder, which must be new.

    Args:
        program: How to run Kafka's Java programs.
        node: Whose storage it is.
        cluster_id: The cluster that it will belong to.
        users: Passwords by user, who may then log in with SCRAM-SHA-512. Other users of the machine can see them
            while the tool runs.

    Raises:
        LocalKafkaError: The tool failed; the message shows its output.
    """
    command = [
        "kafka.tools.StorageTool",
        "format",
        "--cluster-id",
        cluster_id,
        "--config",
        str(node.properties_path),
    ]
    for name, password in users.items():
        command += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
    tool = ChildProcess([*_java(program, node), *command], node.folder, node.log_path)
    try:
        tool.wait(READY_WITHIN_SECONDS)
        exit_code = tool.exit_code
    finally:
        tool.stop(0)
    if exit_code != 0:
        raise failed(node, f"cannot format the storage of the local Kafka, exit code {exit_code}")


def brokers_known(node: Node, cluster_id: str) -> int:
    """Ask the node how many brokers its cluster has; 0 when it doesn't answer, or is not of this cluster."""
    try:
        socket.create_connection((HOST, node.port), timeout=1).close()
    except OSError:
        return 0
    # An own loop: `asyncio.run` would unset the caller's.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(_count_brokers(node, cluster_id))


async def _count_brokers(node: Node, cluster_id: str) -> int:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=f"{HOST}:{node.port}", request_timeout_ms=_REQUEST_TIMEOUT_MS
    )
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    except KafkaError:
        return 0
    finally:
        await admin.close()
    return len(cluster["brokers"]) if cluster["cluster_id"] == cluster_id else 0


def remove_all_but_log(node: Node) -> None:
    """Remove the data of a broker that did not end well; what it said stays."""
    for folder in (node.data_folder, node.scratch_folder):
        shutil.rmtree(folder, ignore_errors=True)


def log_of(node: Node) -> str:
    """Return what the broker said so far."""
    return node.log_path.read_text("utf-8", errors="replace") if node.log_path.exists() else ""


def failed(node: Node, message: str) -> LocalKafkaError:
    """Return an error that shows where the log is and how it ends."""
    tail = "\n".join(log_of(node).splitlines()[-_LOG_TAIL_LINES:])
    return LocalKafkaError(f"{message}; the log is {node.log_path} and ends with:\n{tail}")
