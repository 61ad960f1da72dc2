"""A reader that follows the outputs while faults happen, and checks each account's chain as it grows."""

import asyncio
from collections.abc import Mapping

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from stream_enforcer.kafka.changelog import CHECKPOINT_KEY, Checkpoint, bounds
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within
from tests.broker.faults.chains import Chains
from tests.broker.stage import Stage, until


class Tail:
    """Follows the decisions and the checkpoints, committed records only."""

    def __init__(self, stage: Stage) -> None:
        self.chains = [Chains() for _ in range(stage.topics.partitions)]
        self._stage = stage
        self._checkpoints: dict[int, Checkpoint] = {}
        self._positions: dict[TopicPartition, int] = {}

    def done_by_partition(self) -> dict[int, int]:
        """Count the input records that are committed, by partition."""
        return {p: sum(checkpoint.offsets.values()) for p, checkpoint in self._checkpoints.items()}

    @property
    def done(self) -> int:
        """Input records that are committed."""
        return sum(self.done_by_partition().values())

    async def catch_up(self, seconds: float) -> None:
        """Wait until all is read that the decisions hold now."""
        decisions = self._stage.topics.decisions
        tps = [TopicPartition(decisions, p) for p in range(self._stage.topics.partitions)]
        ends = {tp: end for tp, (_, end) in (await bounds(self._stage.clients, tps)).items()}
        await until(lambda: all(self._positions.get(tp, 0) >= end for tp, end in ends.items()), seconds)

    async def follow(self) -> None:
        """Read until cancelled; a read that fails is tried again from where it stood."""
        topics = self._stage.topics
        tps = [
            TopicPartition(t, p)
            for t in (topics.decisions, topics.accounts)
            for p in range(topics.partitions)
        ]
        positions = self._positions = dict.fromkeys(tps, 0)
        reader = self._stage.clients.reader()
        await reader.start()
        try:
            reader.assign(tps)
            _seek(reader, positions)
            while True:
                try:
                    batches = await reader.getmany(timeout_ms=200)
                except KafkaError:
                    _seek(reader, positions)
                    await asyncio.sleep(0.2)
                    continue
                for tp, records in batches.items():
                    self._take(tp, records)
                    await asyncio.sleep(0)  # the feed has its turn while a backlog is read
                for tp in tps:  # past transaction markers too
                    positions[tp] = await reader.position(tp)
        finally:
            await end_within(CLOSE_SECONDS, reader.stop())

    def _take(self, tp: TopicPartition, records: list[ConsumerRecord[bytes, bytes]]) -> None:
        if tp.topic == self._stage.topics.decisions:
            for record in records:
                self.chains[tp.partition].see(orjson.loads(record.value))
            return
        last = next((r for r in reversed(records) if r.key == CHECKPOINT_KEY), None)
        if last is not None:
            self._checkpoints[tp.partition] = Checkpoint.decode(last.value)


def _seek(reader: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> None:
    for tp, position in positions.items():
        reader.seek(tp, position)
