"""The demo's stream at a steady pace, each event once in the input whatever happens to the brokers."""

import asyncio
from zlib import crc32

from aiokafka import AIOKafkaProducer

from stream_enforcer.demo.events import generate
from tests.broker.stage import Stage

ACCOUNTS = 2_000
MOST_EVENTS = 100_000
_TURN_SECONDS = 0.05
_REQUEST_TIMEOUT_MS = 60_000
"""Longer than any fault, so that the client tries again instead of giving a record up."""


class Feed:
    """Sends records at a pace until it is `enough`, and `least` records in any case."""

    def __init__(self, stage: Stage, least: int, per_second: int) -> None:
        self.sent = 0
        self.acknowledged = 0
        self.enough = asyncio.Event()
        self._stage = stage
        self._least = least
        self._per_turn = max(1, int(per_second * _TURN_SECONDS))

    async def run(self) -> None:
        """Send all, and wait until all are acknowledged by every broker in sync.

        Raises:
            KafkaError: One was not; whether it is in the input is unknown, so nothing can be said afterwards.
        """
        producer = AIOKafkaProducer(
            bootstrap_servers=self._stage.settings.kafka.bootstrap_servers,
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
        )
        await producer.start()
        try:
            acknowledgements = await self._send(producer)
            for acknowledgement in acknowledgements:
                await acknowledgement
                self.acknowledged += 1
        finally:
            await producer.stop()

    async def _send(self, producer: AIOKafkaProducer) -> list[asyncio.Future[object]]:
        topics = self._stage.topics
        acknowledgements = []
        for role, key, value in generate(MOST_EVENTS, 11, accounts=ACCOUNTS):
            if self.enough.is_set() and self.sent >= self._least:
                break
            partition = crc32(key) % topics.partitions
            acknowledgements.append(
                await producer.send(getattr(topics, role), value, key, partition=partition)
            )
            self.sent += 1
            if self.sent % self._per_turn == 0 and not self.enough.is_set():
                await asyncio.sleep(_TURN_SECONDS)
        return acknowledgements
