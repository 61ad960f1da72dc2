"""The one place that knows the order of a commit."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from stream_enforcer.kafka.dead_letters import Header

NO_HEADERS: Final[list[Header]] = []
"""One list for all records without headers; nothing changes it."""

Entry = tuple[bytes | None, bytes | None, list[Header]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Records for one topic, in order, at least one; made when they are packed, so that none waits in memory."""

    topic: str
    entries: Iterable[Entry]


async def commit(
    producer: AIOKafkaProducer,
    partition: int,
    outgoing: Iterable[Outgoing],
    offsets: dict[TopicPartition, int],
    group: str,
) -> int:
    """Publish everything that a piece of work caused, and its input offsets, or nothing.

    1. begin; 2. send one batch after another per topic, all to `partition`; 3. await every one of them, for the
    client would commit after a batch that failed; 4. with them, send the input offsets where any are given;
    5. commit. Only when this returns may the caller apply the work to memory.

    Args:
        producer: The partition's own transactional producer.
        partition: The partition of every output topic.
        outgoing: What to publish; the topic that holds the checkpoint last.
        offsets: Next offset by input partition, to tell the group; the checkpoint is what counts.
        group: The consumer group of the inputs.

    Returns:
        Offset that follows the last record of the last topic.

    Raises:
        KafkaError, AssertionError, TimeoutError: The outcome is unknown: throw the producer away and read the
            changelog. The client checks its states with assertions.
    """
    await producer.begin_transaction()
    sends = [asyncio.ensure_future(_send(producer, partition, out)) for out in outgoing]
    told = [producer.send_offsets_to_transaction(_offsets(offsets), group)] if offsets else []
    try:
        sent = await asyncio.gather(*sends, *told)
    except BaseException:
        for send in sends:
            send.cancel()
        raise
    await producer.commit_transaction()
    after: int = sent[len(sends) - 1]
    return after


def _offsets(offsets: dict[TopicPartition, int]) -> dict[TopicPartition, OffsetAndMetadata]:
    return {tp: OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}


async def _send(producer: AIOKafkaProducer, partition: int, out: Outgoing) -> int:
    acks = [
        await producer.send_batch(batch, out.topic, partition=partition)
        for batch in _batches(producer, out.entries)
    ]
    for ack in acks:
        ack.add_done_callback(_seen)
    metadata = await asyncio.gather(*acks)
    last = metadata[-1]
    return int(last.offset) + 1


def _seen(ack: "asyncio.Future[Any]") -> None:
    """Take note of a failure that nobody awaits any more, when another batch of the transaction has failed first."""
    if not ack.cancelled():
        ack.exception()


def _batches(producer: AIOKafkaProducer, entries: Iterable[Entry]) -> list[Any]:
    batches = [producer.create_batch()]
    for key, value, headers in entries:
        if _append(batches[-1], key, value, headers):
            continue
        batches[-1].close()
        batches.append(producer.create_batch())
        if not _append(batches[-1], key, value, headers):
            raise ValueError("one record is larger than a batch may be")
    batches[-1].close()
    return batches


def _append(batch: Any, key: bytes | None, value: bytes | None, headers: list[Header]) -> bool:
    return batch.append(timestamp=None, key=key, value=value, headers=headers) is not None
