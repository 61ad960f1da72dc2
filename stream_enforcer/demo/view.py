"""Shows a running demo: a live view on a terminal, a plain line every two seconds elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stream_enforcer.demo.readings import Reading
from stream_enforcer.demo.summary import Latency, milliseconds, numbers, reasons_table

PLAIN_EVERY_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class ReplicaLine:
    """A replica as it stands.

    Attributes:
        name: Its name.
        reading: What it said last.
        rate: Records judged per second, over the last second.
    """

    name: str
    reading: Reading
    rate: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A running demo at one time.

    Attributes:
        seconds: Since the first event.
        act: How events are fed now.
        sent, to_send: Records sent, and to be sent in all.
        judged: Records processed and committed by all replicas.
        decisions: Decisions that a reader of committed records has seen.
        by_reason: The same by action and reason.
        replicas: The replicas.
        latency: From sending an event of the steady stream to seeing its decision; None before.
    """

    seconds: float
    act: str
    sent: int
    to_send: int
    judged: int
    decisions: int
    by_reason: Mapping[tuple[str, str], int]
    replicas: Sequence[ReplicaLine]
    latency: Latency | None

    @property
    def rate(self) -> float:
        """Records judged per second by all replicas."""
        return sum(replica.rate for replica in self.replicas)


def line(now: Snapshot) -> str:
    """Write a snapshot as one line."""
    parts = [
        f"{now.sent:,} sent",
        f"{now.judged:,} judged ({now.rate:,.0f}/s)",
        f"lag {now.sent - now.judged:,}",
        f"{now.decisions:,} decisions",
    ]
    if now.latency is not None:
        parts.append(f"p50 {milliseconds(now.latency.p50)}, p99 {milliseconds(now.latency.p99)}")
    return f"{now.seconds:5.1f} s  {now.act}: {', '.join(parts)}"


def layout(now: Snapshot) -> RenderableType:
    """Draw a snapshot for a terminal of 80 columns and 24 lines, or larger."""
    totals = Table.grid(padding=(0, 2, 0, 0))
    totals.add_row("feeding", now.act, ProgressBar(total=now.to_send, completed=now.judged, width=40))
    totals.add_row("sent", f"{now.sent:,}", f"of {now.to_send:,}")
    totals.add_row("judged", f"{now.judged:,}", f"{now.rate:,.0f}/s, lag {now.sent - now.judged:,}")
    took = now.latency
    latency = (
        "" if took is None else f"p50 {milliseconds(took.p50)}, p99 {milliseconds(took.p99)} after the event"
    )
    totals.add_row("decisions", f"{now.decisions:,}", latency)
    replicas = Table("replica", "partitions", box=None, padding=(0, 2, 0, 0))
    for title in ("judged", "per second", "lag"):
        replicas.add_column(title, justify="right")
    for each in now.replicas:
        said = each.reading
        replicas.add_row(
            each.name, numbers(said.partitions), f"{said.judged:,}", f"{each.rate:,.0f}", f"{said.lag:,}"
        )
    return Group(totals, Text(), replicas, Text(), reasons_table(now.by_reason))


class View:
    """Where snapshots are shown."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        )
        self._next_line = 0.0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, now: Snapshot) -> None:
        """Show a snapshot; without a terminal, only one every two seconds."""
        if self._live is not None:
            self._live.update(layout(now), refresh=True)
        elif now.seconds >= self._next_line:
            self._next_line = now.seconds + PLAIN_EVERY_SECONDS
            self._console.print(line(now), soft_wrap=True, highlight=False)
