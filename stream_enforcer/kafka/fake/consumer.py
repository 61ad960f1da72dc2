"""A consumer of the broker in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import ConsumerRecord

from stream_enforcer.kafka.fake.broker import FakeBroker
from stream_enforcer.kafka.fake.host import Host

MOST_FETCHED: Final = 1_000

Records = dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]


class FakeConsumer:
    """A consumer with assigned partitions; of a group, or a reader of its own."""

    def __init__(self, broker: FakeBroker, host: Host, isolation: str) -> None:
        self._broker = broker
        self._host = host
        self._committed = isolation == "read_committed"
        self._positions: dict[TopicPartition, int | None] = {}
        self._paused: set[TopicPartition] = set()
        self._answers = 0

    async def start(self) -> None:
        """Connect."""
        await self._host.turn()

    async def stop(self) -> None:
        """Disconnect."""
        await self._host.turn()

    def assign(self, tps: Sequence[TopicPartition]) -> None:
        """Take partitions, and let go of all others."""
        self._positions = {tp: self._positions.get(tp) for tp in tps}
        self._paused &= set(tps)

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions taken."""
        return frozenset(self._positions)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        """Read on from an offset."""
        self._require(tp)
        self._positions[tp] = offset

    def pause(self, *tps: TopicPartition) -> None:
        """Read no more of partitions."""
        for tp in tps:
            self._require(tp)
        self._paused.update(tps)

    def resume(self, *tps: TopicPartition) -> None:
        """Read partitions again."""
        for tp in tps:
            self._require(tp)
        self._paused.difference_update(tps)

    async def position(self, tp: TopicPartition) -> int:
        """Return the next offset to read."""
        await self._host.turn()
        return self._position(tp)

    async def getmany(
        self, *tps: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Records:
        """Return what there is; where there is nothing, not even a marker, wait that long and look once more."""
        await self._host.turn()
        self._answers += 1
        most = max_records or MOST_FETCHED
        before = dict(self._positions)
        found = self.take(tps, most)
        if not found and timeout_ms and self._positions == before:
            await asyncio.sleep(timeout_ms / 1000)
            found = self.take(tps, most)
        return found

    def take(self, tps: Sequence[TopicPartition], most: int) -> Records:
        """Return what there is, up to `most` records, and move on."""
        found: Records = {}
        for tp in tps or tuple(self._positions):
            if tp in self._paused or most <= 0:
                continue
            records, position = self._broker.fetch(
                tp, self._position(tp), committed=self._committed, most=most
            )
            self._positions[tp] = position
            if records:
                found[tp] = records
                most -= len(records)
        return found

    def take_oldest(self, tps: Sequence[TopicPartition]) -> ConsumerRecord[bytes, bytes] | None:
        """Return the one record among all that are ready that was written first, and move past it."""
        ready = {tp: self._broker.oldest(tp, self._position(tp)) for tp in tps if tp not in self._paused}
        orders = {order: tp for tp, order in ready.items() if order is not None}
        if not orders:
            return None
        tp = orders[min(orders)]
        return self.take([tp], 1)[tp][0]

    async def beginning_offsets(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the first offsets."""
        await self._host.turn()
        return dict.fromkeys(tps, 0)

    async def end_offsets(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the last stable offsets to a committed reader, else the high watermarks."""
        await self._host.turn()
        logs = {tp: self._broker.log(tp) for tp in tps}
        return {tp: log.stable if self._committed else log.end for tp, log in logs.items()}

    def last_poll_timestamp(self, tp: TopicPartition) -> int:
        """Return a number that grows with each answer."""
        self._require(tp)
        return self._answers

    def last_stable_offset(self, tp: TopicPartition) -> int:
        """Return the last stable offset."""
        return self._broker.log(tp).stable

    def highwater(self, tp: TopicPartition) -> int:
        """Return the high watermark."""
        return self._broker.log(tp).end

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell the group offsets.

        Raises:
            CommitFailedError: The group has given the partitions away.
        """
        await self._host.turn()
        for tp in offsets:
            self._require(tp)
        if self._host.evicted:
            raise CommitFailedError
        self._broker.group.update(offsets)

    def _require(self, tp: TopicPartition) -> None:
        if tp not in self._positions:
            raise IllegalStateError(f"{tp} is not assigned")

    def _position(self, tp: TopicPartition) -> int:
        self._require(tp)
        position = self._positions[tp]
        if position is None:
            raise IllegalStateError(f"{tp} has no position: seek first")
        return position
