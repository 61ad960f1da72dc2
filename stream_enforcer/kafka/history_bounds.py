"""From which offset to which each partition of a history is read, settled before the first record is."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_enforcer.domain.events import EventKind
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, START_SECONDS, end_within, start_within
from stream_enforcer.kafka.topics import partition_counts
from stream_enforcer.replay.history import NEVER, BadHistory, Part, Position

Bound = int | Mapping[Part, int] | None
"""Where a reading starts or ends: epoch milliseconds, an offset of each partition, or all that is there."""

RANKS: Final[Mapping[EventKind, int]] = {"signup": 0, "usage": 1, "override": 2}
"""Which of two topics goes first where times are equal."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read.

    Attributes:
        topics: What each topic carries.
        partitions: Of every topic; None for all.
        start: Where to begin: at the first record of that time or a later one, or at an offset. A partition that
            is left out begins at its first record.
        end: Where to end, exclusive, in the same way. A partition that is left out ends where it does when the
            reading begins.
        resume: Where a reading stood that broke off; goes before `start`.
    """

    topics: Mapping[str, EventKind]
    partitions: Collection[int] | None = None
    start: Bound = None
    end: Bound = None
    resume: Mapping[Part, Position] = field(default_factory=dict)


class Span(NamedTuple):
    """One partition's part of a reading.

    Attributes:
        tp: The partition.
        kind: What its topic carries; None for something else than events.
        start: Where it is taken up.
        end: The offset after the last one.
        exact: Whether the start was given as an offset, so that nothing behind it may be missing.
        note: What a reader of the result has to know; None for nothing.
    """

    tp: TopicPartition
    kind: EventKind | None
    start: Position
    end: int
    exact: bool
    note: str | None


async def settle(clients: Clients, wanted: Wanted) -> list[Span]:
    """Settle what is read of each partition, in the order of their ranks.

    The end is the high watermark, not the last stable offset: an open transaction would hide what was committed
    behind its beginning.

    Raises:
        BadHistory: It cannot be read so.
        KafkaError, OSError: The cluster does not answer.
    """
    if isinstance(wanted.start, int) and isinstance(wanted.end, int) and wanted.end < wanted.start:
        raise BadHistory(f"the end, {wanted.end} ms, lies before the start, {wanted.start} ms")
    tps = _partitions(wanted, await partition_counts(clients))
    _refuse_others("start", wanted.start, tps)
    _refuse_others("end", wanted.end, tps)
    _refuse_others("resume", wanted.resume, tps)
    reader = clients.reader("read_uncommitted")
    try:
        await start_within(START_SECONDS, reader.start())
        first, last = await reader.beginning_offsets(tps), await reader.end_offsets(tps)
        starts = await _offsets(reader, wanted.start, tps, first, last)
        ends = await _offsets(reader, wanted.end, tps, last, last)
    finally:
        await end_within(CLOSE_SECONDS, reader.stop())
    return [_span(wanted, tp, _Known(first[tp], last[tp], starts[tp], ends[tp])) for tp in tps]


def _partitions(wanted: Wanted, counts: Mapping[str, int]) -> list[TopicPartition]:
    missing = [topic for topic in wanted.topics if topic not in counts]
    if missing:
        raise BadHistory(f"no topic {', '.join(missing)}, or no right to Describe it")
    tps = []
    for topic in sorted(wanted.topics, key=lambda topic: (RANKS[wanted.topics[topic]], topic)):
        there = range(counts[topic])
        for partition in there if wanted.partitions is None else sorted(set(wanted.partitions)):
            if partition not in there:
                raise BadHistory(f"{topic}-{partition}: the topic has {counts[topic]} partitions")
            tps.append(TopicPartition(topic, partition))
    return tps


def _refuse_others(name: str, given: Any, tps: Collection[Part]) -> None:
    """Refuse a position of a partition that is not read: it would be forgotten without a word."""
    others = sorted(set(given) - set(tps)) if isinstance(given, Mapping) else []
    if others:
        raise BadHistory(f"the {name} names {_listed(others)}, which is not read")


def _listed(parts: Iterable[Part]) -> str:
    return ", ".join(f"{topic}-{partition}" for topic, partition in parts)


async def _offsets(
    reader: AIOKafkaConsumer,
    bound: Bound,
    tps: list[TopicPartition],
    default: Mapping[TopicPartition, int],
    last: Mapping[TopicPartition, int],
) -> dict[TopicPartition, int]:
    if isinstance(bound, int):
        found = await reader.offsets_for_times(dict.fromkeys(tps, bound))
        # Of a time after the last record there is no offset; what came since the end was settled is not read.
        return {tp: last[tp] if found[tp] is None else min(found[tp].offset, last[tp]) for tp in tps}
    return {tp: default[tp] if bound is None else bound.get(tp, default[tp]) for tp in tps}


class _Known(NamedTuple):
    first: int
    last: int
    start: int
    end: int


def _span(wanted: Wanted, tp: TopicPartition, known: _Known) -> Span:
    name = f"{tp.topic}-{tp.partition}"
    resumed = wanted.resume.get(tp)
    exact = resumed is not None or (isinstance(wanted.start, Mapping) and tp in wanted.start)
    start = resumed or Position(known.start, NEVER)
    for what, offset in (("start", start.offset), ("end", known.end)):
        if not known.first <= offset <= known.last:
            raise BadHistory(
                f"{name}: the {what}, offset {offset:,}, is not among those that are there,"
                f" {known.first:,} to {known.last:,}"
            )
    if exact and isinstance(wanted.end, Mapping) and known.end < start.offset:
        raise BadHistory(
            f"{name}: the end, offset {known.end:,}, lies before the start, offset {start.offset:,}"
        )
    gone = not exact and start.offset == known.first > 0
    note = f"{name}: history before offset {known.first:,} is gone" if gone else None
    return Span(tp, wanted.topics[tp.topic], start, max(start.offset, known.end), exact, note)
