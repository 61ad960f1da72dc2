"""Ctrl-C and SIGTERM as one orderly end: the first starts the clean-up, later ones do not disturb it."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, TypeVar

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

T = TypeVar("T")


class Interrupts:
    """Turns the first signal into a KeyboardInterrupt; from the main thread only."""

    def __init__(self) -> None:
        self._cancel: Callable[[], object] | None = None
        self._held = False
        self._waiting = False
        for number in SIGNALS:
            signal.signal(number, self._arrived)

    def ignore(self) -> None:
        """Ignore signals from now on: what follows has its own deadlines."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold a signal back until the block is done, so that nothing is started and then forgotten."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._waiting:
            raise KeyboardInterrupt

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine as `asyncio.run` does; a signal cancels it.

        Raises:
            KeyboardInterrupt: A signal came, and the coroutine has cleaned up.
        """
        try:
            return asyncio.run(self._cancellable(coroutine))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    async def _cancellable(self, coroutine: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(coroutine)
        loop = asyncio.get_running_loop()
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            return await task
        finally:
            self._cancel = None

    def _arrived(self, _number: int, _frame: FrameType | None) -> None:
        self.ignore()
        if self._cancel is not None:
            self._cancel()
        elif self._held:
            self._waiting = True
        else:
            raise KeyboardInterrupt
