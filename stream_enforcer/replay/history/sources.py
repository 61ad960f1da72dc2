"""What was read: partitions and files, from where to where."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from stream_enforcer.domain.events import EventKind
from stream_enforcer.domain.records import Record

NEVER: Final = -1
"""The newest time of a source of which no record was taken; also that of a record without a time."""

Part = tuple[str, int]
"""A topic and a partition, or a file's name and 0; the Kafka client's own pair is equal to it."""


class BadHistory(Exception):
    """History cannot be read as it was asked for; the message names the topic and partition, or the file."""


class Source(NamedTuple):
    """One partition's, or one file's, part of a reading.

    Attributes:
        name: The topic or the file.
        partition: The partition; 0 for a file.
        start: The first offset, or line.
        end: The offset, or line, after the last one. Of a file it is known when the file has been read.
    """

    name: str
    partition: int
    start: int
    end: int


class Manifest(NamedTuple):
    """What a reading covers, enough to do it again.

    Attributes:
        sources: In the order in which they go where their records are of the same time.
        notes: What a reader of the result has to know, such as history that is gone; one sentence each.
    """

    sources: tuple[Source, ...]
    notes: tuple[str, ...]


class Position(NamedTuple):
    """Where a reading stands in one source; with it, what follows comes in the order that it had without a break.

    Attributes:
        offset: The next offset, or line.
        newest_ms: The greatest time among the source's records before it; `NEVER` where there is none.
    """

    offset: int
    newest_ms: int


class Batch(NamedTuple):
    """Records of one source, in the order of their offsets.

    Attributes:
        kind: What they carry; None where each says it itself.
        records: At least one.
    """

    kind: EventKind | None
    records: Sequence[Record]
