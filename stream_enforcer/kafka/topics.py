"""Create the topics, and check that they fit together."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import NewTopic
from aiokafka.errors import (
    KafkaTimeoutError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from stream_enforcer.kafka.access import principal
from stream_enforcer.kafka.client import Clients
from stream_enforcer.settings import Topics

MEND: Final = (
    "run `stream-enforcer topics create`, or name the right topics in the settings; a topic without the right "
    "Describe counts as missing"
)

VISIBLE_SECONDS: Final = 10.0

_THIRTY_DAYS: Final = str(30 * 24 * 3_600_000)
"""So long a removal of what the ownership files hold stays in the topic: new files are to be built meanwhile."""
_CHANGELOG: Final = {
    "cleanup.policy": "compact",
    "segment.bytes": str(64 << 20),
    "min.cleanable.dirty.ratio": "0.2",
    "delete.retention.ms": str(24 * 3_600_000),
}


class TopicsMismatch(Exception):
    """A topic is missing or its partition count differs; the message says which and how to mend it."""


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic as it should be: name, partitions and settings."""

    name: str
    partitions: int
    config: Mapping[str, str]


def plan(topics: Topics) -> tuple[TopicPlan, ...]:
    """Return every topic of the service as it should be."""
    n = topics.partitions
    # An acknowledged decision stands the loss of one broker, and its partition stays writable meanwhile.
    safe = {"min.insync.replicas": "2"} if topics.replication >= 3 else {}
    return (
        TopicPlan(topics.signups, n, {"cleanup.policy": "delete"}),
        TopicPlan(topics.usage, n, {"cleanup.policy": "delete"}),
        TopicPlan(topics.overrides, n, {"cleanup.policy": "delete", "retention.ms": "-1"}),
        TopicPlan(topics.ownership, 1, {"cleanup.policy": "compact", "delete.retention.ms": _THIRTY_DAYS}),
        TopicPlan(topics.decisions, n, {"cleanup.policy": "delete", **safe}),
        TopicPlan(topics.accounts, n, {**_CHANGELOG, **safe}),
        TopicPlan(topics.dead_letters, n, {"cleanup.policy": "delete", **safe}),
    )


def co_partitioned(topics: Topics) -> tuple[str, ...]:
    """Return the topics whose partition counts must be equal."""
    return tuple(t.name for t in plan(topics) if t.name != topics.ownership)


def mismatch(topics: Topics, counts: Mapping[str, int]) -> str | None:
    """Say what is wrong with the partition counts that a cluster has; None when nothing is."""
    missing = [t.name for t in plan(topics) if t.name not in counts]
    if missing:
        return f"missing topics: {', '.join(missing)}; {MEND}"
    wanted = co_partitioned(topics)
    if len({counts[name] for name in wanted}) > 1:
        listed = ", ".join(f"{name} has {counts[name]}" for name in wanted)
        return f"topics that belong together need equally many partitions, but {listed}; {MEND}"
    return None


async def partition_counts(clients: Clients) -> dict[str, int]:
    """Return the partition count of every topic of the cluster."""
    admin = clients.admin()
    await admin.start()
    try:
        described = await admin.describe_topics()
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]}


async def check(clients: Clients, topics: Topics) -> dict[str, int]:
    """Check that the service's topics exist and fit together; return how many partitions each has.

    Raises:
        TopicsMismatch: They do not.
        KafkaError: The cluster does not answer.
    """
    counts = await partition_counts(clients)
    wanted = [t.name for t in plan(topics)]
    hidden = await _hidden(clients, [name for name in wanted if name not in counts])
    if hidden:
        raise TopicsMismatch(f"{principal(clients.settings)} lacks Describe on topic {', '.join(hidden)}")
    problem = mismatch(topics, counts)
    if problem is not None:
        raise TopicsMismatch(problem)
    return {name: counts[name] for name in wanted}


async def _hidden(clients: Clients, names: list[str]) -> list[str]:
    """Return which of the topics this service may not know of, whether or not they are there."""
    if not names:
        return []
    admin = clients.admin()
    await admin.start()
    try:
        # The public way would create topics on brokers that do so by themselves.
        request = MetadataRequest(names, allow_auto_topic_creation=False)
        response = await admin._send_request(request)  # noqa: SLF001
    finally:
        await admin.close()
    return [name for code, name, *_ in response.topics if for_code(code) is TopicAuthorizationFailedError]


async def create(clients: Clients, topics: Topics) -> list[str]:
    """Create what is missing and return its names.

    Raises:
        TopicsMismatch: An existing topic does not fit.
        KafkaError: The cluster does not answer, or refuses.
    """
    existing = await partition_counts(clients)
    missing = [t for t in plan(topics) if t.name not in existing]
    problem = mismatch(topics, {**existing, **{t.name: t.partitions for t in missing}})
    if problem is not None:
        raise TopicsMismatch(problem)
    created = await _create(clients, missing, topics.replication) if missing else []
    await _wait_until_visible(clients, {t.name for t in missing})
    return created


async def _create(clients: Clients, missing: Sequence[TopicPlan], replication: int) -> list[str]:
    admin = clients.admin()
    await admin.start()
    try:
        response = await admin.create_topics(
            [NewTopic(t.name, t.partitions, replication, topic_configs=dict(t.config)) for t in missing]
        )
    finally:
        await admin.close()
    created: list[str] = []
    for name, code, *more in response.topic_errors:
        error = for_code(code)
        if error is TopicAlreadyExistsError:
            continue
        if error is TopicAuthorizationFailedError:
            raise error(name)
        if code:
            raise error(f"topic {name}: {more[0] if more and more[0] else error.__name__}")
        created.append(name)
    return created


async def _wait_until_visible(clients: Clients, names: set[str]) -> None:
    """Wait until the brokers' metadata has the topics; they are created before they are told of."""
    deadline = time.monotonic() + VISIBLE_SECONDS
    while not names <= (await partition_counts(clients)).keys():
        if time.monotonic() > deadline:
            raise KafkaTimeoutError(
                f"created, but not visible after {VISIBLE_SECONDS:.0f} s: {sorted(names)}"
            )
        await asyncio.sleep(0.05)
