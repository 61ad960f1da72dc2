"""The order of history: by time across partitions, by offset within each.

A record's place is the greatest time of its partition up to it, then the partition's rank, then its offset. So no
record overtakes an earlier one of its partition, although its own time may go back, and the order depends on
nothing but the records: neither on how they came in batches nor on which partition answered first.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice, repeat
from operator import attrgetter
from typing import Final

from stream_enforcer.domain.events import EventKind
from stream_enforcer.domain.records import Record
from stream_enforcer.replay.history.sources import NEVER, Batch, Position

Dated = tuple[EventKind | None, Record]
"""A record in its place, with what it carries."""
Chunk = list[Dated]

CHUNK: Final = 4_096
"""About so many records are put in order at once."""

_TIME: Final = attrgetter("timestamp")


class _Lane:
    """The records of one source that wait for their turn, each with its place in the order as one number."""

    __slots__ = ("_count", "_newest", "_rank", "kind", "open", "places", "position", "records")

    def __init__(self, rank: int, count: int, start: Position) -> None:
        self._rank = rank
        self._count = count
        self._newest = start.newest_ms
        self.kind: EventKind | None = None
        self.open = True
        self.places: list[int] = []
        self.records: list[Record] = []
        self.position = start

    def feed(self, batch: Batch) -> None:
        newest = islice(accumulate(map(_TIME, batch.records), max, initial=self._newest), 1, None)
        count, rank = self._count, self._rank
        self.places += [time * count + rank for time in newest]
        self.records += batch.records
        self.kind = batch.kind
        self._newest = self.places[-1] // count

    @property
    def last(self) -> int:
        """The place of the newest record that was fed; what is still to come stands behind it."""
        return self._newest * self._count + self._rank

    def reach(self, most: int) -> int | None:
        """Return the place up to which everything is known, looking at `most` records; None: to the end."""
        if len(self.places) > most:
            return self.places[most - 1]
        return self.last if self.open else None

    def up_to(self, place: int | None) -> int:
        return len(self.places) if place is None else bisect_right(self.places, place)

    def take(self, number: int) -> tuple[list[int], Iterable[Dated]]:
        """Remove the first records, at least one, and return them with their places."""
        places, records = self.places[:number], self.records[:number]
        del self.places[:number], self.records[:number]
        self.position = Position(records[-1].offset + 1, places[-1] // self._count)
        return places, zip(repeat(self.kind), records, strict=False)


class Merge:
    """Puts the records of sources in order as they come; holds what cannot be placed yet.

    Args:
        starts: Where each source is taken up, in the order of their ranks.
    """

    def __init__(self, starts: Sequence[Position]) -> None:
        self._lanes = [_Lane(rank, len(starts), start) for rank, start in enumerate(starts)]

    def feed(self, source: int, batch: Batch) -> None:
        """Take the next records of a source."""
        if batch.records:
            self._lanes[source].feed(batch)

    def finish(self, source: int) -> None:
        """Learn that a source has no more records."""
        self._lanes[source].open = False

    def waiting(self, source: int) -> int:
        """Return how many records of a source wait for their turn."""
        return len(self._lanes[source].places)

    @property
    def positions(self) -> tuple[Position, ...]:
        """Where each source stands, all that was taken counted and nothing else."""
        return tuple(lane.position for lane in self._lanes)

    @property
    def behind(self) -> int | None:
        """The source that everything else waits for; None when all have ended."""
        return min(((lane.last, n) for n, lane in enumerate(self._lanes) if lane.open), default=(0, None))[1]

    def take(self) -> Chunk:
        """Return the next records in order, some thousands at most where their times differ.

        Nothing is returned as long as a record that belongs before all others may still come, or at the end.
        """
        cuts = self._cuts()
        taken = [lane.take(cut) for lane, cut in zip(self._lanes, cuts, strict=True) if cut]
        if len(taken) == 1:
            return list(taken[0][1])
        places: list[int] = []
        dated: Chunk = []
        for some, records in taken:
            places += some
            dated += records
        # The places are a few runs that rise, which sorting merges: a run without a rival costs next to nothing.
        return [dated[n] for n in sorted(range(len(places)), key=places.__getitem__)]

    def _cuts(self) -> list[int]:
        most = CHUNK
        while True:
            reaches = [lane.reach(most) for lane in self._lanes]
            bound = min((reach for reach in reaches if reach is not None), default=None)
            cuts = [lane.up_to(bound) for lane in self._lanes]
            if most == 1 or sum(cuts) <= 2 * CHUNK:
                return cuts
            most //= 2


def in_order(streams: Sequence[Iterable[Batch]]) -> Iterator[Dated]:
    """Put the records of streams in order, holding no more of each than its batch in hand where times allow.

    Args:
        streams: For each source its batches; sources in the order of their ranks.
    """
    merge = Merge([Position(0, NEVER)] * len(streams))
    batches: list[Iterator[Batch]] = [iter(stream) for stream in streams]
    while True:
        while chunk := merge.take():
            yield from chunk
        behind = merge.behind
        if behind is None:
            return
        batch = next(batches[behind], None)
        if batch is None:
            merge.finish(behind)
        else:
            merge.feed(behind, batch)
