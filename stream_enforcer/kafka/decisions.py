"""Read decisions from their topic: an account's last one, or all."""

from collections.abc import AsyncGenerator, Collection
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from stream_enforcer.kafka.bounded_read import records_of
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, START_SECONDS, end_within, start_within
from stream_enforcer.kafka.topics import MEND, TopicsMismatch, partition_counts
from stream_enforcer.replay.history import BadHistory
from stream_enforcer.settings import Settings


class Published(NamedTuple):
    """A decision as it stands in its topic."""

    partition: int
    offset: int
    value: bytes


async def last_decision(settings: Settings, account_id: str) -> bytes | None:
    """Return the value of an account's last committed decision, or None where the topic holds none.

    Reads the partition to which Kafka's default partitioner puts the account, up to its end at the start. The
    service keeps to the partitions of its inputs, whose producers may place keys by another rule: where the
    account is not found, the other partitions are read too.

    Raises:
        TopicsMismatch: There is no topic of decisions.
        ReadStalled: No progress for a while.
        KafkaError, OSError: The cluster does not answer.
    """
    clients = Clients(settings.kafka)
    topic = settings.topics.decisions
    count = (await partition_counts(clients)).get(topic)
    if count is None:
        raise TopicsMismatch(f"missing topics: {topic}; {MEND}")
    key = account_id.encode()
    reader = clients.reader()
    await reader.start()
    try:
        for partition in search_order(key, count):
            found = await _last_value(reader, TopicPartition(topic, partition), key)
            if found is not None:
                return found
    finally:
        await end_within(CLOSE_SECONDS, reader.stop())
    return None


def search_order(key: bytes, count: int) -> list[int]:
    """Return the partitions of a topic, the one that the default partitioner gives to the key first."""
    every = list(range(count))
    first: int = DefaultPartitioner()(key, every, every)
    return [first, *(partition for partition in every if partition != first)]


async def _last_value(reader: AIOKafkaConsumer, tp: TopicPartition, key: bytes) -> bytes | None:
    found: bytes | None = None
    async for record in records_of(reader, tp):
        if record.key == key and record.value is not None:
            found = record.value
    return found


async def published(
    settings: Settings, partitions: Collection[int] | None = None
) -> AsyncGenerator[Published, None]:
    """Yield all committed decisions, partition by partition, up to their topic's end at the start.

    Args:
        settings: Of the service that published them.
        partitions: Which to read; None for all.

    Raises:
        BadHistory: There is no topic of decisions.
        ReadStalled: No progress for a while.
        KafkaError, OSError: The cluster does not answer.
    """
    clients, topic = Clients(settings.kafka), settings.topics.decisions
    count = (await partition_counts(clients)).get(topic)
    if count is None:
        raise BadHistory(f"no topic {topic}, or no right to Describe it")
    reader = clients.reader()
    try:
        await start_within(START_SECONDS, reader.start())
        for partition in range(count) if partitions is None else partitions:
            async for record in records_of(reader, TopicPartition(topic, partition)):
                if record.value is not None:
                    yield Published(partition, record.offset, record.value)
    finally:
        await end_within(CLOSE_SECONDS, reader.stop())
