"""SIGINT and SIGTERM, noted instead of obeyed, so that work ends where it can be taken up again."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

EXIT: Final = 130
"""The exit code of what was interrupted."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """The work was interrupted; the message says what that means for who goes on."""

    def __str__(self) -> str:
        return f"interrupted: {super().__str__()}"


class Interruption:
    """A context in which the first of the signals is noted, and later ones change nothing.

    Args:
        wake: What to do besides, when it comes.
        heed: Whether to note them at all.

    Attributes:
        requested: Whether one came.
    """

    def __init__(self, wake: Callable[[], object] | None = None, *, heed: bool = True) -> None:
        self.requested = False
        self._wake = wake
        self._heed = heed
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if self._heed:
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _note(self, *_: object) -> None:
        if self.requested:
            return
        self.requested = True
        if self._wake is not None:
            self._wake()

    @contextmanager
    def cancels(self) -> Iterator[None]:
        """Let the signal end the block of a task where it waits, and nowhere else."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is None:
            raise RuntimeError("no task to cancel")
        self._wake = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            if self.requested:
                task.cancel()
            yield
        except asyncio.CancelledError:
            if not self.requested:
                raise
            task.uncancel()
        finally:
            self._wake = None
