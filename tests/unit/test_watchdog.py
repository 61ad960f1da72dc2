"""A loop that hangs ends the process; one that beats, or a process that was paused, does not."""

import subprocess
import sys
import threading

from stream_enforcer.observe.health import Health
from stream_enforcer.observe.watchdog import EXIT_HUNG, LOOKS, Watchdog

HANGS = """
import asyncio, time
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.watchdog import Watchdog

async def main():
    with Watchdog(Health(0.0), 0.2):
        time.sleep(60)

asyncio.run(main())
"""


def test_a_loop_that_hangs_ends_the_process_and_shows_where_it_hung() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], check=False, capture_output=True, text=True, timeout=50
    )
    assert ended.returncode == EXIT_HUNG
    assert "the loop hangs; ending" in ended.stdout
    assert "in main" in ended.stderr


def test_a_loop_that_beats_goes_on() -> None:
    class Beating(Health):
        """Beats whenever it is looked at."""

        looks = 0
        enough = threading.Event()

        @property
        def beat_at(self) -> float:
            Beating.looks += 1
            if Beating.looks > 10 * LOOKS:
                self.enough.set()
            return Beating.looks

        @beat_at.setter
        def beat_at(self, _: float) -> None: ...

    ended = threading.Event()
    with Watchdog(Beating(0.0), 0.1, ended.set):
        assert Beating.enough.wait(30)
    assert not ended.is_set()
