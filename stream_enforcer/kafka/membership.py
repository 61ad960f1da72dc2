"""Whether the group still gives a partition to this replica."""

import asyncio
from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from stream_enforcer.kafka.failures import GivenAway

ASK_SECONDS: Final = 10.0


async def require_ownership(consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
    """Ask the group's coordinator by telling it offsets that it may know already.

    A plain offset commit is checked against the member and its generation, which a transaction's is not. So a
    replica that stood still for longer than its session learns here that it is no longer a member, before a new
    producer of its fences the rightful owner.

    Args:
        consumer: The group's consumer.
        offsets: The checkpoint's offsets; nothing is asked where there are none.

    Raises:
        GivenAway: The group has given the partition away, or is about to.
        KafkaError, TimeoutError: The coordinator did not answer.
    """
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await consumer.commit(dict(offsets))
    except (CommitFailedError, IllegalStateError) as error:
        raise GivenAway(str(error)) from error
