"""Read what a partition held when the reading began, and end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

POLL_MS: Final = 200
NO_PROGRESS_SECONDS: Final = 30.0
EMPTY_POLLS_AT_A_CLEANED_TAIL: Final = 3


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
