"""A reader that follows the outputs while faults happen, and checks each account's chain as it grows."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from stream_enforcer.kafka.changelog import CHECKPOINT_KEY, Checkpoint
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within
from tests.broker.stage import Stage
from tests.builders import Json


@dataclass
class Chains:
    """The chains seen so far.

    Attributes:
        last: Each account's latest decision.
        lost: Sequence numbers that were jumped over.
        repeated: Decisions that came again.
        unlinked: Decisions whose link does not name the one before them.
        order: Every decision id, in the order in which it was seen.
    """

    last: dict[str, Json] = field(default_factory=dict)
    lost: int = 0
    repeated: int = 0
    unlinked: int = 0
    order: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not (self.lost or self.repeated or self.unlinked)

    def see(self, decision: Json) -> None:
        account = decision["account_id"]
        before = self.last.get(account)
        expected = 1 + (before["sequence"] if before else 0)
        self.order.append(decision["decision_id"])
        if decision["sequence"] < expected:
            self.repeated += 1
            return
        self.lost += decision["sequence"] - expected
        link = (before and before["decision_id"], before and before["action"])
        if decision["sequence"] == expected and (decision["supersedes"], decision["previous_action"]) != link:
            self.unlinked += 1
        self.last[account] = decision


class Tail:
    """Follows the decisions and the checkpoints, committed records only."""

    def __init__(self, stage: Stage) -> None:
        self.chains = Chains()
        self._stage = stage
        self._checkpoints: dict[int, Checkpoint] = {}

    @property
    def done(self) -> int:
        """Input records that are committed."""
        return sum(sum(checkpoint.offsets.values()) for checkpoint in self._checkpoints.values())

    async def follow(self) -> None:
        """Read until cancelled; a read that fails is tried again from where it stood."""
        topics = self._stage.topics
        tps = [
            TopicPartition(t, p)
            for t in (topics.decisions, topics.accounts)
            for p in range(topics.partitions)
        ]
        positions = dict.fromkeys(tps, 0)
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
                    self._take(records)
                    positions[tp] = records[-1].offset + 1
        finally:
            await end_within(CLOSE_SECONDS, reader.stop())

    def _take(self, records: list[ConsumerRecord[bytes, bytes]]) -> None:
        for record in records:
            if record.topic == self._stage.topics.decisions:
                self.chains.see(orjson.loads(record.value))
            elif record.key == CHECKPOINT_KEY:
                self._checkpoints[record.partition] = Checkpoint.decode(record.value)


def _seek(reader: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> None:
    for tp, position in positions.items():
        reader.seek(tp, position)
