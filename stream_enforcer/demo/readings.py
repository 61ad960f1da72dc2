"""What the replicas say of themselves on /metrics."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from stream_enforcer.demo.replica import Samples, total
from stream_enforcer.observe.catalogue import ACCOUNTS, DEAD_LETTERS, DECISIONS, LAG, PARTITIONS, RECORDS

PARTITIONS_OWNED: Final = PARTITIONS.name
_WINDOW_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A replica's counts and gauges at one time.

    Attributes:
        partitions: The partitions that it owns.
        judged: Input records processed and committed.
        decisions: Decisions published.
        dead_letters: Records that could not be read.
        lag: Records between its position and the end; the replica measures it once a second.
    """

    partitions: tuple[int, ...] = ()
    judged: int = 0
    decisions: int = 0
    dead_letters: int = 0
    lag: int = 0


def reading(samples: Samples) -> Reading:
    """Read a replica's metrics."""
    owned = sorted(int(dict(labels)["partition"]) for labels in samples.get(ACCOUNTS.name, {}))
    return Reading(
        partitions=tuple(owned),
        judged=int(total(samples, RECORDS.name)),
        decisions=int(total(samples, DECISIONS.name)),
        dead_letters=int(total(samples, DEAD_LETTERS.name)),
        lag=int(total(samples, LAG.name)),
    )


class Meter:
    """The rate of a count over the last second."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def add(self, seconds: float, count: int) -> None:
        """Take the count at a time."""
        self._marks.append((seconds, count))
        while len(self._marks) > 2 and seconds - self._marks[1][0] >= _WINDOW_SECONDS:
            self._marks.popleft()

    @property
    def rate(self) -> float:
        """Counts per second; 0 before two were taken."""
        if len(self._marks) < 2:
            return 0.0
        (start, first), (end, last) = self._marks[0], self._marks[-1]
        return (last - first) / (end - start) if end > start else 0.0
