"""Ending a client: bounded, and never the end of whoever asks for it."""

import asyncio
import gc
from types import SimpleNamespace
from typing import Any

import pytest

from stream_enforcer.kafka.lifetime import end_consumer_within, end_within, start_within


async def test_a_client_that_stops_has_nothing_to_say() -> None:
    assert await end_within(5, asyncio.sleep(0)) is None


async def test_a_client_that_hangs_is_left_after_the_time() -> None:
    assert await end_within(0.01, asyncio.sleep(60)) == "TimeoutError"


async def test_a_client_that_fails_is_named_and_not_raised() -> None:
    async def fails() -> None:
        raise OSError("gone")

    assert await end_within(5, fails()) == "OSError"


async def test_a_cancellation_of_the_client_s_own_making_does_not_cancel_the_caller() -> None:
    async def cancels_itself() -> None:
        raise asyncio.CancelledError

    assert await end_within(5, cancels_itself()) == "CancelledError"


async def test_a_start_that_hangs_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        await start_within(0.01, asyncio.sleep(60))


async def test_a_start_that_fails_says_so() -> None:
    async def fails() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await start_within(5, fails())


@pytest.mark.parametrize("within", [start_within, end_within])
async def test_a_cancellation_waits_until_the_client_is_through(within: Any) -> None:
    begun, go_on, through = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def client() -> None:
        begun.set()
        await go_on.wait()
        through.set()

    caller = asyncio.create_task(within(5, client()))
    await begun.wait()
    caller.cancel()
    go_on.set()
    await asyncio.wait([caller])
    assert caller.cancelled()
    assert through.is_set()


async def test_a_client_that_fails_after_a_cancellation_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        begun.set()
        await go_on.wait()
        raise OSError("gone")

    caller = asyncio.create_task(end_within(5, fails()))
    await begun.wait()
    caller.cancel()
    go_on.set()
    await asyncio.wait([caller])
    assert caller.cancelled()
    del caller
    gc.collect()
    assert caplog.records == []


@pytest.mark.parametrize("hangs", [True, False])
async def test_the_connections_of_a_consumer_that_does_not_stop_are_closed(hangs: bool) -> None:
    closed: list[bool] = []

    async def close() -> None:
        closed.append(True)

    consumer: Any = SimpleNamespace(
        stop=lambda: asyncio.sleep(60 if hangs else 0), _client=SimpleNamespace(close=close)
    )
    assert await end_consumer_within(0.01, consumer) == ("TimeoutError" if hangs else None)
    assert bool(closed) is hangs
