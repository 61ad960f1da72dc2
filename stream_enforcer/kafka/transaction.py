"""The one place that knows the order of a commit."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from stream_enforcer.kafka.dead_letters import Header

NO_HEADERS: Final[list[Header]] = []
"""One list for all records without headers; nothing changes it."""

MARKERS: Final = 2
"""Markers that may stand between what was read of a topic and what is written next: those of the last transaction
of this producer, and of one that was aborted when it began."""

Entry = tuple[bytes | None, bytes | None, list[Header]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Records for one topic, in order, at least one; made when they are packed, so that none waits in memory."""

    topic: str
    entries: Iterable[Entry]


class Unread(Exception):
    """The topic of the checkpoint goes on behind what was read of it: the end that was asked for was an old one."""


async def commit(
    producer: AIOKafkaProducer,
    partition: int,
    outgoing: Iterable[Outgoing],
    offsets: dict[TopicPartition, int],
    group: str,
    read_to: int | None = None,
) -> int | None:
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
        read_to: Up to which offset the caller knows the last topic, where it has to know all of it. Nothing but
            markers may come between: a broker that was deposed, and has not heard of it, tells an old end of
            its partitions, and nobody but the leader says where a record was written.

    Returns:
        Offset that follows the last record of the last topic; None where the broker does not say it.

    Raises:
        Unread: More came behind `read_to`; nothing is committed.
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
    first, after = cast("tuple[int, int | None]", sent[len(sends) - 1])
    if read_to is not None and first > read_to + MARKERS:
        raise Unread(f"the accounts topic was read up to offset {read_to}, and goes on up to {first}")
    await producer.commit_transaction()
    return after


def _offsets(offsets: dict[TopicPartition, int]) -> dict[TopicPartition, OffsetAndMetadata]:
    return {tp: OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}


async def _send(producer: AIOKafkaProducer, partition: int, out: Outgoing) -> tuple[int, int | None]:
    """Return the offset of the first record, and the one that follows the last."""
    batches = _batches(producer, out.entries)
    acks = [await producer.send_batch(batch, out.topic, partition=partition) for batch in batches]
    for ack in acks:
        ack.add_done_callback(_seen)
    metadata = await asyncio.gather(*acks)
    # An acknowledgement tells where the first record of its batch stands: -1 where a batch came for a second time,
    # and the broker no longer knows.
    first, last = int(metadata[0].offset), int(metadata[-1].offset)
    return first, None if last < 0 else last + int(batches[-1].record_count())


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
