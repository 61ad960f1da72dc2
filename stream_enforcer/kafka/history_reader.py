"""Read one partition from a start to an end that were settled beforehand."""

import asyncio
from bisect import bisect_left
from operator import attrgetter
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import OffsetOutOfRangeError

from stream_enforcer.kafka.history_bounds import Span
from stream_enforcer.replay.history import BadHistory

POLL_MS: Final = 200
NO_PROGRESS_SECONDS: Final = 30.0
OPEN_TRANSACTION_SECONDS: Final = 75.0
"""Clients let a transaction run for 60 s unless told otherwise, and the broker ends it within 10 s of that."""
ANSWERS_AT_A_CLEANED_TAIL: Final = 2

_OFFSET: Final = attrgetter("offset")


class PartitionReader:
    """Reads one partition.

    Args:
        consumer: A started consumer outside any group that reads nothing else: so an empty answer means that
            there is nothing, and no other partition can starve this one.
        span: What to read.
        patience: Seconds to wait for an open transaction before the end.
    """

    def __init__(self, consumer: AIOKafkaConsumer, span: Span, patience: float) -> None:
        self.span = span
        self._consumer = consumer
        self._patience = patience
        self._begun = False
        self._position = span.start.offset
        self._moved = 0.0
        self._answered: int | None = None
        self._empty = 0
        consumer.assign([span.tp])
        consumer.seek(span.tp, span.start.offset)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def next(self, most: int) -> list[Any]:
        """Return the next records, up to `most`; none at the end.

        The end's offset may hold no record, and none before it either: the position tells, no record is waited
        for.

        Raises:
            BadHistory: Records that were there are gone, a transaction stays open, or nothing comes.
            KafkaError: The cluster refuses.
        """
        tp, end = self.span.tp, self.span.end
        self._moved = self._now()  # what it did not ask for cannot have come
        while self._position < end:
            try:
                polled = await self._consumer.getmany(tp, timeout_ms=POLL_MS, max_records=most)
            except OffsetOutOfRangeError:
                await self._clip()
                continue
            found: list[Any] = polled.get(tp, [])
            position = await self._consumer.position(tp)
            if position > self._position:
                self._position, self._moved, self._empty = position, self._now(), 0
                self._begun = self._begun or bool(found)
            elif self._at_a_cleaned_tail():
                break
            else:
                self._lose_patience()
            if found:
                return found if found[-1].offset < end else found[: bisect_left(found, end, key=_OFFSET)]
        return []

    async def _clip(self) -> None:
        """Begin where the partition begins now, if nothing was read and nothing was promised."""
        tp, start, name = self.span.tp, self.span.start, f"{self.span.tp.topic}-{self.span.tp.partition}"
        first = (await self._consumer.beginning_offsets([tp]))[tp]
        if self._begun or self.span.exact or first <= self._position:
            raise BadHistory(
                f"{name}: the records from offset {self._position:,} on were removed while it was read;"
                f" the partition now begins at offset {first:,}"
            )
        self._position = min(first, self.span.end)
        self._consumer.seek(tp, self._position)
        self.span = self.span._replace(
            start=start._replace(offset=self._position),
            note=f"{name}: history before offset {first:,} is gone",
        )

    def _at_a_cleaned_tail(self) -> bool:
        """Tell whether the broker said repeatedly that there is nothing more before the end.

        The cleaner may have removed the records before the end, and the position then never comes to it.
        """
        tp = self.span.tp
        stable, answered = self._consumer.last_stable_offset(tp), self._consumer.last_poll_timestamp(tp)
        if answered != self._answered:
            self._answered = answered
            self._empty += 1
        return self._empty > ANSWERS_AT_A_CLEANED_TAIL and stable is not None and stable >= self.span.end

    def _lose_patience(self) -> None:
        waited = self._now() - self._moved
        stable = self._consumer.last_stable_offset(self.span.tp)
        name, end = f"{self.span.tp.topic}-{self.span.tp.partition}", self.span.end
        if stable is not None and stable < end:
            if waited > self._patience:
                raise BadHistory(
                    f"{name}: a transaction from offset {stable:,} on is still open after {waited:.0f} s; the"
                    f" reading is to end at {end:,}"
                )
        elif waited > NO_PROGRESS_SECONDS:
            raise BadHistory(f"{name}: nothing comes; the reading stands at {self._position:,} of {end:,}")
