"""What topics held when the reading began, in the order of history: bounded, committed records only, no group."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Self

from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.history_bounds import Bound, Span, Wanted, settle
from stream_enforcer.kafka.history_reader import OPEN_TRANSACTION_SECONDS, PartitionReader
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, START_SECONDS, end_within, start_within
from stream_enforcer.replay.history import Batch, Chunk, Manifest, Merge, Part, Position, Source

__all__ = ["Bound", "TopicHistory", "Wanted"]

MOST_RECORDS: Final = 20_000
"""So many records of one partition wait for their turn before it is read no further."""


class TopicHistory:
    """The records of topics: an asynchronous context manager, and an asynchronous iterator over chunks in order.

    Each partition has a consumer of its own, so that none starves another; the one that is furthest behind is
    read, while the others wait with full buffers. Nothing is written, and no group hears of it.

    Args:
        clients: Makes the consumers.
        wanted: What to read.
        patience: Seconds to wait for an open transaction before the end; that of the producers, and some more.
    """

    def __init__(self, clients: Clients, wanted: Wanted, patience: float = OPEN_TRANSACTION_SECONDS) -> None:
        self._clients = clients
        self._wanted = wanted
        self._patience = patience
        self._spans: list[Span] = []
        self._merge = Merge([])
        self._tasks: list[asyncio.Task[None]] = []
        self._room: list[asyncio.Event] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Settle what is read, and begin.

        Raises:
            BadHistory: It cannot be read as wanted.
            KafkaError, OSError: The cluster does not answer, or refuses.
        """
        self._spans = await settle(self._clients, self._wanted)
        self._merge = Merge([span.start for span in self._spans])
        self._room = [asyncio.Event() for _ in self._spans]
        self._tasks = [asyncio.create_task(self._read(n), name="history") for n in range(len(self._spans))]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def manifest(self) -> Manifest:
        """What is read; complete at the end, for a topic may lose its oldest records before the first read."""
        sources = tuple(
            Source(span.tp.topic, span.tp.partition, span.start.offset, span.end) for span in self._spans
        )
        return Manifest(sources, tuple(span.note for span in self._spans if span.note is not None))

    @property
    def positions(self) -> dict[Part, Position]:
        """Where each partition stands behind the last chunk: what `Wanted.resume` takes."""
        positions = zip(self._spans, self._merge.positions, strict=True)
        return {(span.tp.topic, span.tp.partition): position for span, position in positions}

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        """Yield chunks.

        Raises:
            BadHistory: A partition cannot be read to its end.
            KafkaError, OSError: The cluster does not answer, or refuses.
        """
        while True:
            while chunk := self._merge.take():
                self._make_room()
                yield chunk
                await asyncio.sleep(0)  # the consumers' turn
            for task in self._tasks:
                if task.done():
                    task.result()
            if self._merge.behind is None:
                return
            self._news.clear()
            await self._news.wait()

    def _make_room(self) -> None:
        for n, room in enumerate(self._room):
            if self._merge.waiting(n) < MOST_RECORDS:
                room.set()

    async def _read(self, n: int) -> None:
        span = self._spans[n]
        try:
            if span.start.offset < span.end:
                await self._read_partition(n)
            self._merge.finish(n)
        finally:
            self._news.set()

    async def _read_partition(self, n: int) -> None:
        consumer = self._clients.reader()
        try:
            await start_within(START_SECONDS, consumer.start())
            reader = PartitionReader(consumer, self._spans[n], self._patience)
            room = self._room[n]
            while records := await reader.next(MOST_RECORDS):
                self._spans[n] = reader.span
                self._merge.feed(n, Batch(reader.span.kind, records))
                self._news.set()
                if self._merge.waiting(n) >= MOST_RECORDS:
                    room.clear()
                    await room.wait()
            self._spans[n] = reader.span
        finally:
            await end_within(CLOSE_SECONDS, consumer.stop())
