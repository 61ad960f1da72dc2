"""What a replay reads: files, or topics between two bounds."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import typer

from stream_enforcer.cli.replay_interruption import Interruption
from stream_enforcer.cli.replay_progress import Progress
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.decisions import published
from stream_enforcer.kafka.history import Bound, TopicHistory, Wanted
from stream_enforcer.kafka.service import input_kinds
from stream_enforcer.kafka.topics import partition_counts
from stream_enforcer.replay.bookmark import Reading
from stream_enforcer.replay.event_files import Line, open_lines, read_lines
from stream_enforcer.replay.history import BadHistory, Source
from stream_enforcer.replay.history.files import open_files
from stream_enforcer.replay.trial import Trial
from stream_enforcer.settings import Settings

WHOLE: Final = (0, 1)
"""The one part of one."""
_OFFSET: Final = re.compile(r"(.+)-(\d+)=(\d+)")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of the topics is read.

    Attributes:
        start, end: Bounds as given; empty for all that is there.
        part: Which of how many parts of the partitions; (0, 1) for all.
    """

    start: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    part: tuple[int, int] = WHOLE


class TakesDecisions(Protocol):
    """What published decisions are read for."""

    def take(self, lines: Iterable[Line], name: str) -> None:
        """Take decisions in the order in which they were published, and the name of where they stand."""


def bound(texts: Sequence[str]) -> Bound:
    """Read a bound: one time, as an ISO day or RFC 3339, or offsets as TOPIC-PARTITION=OFFSET.

    Raises:
        BadHistory: It is neither.
    """
    if not texts:
        return None
    found = [_OFFSET.fullmatch(text) for text in texts]
    if all(found):
        return {(m[1], int(m[2])): int(m[3]) for m in found if m is not None}
    try:
        (text,) = texts
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadHistory(
            f"{' '.join(texts)}: is neither one time nor offsets, TOPIC-PARTITION=OFFSET"
        ) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def read_files(names: Sequence[str], trial: Trial, reading: Reading, stop: Interruption) -> None:
    """Let a trial take files, until it is interrupted.

    Args:
        names: The files.
        trial: Takes them.
        reading: How far they were read before; brought up to date.
        stop: Ends it between two chunks.

    Raises:
        BadHistory: A file can't be read as one of events.
        OSError: It can't be read at all.
    """
    stdin = typer.get_binary_stream("stdin")
    with open_files(names, stdin, reading.positions) as history, Progress(None) as progress:
        for chunk in history:
            trial.take(chunk)
            reading.taken += len(chunk)
            progress.add(len(chunk))
            if stop.requested:
                break
        positions = history.positions
    reading.positions = positions
    reading.sources = tuple(Source(name, 0, 1, positions[name, 0].offset) for name in names)


async def read_topics(
    settings: Settings, stretch: Stretch, trial: Trial, reading: Reading, stop: Interruption
) -> None:
    """Let a trial take topics, up to where they end now or ended when they were read first.

    Args:
        settings: Name the topics.
        stretch: What is read of them.
        trial: Takes them.
        reading: How far they were read before; brought up to date, also where the reading breaks off.
        stop: Ends it between two chunks.

    Raises:
        BadHistory: They can't be read as wanted.
        KafkaError, OSError: Kafka does not answer.
    """
    clients = Clients(settings.kafka)
    with stop.cancels():
        wanted = await _wanted(clients, settings, stretch, reading)
        async with TopicHistory(clients, wanted) as history:
            try:
                await _take(history, trial, reading)
            finally:
                if not reading.positions:
                    reading.sources, reading.notes = history.manifest
                reading.positions = history.positions


async def _take(history: TopicHistory, trial: Trial, reading: Reading) -> None:
    positions = history.positions
    reading.total = sum(
        source.end - positions[source.name, source.partition].offset for source in history.manifest.sources
    )
    with Progress(reading.total) as progress:
        async for chunk in history:
            trial.take(chunk)
            reading.taken += len(chunk)
            progress.add(len(chunk))


async def _wanted(clients: Clients, settings: Settings, stretch: Stretch, reading: Reading) -> Wanted:
    kinds = input_kinds(settings)
    if reading.sources is not None:
        ends = {(source.name, source.partition): source.end for source in reading.sources}
        return Wanted(kinds, {number for _, number in ends}, None, ends, reading.positions)
    start, end = bound(stretch.start), bound(stretch.end)
    numbers = await _partitions(clients, settings, stretch)
    return Wanted(kinds, numbers, _of_part(start, stretch), _of_part(end, stretch))


def _of_part(given: Bound, stretch: Stretch) -> Bound:
    """Return a bound without the partitions that other parts read; each of those is looked at there."""
    number, parts = stretch.part
    if not isinstance(given, Mapping):
        return given
    return {part: offset for part, offset in given.items() if part[1] % parts == number}


async def _partitions(clients: Clients, settings: Settings, stretch: Stretch) -> list[int] | None:
    number, parts = stretch.part
    if parts == 1:
        return None
    count = (await partition_counts(clients)).get(settings.topics.signups, 0)
    return [partition for partition in range(count) if partition % parts == number]


async def read_decisions(
    settings: Settings, stretch: Stretch, taker: TakesDecisions, stop: Interruption
) -> None:
    """Take all decisions that were published, until it is interrupted.

    Raises:
        BadHistory: There is no topic of decisions.
        ReadStalled: A partition's end was not reached.
        KafkaError, OSError: Kafka does not answer.
    """
    topic = settings.topics.decisions
    with stop.cancels():
        numbers = await _partitions(Clients(settings.kafka), settings, stretch)
        async with aclosing(published(settings, numbers)) as decisions:
            async for found in decisions:
                line = Line(found.offset, found.value, whole=True)
                taker.take([line], f"{topic}-{found.partition}")


def read_decision_files(names: Iterable[str], taker: TakesDecisions) -> None:
    """Take the decisions of files.

    Raises:
        OSError: One can't be read.
    """
    for name in names:
        with open_lines(name, typer.get_binary_stream("stdin")) as stream:
            taker.take(read_lines(stream), name)
