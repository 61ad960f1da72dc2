"""Ends a process whose event loop hangs, which nothing inside the loop can do."""

import faulthandler
import os
import threading
from collections.abc import Callable
from typing import Final

import structlog

from stream_enforcer.observe.health import Health

log = structlog.get_logger(__name__)

HUNG_SECONDS: Final = 120.0
EXIT_HUNG: Final = 70
LOOKS: Final = 12


class Watchdog:
    """A thread that looks whether the loop still beats.

    It counts its own looks and not the clock: a process that was paused as a whole has not hung.
    """

    def __init__(
        self, health: Health, seconds: float = HUNG_SECONDS, end: Callable[[], None] | None = None
    ) -> None:
        self._health = health
        self._seconds = seconds
        self._end = end or _end
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        beat, looks = self._health.beat_at, 0
        while not self._stopped.wait(self._seconds / LOOKS):
            looks = looks + 1 if self._health.beat_at == beat else 0
            beat = self._health.beat_at
            if looks >= LOOKS:
                log.critical("the loop hangs; ending", seconds=self._seconds)
                self._end()
                return


def _end() -> None:
    faulthandler.dump_traceback(all_threads=True)
    os._exit(EXIT_HUNG)
