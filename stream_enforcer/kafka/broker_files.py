"""What a broker of a development cluster finds in its folder: settings, logging, data."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Detour:
    """A second listener, which clients reach through a proxy.

    Attributes:
        port: Where the broker listens.
        told: The proxy's port, which the broker tells its clients.
    """

    port: int
    told: int


@dataclass(frozen=True, slots=True)
class Node:
    """One broker, which is a KRaft controller too.

    Attributes:
        node_id: Its number in the cluster, from 1.
        port: Where clients and other brokers connect.
        controller_port: Where the other controllers connect.
        folder: Its run folder.
        detour: Its second listener; None without one.
    """

    node_id: int
    port: int
    controller_port: int
    folder: Path
    detour: Detour | None = None

    @property
    def properties_path(self) -> Path:
        """The broker's settings."""
        return self.folder / "server.properties"

    @property
    def logging_path(self) -> Path:
        """The broker's logging settings."""
        return self.folder / "log4j2.properties"

    @property
    def log_path(self) -> Path:
        """All that the broker and its Java runtime say."""
        return self.folder / "kafka.log"

    @property
    def data_folder(self) -> Path:
        """Topics and cluster metadata."""
        return self.folder / "data"

    @property
    def scratch_folder(self) -> Path:
        """Where Java unpacks native libraries, so that they go with the run folder."""
        return self.folder / "tmp"


def new_cluster_id() -> str:
    """Return a random cluster id in Kafka's form: 16 bytes in URL-safe base64, without padding or leading dash."""
    while (cluster_id := secrets.token_urlsafe(16)).startswith(
        "-"
    ):  # as an argument it would look like an option
        continue
    return cluster_id


def write_broker_files(node: Node, cluster: Sequence[Node], overrides: Mapping[str, str]) -> None:
    """Write all that `node` needs before its storage is formatted."""
    node.scratch_folder.mkdir(parents=True)
    settings = broker_properties(node, cluster) | dict(overrides)
    node.properties_path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")
    node.logging_path.write_text(_LOGGING, "utf-8")


def broker_properties(node: Node, cluster: Sequence[Node]) -> dict[str, str]:
    """Return settings for development: the durability of one machine, quick groups, no topics by accident."""
    copies = str(len(cluster))
    in_sync = str(max(1, len(cluster) - 1))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.node_id),
        "controller.quorum.voters": ",".join(f"{n.node_id}@{HOST}:{n.controller_port}" for n in cluster),
        "controller.listener.names": "CONTROLLER",
        **_listeners(node),
        "inter.broker.listener.name": "CLIENT",
        "log.dirs": str(node.data_folder),
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "transaction.partition.verification.enable": "true",
        "min.insync.replicas": in_sync,
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "log.cleaner.enable": "true",
        # The default, 128 MB, is a quarter of the heap and is taken at start.
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    }


def _listeners(node: Node) -> dict[str, str]:
    ports = {"CLIENT": node.port, "CONTROLLER": node.controller_port}
    told = {"CLIENT": node.port}
    if node.detour is not None:
        ports["DETOUR"], told["DETOUR"] = node.detour.port, node.detour.told
    return {
        "listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in ports.items()),
        "advertised.listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in told.items()),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in ports),
    }


# To stdout, which is the log file: the Java runtime's own last words stand in the same place.
_LOGGING = """\
rootLogger.level = info
rootLogger.appenderRef.stdout.ref = stdout
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d{ISO8601} %p %c{1} %m%n
"""
