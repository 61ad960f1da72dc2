"""The demo's stage: a Kafka, topics and two replicas of the service, and nothing left of them at the end."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.demo.interrupts import Interrupts
from stream_enforcer.demo.readings import PARTITIONS_OWNED
from stream_enforcer.demo.replica import Replica, ReplicaFailed, total
from stream_enforcer.kafka.broker import LocalKafka
from stream_enforcer.kafka.client import UNREACHABLE, Clients
from stream_enforcer.kafka.distribution import KAFKA_VERSION
from stream_enforcer.kafka.topics import create, plan
from stream_enforcer.settings import PREFIX, Kafka, Topics

REPLICAS: Final = ("replica-1", "replica-2")
PARTITIONS: Final = 4
READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1

Tell = Callable[[str], None]
"""Says a line to the user."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs.

    Attributes:
        clients: Clients of the broker.
        topics: The service's topics.
        replicas: The service's processes by name.
        settings: The environment variables of these processes, without the HTTP port.
        local: Whether the broker is the demo's own.
    """

    clients: Clients
    topics: Topics
    replicas: Mapping[str, Replica]
    settings: Mapping[str, str]
    local: bool


@contextmanager
def stage(servers: str | None, interrupts: Interrupts, tell: Tell) -> Iterator[Stage]:
    """Start everything, in order, and stop it, in the opposite order, whatever happens in between.

    Args:
        servers: A broker to use; None starts one.
        interrupts: Ends the demo early.
        tell: Is told of each step.

    Yields:
        The stage, before the replicas are ready; see `wait_for_replicas`.

    Raises:
        LocalKafkaError: The broker did not start or end well.
        KafkaError, OSError: A broker that was given does not answer.
        ReplicaFailed: A replica did not end well.
    """
    with _kafka(servers, tell) as (address, names), _logs(tell) as folder:
        kafka, topics = names.kafka(address), names.topics()
        with _topics(Clients(kafka), topics, interrupts, keep=servers is None):
            tell(f"topics ready: {len(plan(topics))}, {PARTITIONS} partitions each (ownership has one)")
            settings = _settings(kafka, topics)
            with _replicas(folder, settings, interrupts) as replicas:
                yield Stage(Clients(kafka), topics, replicas, settings, servers is None)


def wait_for_replicas(running: Stage) -> None:
    """Wait until the replicas are ready and share the partitions evenly.

    Raises:
        ReplicaFailed: One ended, or time is up; the message shows the end of the logs.
    """
    share = PARTITIONS // len(running.replicas)
    deadline = time.monotonic() + READY_SECONDS
    while not all(_serves(replica, share) for replica in running.replicas.values()):
        if time.monotonic() > deadline or not all(r.running() for r in running.replicas.values()):
            raise ReplicaFailed(
                f"the replicas were not ready with {share} partitions each within {READY_SECONDS:.0f} s;"
                f" their logs end:\n{log_tails(running.replicas)}"
            )
        time.sleep(_POLL_SECONDS)


def log_tails(replicas: Mapping[str, Replica]) -> str:
    """Return the last lines of every replica's log."""
    return "\n".join(f"--- {name}\n{replica.log_tail()}" for name, replica in replicas.items())


def _serves(replica: Replica, share: int) -> bool:
    return replica.ready() and total(replica.samples(), PARTITIONS_OWNED) == share


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of topics and group: the defaults on a broker of our own, else names that nobody has."""

    run: str | None

    def kafka(self, address: str) -> Kafka:
        if self.run is None:
            return Kafka(bootstrap_servers=address)
        return Kafka(bootstrap_servers=address, group=self.run)

    def topics(self) -> Topics:
        default = Topics(partitions=PARTITIONS)
        if self.run is None:
            return default
        names = default.model_dump(exclude={"partitions", "replication"})
        return Topics(**{f: f"{self.run}-{name}" for f, name in names.items()}, partitions=PARTITIONS)


@contextmanager
def _kafka(servers: str | None, tell: Tell) -> Iterator[tuple[str, _Names]]:
    if servers is not None:
        names = _Names(f"demo-{uuid4().hex[:8]}")
        tell(f"using the broker at {servers}; topics and group are called {names.run}...")
        yield servers, names
        return
    tell(f"starting Apache Kafka {KAFKA_VERSION}")
    with LocalKafka.start() as broker:
        tell(f"Apache Kafka answers at {broker.bootstrap_servers}")
        yield broker.bootstrap_servers, _Names(None)


@contextmanager
def _logs(tell: Tell) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="stream-enforcer-demo-"))
    try:
        yield folder
    except Exception:
        if any(folder.iterdir()):
            tell(f"the replicas' logs are kept in {folder}")
        else:
            folder.rmdir()
        raise
    except BaseException:
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


@contextmanager
def _topics(clients: Clients, topics: Topics, interrupts: Interrupts, *, keep: bool) -> Iterator[None]:
    """Create the topics; on a broker that is not ours, delete them at the end."""
    answers = True
    try:
        interrupts.run(create(clients, topics))
        yield
    except UNREACHABLE:
        answers = False
        raise
    finally:
        interrupts.ignore()
        if answers and not keep:
            interrupts.run(_delete(clients, topics))


async def _delete(clients: Clients, topics: Topics) -> None:
    admin = clients.admin()
    await admin.start()
    try:
        await admin.delete_topics([topic.name for topic in plan(topics)])
    finally:
        await admin.close()


def _settings(kafka: Kafka, topics: Topics) -> dict[str, str]:
    names = topics.model_dump(exclude={"partitions", "replication"})
    return {
        f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        f"{PREFIX}KAFKA__GROUP": kafka.group,
        f"{PREFIX}GEO": json.dumps(geo_sources()),
        f"{PREFIX}OWNERSHIP": json.dumps([str(ownership_file())]),
        **{f"{PREFIX}TOPICS__{field.upper()}": name for field, name in names.items()},
    }


@contextmanager
def _replicas(
    folder: Path, settings: Mapping[str, str], interrupts: Interrupts
) -> Iterator[dict[str, Replica]]:
    started: dict[str, Replica] = {}
    try:
        for name in REPLICAS:
            with interrupts.held():
                started[name] = Replica.start(name, folder, settings)
        yield started
    except BaseException:
        interrupts.ignore()
        _stop([*started.values()])  # how they end does not matter: something else went wrong first
        raise
    interrupts.ignore()
    codes = _stop([*started.values()])
    if any(codes):
        raise ReplicaFailed(f"the replicas ended with {codes}, not 0; their logs end:\n{log_tails(started)}")


def _stop(replicas: Sequence[Replica]) -> list[int]:
    if not replicas:
        return []
    with ThreadPoolExecutor(len(replicas)) as pool:
        return list(pool.map(Replica.stop, replicas))
