"""What a fault works on: brokers, replicas, and how far they have come."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from stream_enforcer.demo.replica import Replica
from stream_enforcer.kafka.cluster import ClusterBroker, LocalCluster
from stream_enforcer.kafka.topics import create
from stream_enforcer.settings import PREFIX, Kafka, Settings, Topics
from tests.broker.faults.feed import Feed, Load
from tests.broker.faults.judge import EMIT
from tests.broker.faults.tail import Tail
from tests.broker.faults.toxiproxy import Toxiproxy
from tests.broker.stage import PARTITIONS, Stage, until
from tests.broker.test_crash import environment

SESSION_SECONDS = 6
TRANSACTION_SECONDS = 10
PATIENCE = 120.0
FENCED = '"fenced: another replica owns this partition"'
RESET = '"partition reset; opening it again"'
"""What a replica logs when a commit's outcome is unknown, or a partition could not be opened."""


@dataclass
class Arena:
    """What all scenarios of a run share: the brokers, and the network before them where there is one to harm."""

    cluster: LocalCluster
    network: Toxiproxy | None


@dataclass
class Ground:
    """One scenario's topics, replicas and load; `injected` counts the faults by their kind."""

    cluster: LocalCluster
    network: Toxiproxy | None
    stage: Stage
    folder: Path
    tail: Tail
    feed: Feed
    replicas: list[Replica] = field(default_factory=list)
    started: int = 0
    ended_by_themselves: int = 0
    injected: Counter[str] = field(default_factory=Counter)

    async def add_replica(self) -> Replica:
        """Start one more replica; it is not ready yet."""
        self.started += 1
        settings = {
            **environment(self.stage),
            f"{PREFIX}KAFKA__TRANSACTION_TIMEOUT_MS": str(TRANSACTION_SECONDS * 1000),
            f"{PREFIX}EMIT": EMIT,
        }
        if self.network is not None:  # the replicas alone: the suite's own clients must see what is true
            settings[f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS"] = self.cluster.detour_servers
        replica = await asyncio.to_thread(Replica.start, f"replica-{self.started}", self.folder, settings)
        self.replicas.append(replica)
        return replica

    def kill(self, replica: Replica) -> None:
        """End a replica as a crash would."""
        self.replicas.remove(replica)
        replica.kill()

    async def stop(self, replica: Replica) -> None:
        """End a replica in an orderly way; anything but 0 is a failure."""
        self.replicas.remove(replica)
        code = await asyncio.to_thread(replica.stop)
        if code != 0:
            raise AssertionError(f"a replica ended with {code}; its log ends:\n{replica.log_tail()}")

    async def progress(self, records: int) -> None:
        """Wait until that many more input records are committed."""
        target = self.tail.done + records
        await until(lambda: self.tail.done >= target, PATIENCE)

    async def recovered(self) -> None:
        """Wait until every partition has committed something new."""
        before = self.tail.done_by_partition()

        def all_moved() -> bool:
            now = self.tail.done_by_partition()
            return all(now.get(p, 0) > before.get(p, 0) for p in range(PARTITIONS))

        await until(all_moved, PATIENCE)

    def logged(self, words: str) -> int:
        """Count how often the replicas of this scenario logged the words, those that were killed too."""
        return sum(log.read_text(errors="replace").count(words) for log in self.folder.glob("*.log"))

    async def says(self, replica: Replica, words: str, times: int = 1) -> None:
        """Wait until a replica's log has the words that many times."""
        await until(lambda: replica.log.read_text().count(words) >= times, PATIENCE)

    async def leader(self, topic: str, partition: int) -> ClusterBroker:
        """Return the broker that leads a partition."""
        admin = self.stage.clients.admin()
        await admin.start()
        try:
            (described,) = await admin.describe_topics([topic])
        finally:
            await admin.close()
        leads = next(p["leader"] for p in described["partitions"] if p["partition"] == partition)
        return self.cluster.broker(leads)

    async def transaction_coordinator(self, partition: int) -> ClusterBroker:
        """Return the broker that coordinates the transactions of a partition's task."""
        kafka = self.stage.settings.kafka
        admin = self.stage.clients.admin()
        await admin.start()
        try:
            coordinator = await admin.find_coordinator(
                f"{kafka.group}-{kafka.environment}-{partition}", coordinator_type=1
            )
        finally:
            await admin.close()
        return self.cluster.broker(coordinator)

    def active_controller(self) -> ClusterBroker:
        """Return the broker that said last that it is the active controller; clients are not told who it is."""
        words = "Becoming the active controller"
        said = [
            (line, broker.node_id)
            for broker in self.cluster.brokers
            for line in broker.log_path.read_text(errors="replace").splitlines()
            if words in line
        ]
        return self.cluster.broker(max(said)[1])  # a line begins with its time

    async def whole_cluster(self) -> None:
        """Wait until every broker runs and every copy of every partition of ours is in sync."""
        await asyncio.to_thread(self.cluster.wait_until_ready)
        await until(self._in_sync, PATIENCE)

    async def _in_sync(self) -> bool:
        admin = self.stage.clients.admin()
        await admin.start()
        try:
            described = await admin.describe_topics()
        finally:
            await admin.close()
        partitions = [p for topic in described for p in topic["partitions"]]
        return all(p["leader"] >= 0 and len(p["isr"]) == len(p["replicas"]) for p in partitions)


async def prepare(arena: Arena, folder: Path, load: Load) -> Ground:
    """Create topics with three copies, and start two replicas; they are not ready yet."""
    name = f"f-{uuid4().hex[:8]}"
    roles = set(Topics.model_fields) - {"partitions", "replication"}
    topics = {role: f"{name}-{role.replace('_', '-')}" for role in roles}
    kafka = Kafka(
        bootstrap_servers=arena.cluster.bootstrap_servers,
        group=name,
        session_timeout_ms=SESSION_SECONDS * 1000,
    )
    settings = Settings(kafka=kafka, topics=Topics(**topics, partitions=PARTITIONS, replication=3))
    stage = Stage(settings)
    await create(stage.clients, stage.topics)
    tail = Tail(stage)
    ground = Ground(arena.cluster, arena.network, stage, folder, tail, Feed(stage, load, lambda: tail.done))
    for _ in range(2):
        await ground.add_replica()
    return ground
