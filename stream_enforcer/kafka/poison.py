"""When malformed records are too many: a partition that would pour its topic into the dead letters must stop."""

from collections import deque

from stream_enforcer.settings import Poison


class PoisonCounter:
    """Counts the records of one input topic of one partition, in order, and tells when a limit is reached.

    Records are counted, never offsets: transaction markers and compaction leave gaps between those.
    """

    def __init__(self, limits: Poison) -> None:
        self._limits = limits
        self._seen = 0
        self._in_a_row = 0
        self._malformed: deque[int] = deque()
        """Places of the malformed records of the window, counted from 1."""

    def well_formed(self, count: int) -> None:
        """Count well-formed records that stood next to each other."""
        if count:
            self._seen += count
            self._in_a_row = 0

    def malformed(self) -> str | None:
        """Count a malformed record.

        Returns:
            What is too much, for people; None while the limits hold.
        """
        limits, places = self._limits, self._malformed
        self._seen += 1
        self._in_a_row += 1
        places.append(self._seen)
        while places[0] <= self._seen - limits.window:
            places.popleft()
        if self._in_a_row >= limits.max_consecutive:
            return f"{self._in_a_row} in a row"
        # The limit is a share of the whole window, so that the first records alone do not reach it.
        if len(places) * 100 > limits.max_ratio_percent * limits.window:
            return f"{len(places)} of the last {min(self._seen, limits.window)}"
        return None
