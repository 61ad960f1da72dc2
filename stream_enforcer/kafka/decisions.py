"""Read decisions from their topic: all, or an account's last one with its cost."""

from collections.abc import AsyncGenerator, Collection
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from stream_enforcer.domain.cost import Spent, checked
from stream_enforcer.kafka.bounded_read import records_of
from stream_enforcer.kafka.changelog import COST_PREFIX
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


class LastWord(NamedTuple):
    """What was last said of an account.

    Attributes:
        decision: The value of its last committed decision.
        spent: What it spent by then or later; None where nothing is known of any.
    """

    decision: bytes
    spent: Spent | None


async def last_word(settings: Settings, account_id: str) -> LastWord | None:
    """Return an account's last committed decision and its cost, or None where there is no decision.

    Reads the partition to which Kafka's default partitioner puts the account, up to its end at the start. The
    service keeps to the partitions of its inputs, whose producers may place keys by another rule: where the
    account is not found, the other partitions are read too.

    Raises:
        TopicsMismatch: There is no topic of decisions.
        ReadStalled: No progress for a while.
        UnknownFormat: The cost was written by another version.
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
            decisions = await _values(reader, TopicPartition(topic, partition), key)
            if any(decisions):
                accounts = TopicPartition(settings.topics.accounts, partition)
                costs = await _values(reader, accounts, COST_PREFIX + key)
                spent = costs[-1] if costs else None
                decision = next(filter(None, reversed(decisions)))
                return LastWord(decision, None if spent is None else checked(spent))
    finally:
        await end_within(CLOSE_SECONDS, reader.stop())
    return None


def search_order(key: bytes, count: int) -> list[int]:
    """Return the partitions of a topic, the one that the default partitioner gives to the key first."""
    every = list(range(count))
    first: int = DefaultPartitioner()(key, every, every)
    return [first, *(partition for partition in every if partition != first)]


async def _values(reader: AIOKafkaConsumer, tp: TopicPartition, key: bytes) -> list[bytes | None]:
    return [record.value async for record in records_of(reader, tp) if record.key == key]


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
