"""Start and end a client within a time, whatever it does meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from aiokafka import AIOKafkaConsumer

from stream_enforcer.kafka.client import Producer

START_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 3.0
"""Time for a client that only reads."""
RELEASE_SECONDS: Final = 1.0


async def start_within(seconds: float, start: Coroutine[Any, Any, None]) -> None:
    """Run a client's `start` for a bounded time.

    A client whose start is cancelled halfway forgets the connection that it was making. So a cancellation waits
    a little until the start is through; `end_within` then closes all of it.

    Raises:
        TimeoutError: It took longer.
        KafkaError, OSError: What the client raised.
    """
    starting = asyncio.create_task(start, name="start")
    try:
        await asyncio.wait([starting], timeout=seconds)
    except asyncio.CancelledError:
        await asyncio.wait([starting], timeout=CLOSE_SECONDS)
        raise
    if not starting.done():
        starting.cancel()
        raise TimeoutError(f"a Kafka client did not start within {seconds:.0f} s")
    await starting


async def end_within(seconds: float, stop: Coroutine[Any, Any, None]) -> str | None:
    """Run a client's `stop` for a bounded time.

    The client may hang in `stop` while the cluster is away. And a consumer that is stopped between two fetches
    that failed, or right after its assignment, ends in a cancellation of its own making, which would cancel
    whoever awaits it. So `stop` runs as a task that is watched and not awaited. A cancellation waits until it is
    through, too: a client that is left halfway keeps its connections.

    Returns:
        What went wrong, in a word; None when nothing did.
    """
    stopping = asyncio.create_task(stop, name="stop")
    try:
        await asyncio.wait([stopping], timeout=seconds)
    except asyncio.CancelledError:
        await asyncio.wait([stopping], timeout=seconds)
        if not stopping.cancel() and not stopping.cancelled():
            stopping.exception()  # is no news by then
        raise
    if not stopping.done():
        stopping.cancel()
        return "TimeoutError"
    if stopping.cancelled():
        return "CancelledError"
    error = stopping.exception()
    return None if error is None else type(error).__name__


async def end_consumer_within(seconds: float, consumer: AIOKafkaConsumer) -> str | None:
    """Run a consumer's `stop` for a bounded time, and close its connections where that does not end well.

    `stop` first waits for the group's coordinator to be found and told; the connections come last.

    Returns:
        What went wrong, in a word; None when nothing did.
    """
    error = await end_within(seconds, consumer.stop())
    if error is not None:
        await end_within(RELEASE_SECONDS, consumer._client.close())  # noqa: SLF001 - no public way
    return error


async def end_producer_within(seconds: float, producer: Producer) -> str | None:
    """Run a producer's `stop` for a bounded time, and abandon it where that does not end well.

    Returns:
        What went wrong, in a word; None when nothing did.
    """
    error = await end_within(seconds, producer.stop())
    if error is not None:
        await end_within(RELEASE_SECONDS, producer.abandon())
    return error
