"""A clock that a test moves, and an event loop that lives by it: no wait takes real time."""

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

T = TypeVar("T")

FIRST_MONOTONIC: Final = 1_000.0
LONGEST_WAIT: Final = 3_600.0


class Stuck(Exception):
    """Something waits for what never comes."""


@dataclass(slots=True)
class FakeClock:
    """Stands in for the module `time`, with the functions that the task calls.

    Attributes:
        first_ms: The time of day at first, epoch milliseconds.
        now: Seconds, as the loop counts them.
    """

    first_ms: int
    now: float = FIRST_MONOTONIC

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return self.now

    perf_counter = monotonic

    def time_ns(self) -> int:
        """Return nanoseconds since 1970."""
        return (self.first_ms + round((self.now - FIRST_MONOTONIC) * 1000)) * 1_000_000

    def now_ms(self) -> int:
        """Return milliseconds since 1970."""
        return self.time_ns() // 1_000_000


class _IdleSelector(selectors.SelectSelector):
    """Never waits. Where the loop would, nothing is left to do at this time: it says for how long."""

    def __init__(self, idle: Callable[[float | None], None]) -> None:
        super().__init__()
        self._idle = idle

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self._idle(timeout)
        return super().select(0)


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until it is told how far to go.

    Attributes:
        due: When the next wait ends, as of the last stop; infinite where nothing waits for the time.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._until = clock.now
        self.due = clock.now
        super().__init__(_IdleSelector(self._idle))

    def time(self) -> float:
        """Return the clock's time."""
        return self._clock.now

    def go(self, moment: float) -> None:
        """Do all that is due up to a moment, and end when the clock stands there and nothing is left to do."""
        self._until = moment
        self.run_forever()

    def complete(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work to its end, however far the clock has to go.

        Raises:
            Stuck: It did not end within an hour of the clock.
        """
        task = self.create_task(work)
        task.add_done_callback(lambda _: self.stop())
        self.go(self._clock.now + LONGEST_WAIT)
        if not task.done():
            raise Stuck("it waits for what never comes")
        return task.result()

    def _idle(self, wait: float | None) -> None:
        self.due = math.inf if wait is None else self._clock.now + wait
        if self.due <= self._until:
            self._clock.now = self.due
            return
        self._clock.now = self._until
        self.stop()
