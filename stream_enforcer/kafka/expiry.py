"""Which accounts a partition forgets, a few at a time."""

from typing import Final

from stream_enforcer.domain.events import MS_PER_DAY
from stream_enforcer.kafka.partition import Partition

CHUNK: Final = 5_000
"""Accounts looked at between two commits."""


class Expiry:
    """Goes through a partition's accounts once for each new day of its stream.

    The day is that of the input records' timestamps, and never later than today: a service that reads old
    records forgets nobody whose next record is yet to come.
    """

    def __init__(self, retention_days: int | None) -> None:
        self._retention_days = retention_days
        self._done = 0
        self._left: list[bytes] = []

    def work(self, partition: Partition, now_ms: int) -> bool:
        """Add tombstones of accounts that are due to the partition's pending work; tell whether more is left.

        Args:
            partition: The partition, with its work as of its last record.
            now_ms: The time of day, epoch milliseconds.
        """
        if self._retention_days is None:
            return False
        if not self._left:
            day = min(partition.newest_ms, now_ms) // MS_PER_DAY
            if day <= self._done:
                return False
            self._done, self._left = day, list(partition.restored.accounts)
        chunk = self._left[-CHUNK:]
        del self._left[-CHUNK:]
        partition.forget(chunk, self._done - self._retention_days)
        return bool(self._left)
