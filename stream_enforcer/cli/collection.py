"""The garbage collector of a process that keeps much and makes few cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def rare_collection() -> Iterator[None]:
    """Let the collector leave alone what start-up made, and look rarely at what comes.

    Accounts by the hundred thousand live as long as the process and are in no cycle; the collector's default
    walks through all of them again each time their number has grown by a quarter.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
