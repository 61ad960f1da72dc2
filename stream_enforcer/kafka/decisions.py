"""Read an account's last decision from the topic of decisions."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.closing import CLOSE_SECONDS, end_within
from stream_enforcer.kafka.topics import MEND, TopicsMismatch, partition_counts
from stream_enforcer.settings import Settings

POLL_MS: Final = 200
NO_PROGRESS_SECONDS: Final = 30.0
EMPTY_POLLS_AT_A_CLEANED_TAIL: Final = 3


class ReadStalled(Exception):
    """A partition's end was not reached, and nothing came for a while."""


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
    reader.assign([tp])
    begin = (await reader.beginning_offsets([tp]))[tp]
    end = (await reader.end_offsets([tp]))[tp]
    reader.seek(tp, begin)
    found: bytes | None = None
    async for record in _records(reader, tp, end):
        if record.key == key and record.value is not None:
            found = record.value
    return found


async def _records(reader: AIOKafkaConsumer, tp: TopicPartition, end: int) -> AsyncIterator[Any]:
    """Yield the records before `end`. Its offset may hold none: the position tells, no record is waited for."""
    loop = asyncio.get_running_loop()
    seen, since, empty = -1, loop.time(), 0
    while (position := await reader.position(tp)) < end:
        if position > seen:
            seen, since = position, loop.time()
        elif loop.time() - since > NO_PROGRESS_SECONDS:
            raise ReadStalled(f"topic {tp.topic}, partition {tp.partition}: stands at {position} of {end}")
        records = (await reader.getmany(tp, timeout_ms=POLL_MS)).get(tp, ())
        for record in records:
            if record.offset < end:
                yield record
        empty = 0 if records else empty + 1
        # Where the cleaner removed the records before the end, the position never comes to it.
        if empty >= EMPTY_POLLS_AT_A_CLEANED_TAIL and (reader.last_stable_offset(tp) or -1) >= end:
            return
