"""What topics held when the reading began, in the order of history: bounded, committed records only, no group."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, Self

from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.history_bounds import Bound, Span, Wanted, settle
from stream_enforcer.kafka.history_reader import OPEN_TRANSACTION_SECONDS, PartitionReader
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, START_SECONDS, end_within, start_within
from stream_enforcer.replay.history import Batch, Chunk, Manifest, Merge, Part, Position, Source

__all__ = ["Bound", "TopicHistory", "Wanted"]

FETCH_BYTES: Final = 1 << 20
"""Most bytes of one partition in one answer; one more waits in the client."""
MOST_WAITING: Final = 200_000
"""So many records wait for their turn, in equal shares of the partitions, before they are read no further."""
SHARE: Final = (500, 5_000)
"""Least and most of such a share: fewer cost speed, and more bring none."""
SHARE_BYTES: Final = 4 << 20
"""A share is smaller where the records are large."""

_SIZE: Final = attrgetter("serialized_value_size")


@dataclass(slots=True)
class _Flow:
    """One partition on its way: what is read of it, and how much of that may wait."""

    span: Span
    most: int
    room: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def part(self) -> Part:
        return self.span.tp.topic, self.span.tp.partition


class TopicHistory:
    """The records of topics: an asynchronous context manager, and an asynchronous iterator over chunks in order.

    Each partition has a consumer of its own, so that none starves another; the one that is furthest behind is
    read, while the others wait with full buffers. Nothing is written, and no group hears of it.

    Args:
        clients: Makes the consumers.
        wanted: What to read.
        patience: Seconds to wait for a transaction that is open before the end: what producers have for one, and
            some more.
    """

    def __init__(self, clients: Clients, wanted: Wanted, patience: float = OPEN_TRANSACTION_SECONDS) -> None:
        self._clients = clients
        self._wanted = wanted
        self._patience = patience
        self._flows: list[_Flow] = []
        self._merge = Merge([])
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Settle what is read, and begin.

        Raises:
            BadHistory: It cannot be read as wanted.
            KafkaError, OSError: The cluster does not answer, or refuses.
        """
        spans = await settle(self._clients, self._wanted)
        least, most = SHARE
        share = min(max(least, MOST_WAITING // max(1, len(spans))), most)
        self._flows = [_Flow(span, share) for span in spans]
        self._merge = Merge([span.start for span in spans])
        self._tasks = [asyncio.create_task(self._read(n), name="history") for n in range(len(spans))]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def manifest(self) -> Manifest:
        """What is read; complete at the end, for a topic may lose its oldest records before the first read."""
        spans = [flow.span for flow in self._flows]
        sources = tuple(Source(s.tp.topic, s.tp.partition, s.start.offset, s.end) for s in spans)
        return Manifest(sources, tuple(span.note for span in spans if span.note is not None))

    @property
    def positions(self) -> dict[Part, Position]:
        """Where each partition stands behind the last chunk: what `Wanted.resume` takes."""
        positions = zip(self._flows, self._merge.positions, strict=True)
        return {flow.part: max(flow.span.start, position) for flow, position in positions}

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        """Yield chunks.

        Raises:
            BadHistory: A partition cannot be read to its end.
            KafkaError, OSError: The cluster does not answer, or refuses.
        """
        while True:
            for task in self._tasks:
                if task.done():
                    task.result()
            if chunk := self._merge.take():
                self._make_room()
                yield chunk
                await asyncio.sleep(0)  # the consumers' turn
            elif self._merge.behind is None:
                return
            else:
                self._news.clear()
                await self._news.wait()

    def _make_room(self) -> None:
        for n, flow in enumerate(self._flows):
            if self._merge.waiting(n) <= flow.most // 2:
                flow.room.set()

    async def _read(self, n: int) -> None:
        flow = self._flows[n]
        try:
            if flow.span.start.offset < flow.span.end:
                await self._read_partition(n, flow)
            self._merge.finish(n)
        finally:
            self._news.set()

    async def _read_partition(self, n: int, flow: _Flow) -> None:
        consumer = self._clients.reader(fetch_bytes=FETCH_BYTES)
        share = flow.most
        try:
            await start_within(START_SECONDS, consumer.start())
            reader = PartitionReader(consumer, flow.span, self._patience)
            while records := await reader.next(flow.most - self._merge.waiting(n)):
                flow.span = reader.span
                flow.most = min(share, 1 + SHARE_BYTES * len(records) // max(1, sum(map(_SIZE, records))))
                self._merge.feed(n, Batch(flow.span.kind, records))
                self._news.set()
                while self._merge.waiting(n) > flow.most // 2:
                    flow.room.clear()
                    await flow.room.wait()
            flow.span = reader.span
        finally:
            await end_within(CLOSE_SECONDS, consumer.stop())
