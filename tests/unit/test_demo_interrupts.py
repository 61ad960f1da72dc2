"""A signal ends the demo once, in order, wherever it stands."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from stream_enforcer.demo.interrupts import SIGNALS, Interrupts


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[Interrupts]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield Interrupts()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_interrupts_and_later_ones_are_ignored(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    for later in SIGNALS:
        signal.raise_signal(later)


def test_a_held_signal_interrupts_once_the_block_is_done(interrupts: Interrupts) -> None:
    started: list[str] = []

    def start() -> None:
        with interrupts.held():
            signal.raise_signal(signal.SIGTERM)
            started.append("remembered")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert started == ["remembered"]


def test_a_coroutine_cleans_up_before_the_interrupt_is_felt(interrupts: Interrupts) -> None:
    order: list[str] = []

    async def wait() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0)
            order.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        interrupts.run(wait())
    assert order == ["cleaned up"]


def test_what_a_coroutine_returns_comes_back(interrupts: Interrupts) -> None:
    async def answer() -> int:
        return 42

    assert interrupts.run(answer()) == 42
