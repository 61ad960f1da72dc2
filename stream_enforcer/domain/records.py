"""A record: bytes with coordinates."""

from dataclasses import dataclass
from typing import Protocol


class Record(Protocol):
    """What the core reads of an input record; the Kafka client's own record has this shape as it is."""

    @property
    def topic(self) -> str:
        """Name of the topic, or of the file it was read from."""

    @property
    def partition(self) -> int:
        """Partition; 0 for files."""

    @property
    def offset(self) -> int:
        """Offset; the line number (from 1) for files."""

    @property
    def timestamp(self) -> int:
        """Record time in epoch milliseconds."""

    @property
    def key(self) -> bytes | None:
        """The key as sent."""

    @property
    def value(self) -> bytes | None:
        """The value as sent; None is a tombstone."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record that did not come from the Kafka client: a line of a file, or a test's."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
