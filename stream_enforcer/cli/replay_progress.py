"""How far a replay is, for people; on a terminal alone."""

import sys
from multiprocessing import parent_process
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

_PER_SECOND = 4


class Progress:
    """A bar with events, their rate and the time that is left."""

    def __init__(self, total: int | None) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        console = Console(stderr=True)
        shown = sys.stderr.isatty() and parent_process() is None  # one of several would draw over the others
        self._bar = Bar(
            *columns, console=console, transient=True, disable=not shown, refresh_per_second=_PER_SECOND
        )
        self._task = self._bar.add_task("replaying", total=total, rate="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._bar.stop()

    def add(self, records: int) -> None:
        """Tell that records were taken."""
        self._bar.advance(self._task, records)
        speed = self._bar.tasks[0].speed
        self._bar.update(self._task, rate="" if speed is None else f"{speed:,.0f}/s")
