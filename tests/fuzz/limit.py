"""A limit of processor time on what should be quick."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TookTooLong(Exception):
    """A decoder was still at work after its time."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End what takes more of the processor's time; works in the main thread, between two Python instructions."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise TookTooLong(f"more than {seconds} s of processor time")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
