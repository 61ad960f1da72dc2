"""Read what a partition held when the reading began, and end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_enforcer.kafka.cleaned_tail import CleanedTail

POLL_MS: Final = 200
NO_PROGRESS_SECONDS: Final = 30.0


class ReadStalled(Exception):
    """A partition's end was not reached, and nothing came for a while."""


async def records_of(reader: AIOKafkaConsumer, tp: TopicPartition) -> AsyncIterator[Any]:
    """Yield the records of a partition, up to its end at the start.

    The end's offset may hold no record: the position tells, no record is waited for.

    Args:
        reader: A started consumer outside any group; it reads this partition alone meanwhile.
        tp: The partition.

    Raises:
        ReadStalled: No progress for a while.
        KafkaError, OSError: The cluster does not answer.
    """
    reader.assign([tp])
    begin = (await reader.beginning_offsets([tp]))[tp]
    end = (await reader.end_offsets([tp]))[tp]
    reader.seek(tp, begin)
    loop = asyncio.get_running_loop()
    seen, since, tail = -1, loop.time(), CleanedTail(reader, tp, end)
    while (position := await reader.position(tp)) < end:
        if position > seen:
            seen, since = position, loop.time()
        elif loop.time() - since > NO_PROGRESS_SECONDS:
            raise ReadStalled(f"topic {tp.topic}, partition {tp.partition}: stands at {position} of {end}")
        records = (await reader.getmany(tp, timeout_ms=POLL_MS)).get(tp, ())
        for record in records:
            if record.offset < end:
                yield record
        if not records and tail.reached(await reader.position(tp)):
            return
