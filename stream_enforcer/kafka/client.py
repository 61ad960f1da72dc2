"""Kafka clients with the settings that exactly once needs, and the client's known defects worked round."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer import fetcher
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.producer import sender

from stream_enforcer.settings import Kafka, kafka_security

UNREACHABLE: Final = (KafkaError, OSError)
"""What the clients raise when the cluster does not answer, or refuses."""

MAX_BATCH_BYTES: Final = 1_000_000
"""Most bytes of one produced batch, before compression; brokers refuse more by default."""
RETRY_BACKOFF_MS: Final = 30
PAUSE_BETWEEN_TRANSACTIONS: Final = 0.003
"""Seconds that a producer waits when the broker still writes the markers of its last transaction."""

_NEVER_MS: Final = 2**31 - 1
"""A partition that restores for long is not polled, and is no reason to leave the group; kafka/watch.py tells
long work from a client that is stuck."""


class Producer(AIOKafkaProducer):  # type: ignore[misc]  # the client is untyped
    """A producer that can be left in the middle of anything."""

    async def abandon(self) -> None:
        """Let go of connections and of what was to be sent; for one that did not stop.

        `stop` waits for the last batches, which never expire. A producer left alone there would try to send them
        for ever.
        """
        unsent = self._message_accumulator
        for batch in chain(*unsent._batches.values(), unsent._pending_batches):  # noqa: SLF001 - no public way
            batch.future.cancel()
            batch._drain_waiter.cancel()  # noqa: SLF001
        sending = _tasks_of(self._sender)
        for task in sending:
            task.cancel()
        await self.client.close()
        if sending:
            await asyncio.wait(sending)


def _tasks_of(owner: object) -> list[asyncio.Task[Any]]:
    """Return the tasks that run an object's own methods; the sender keeps no account of those that it starts."""
    tasks = asyncio.all_tasks()
    frames = ((task, getattr(task.get_coro(), "cr_frame", None)) for task in tasks)
    return [task for task, frame in frames if frame is not None and frame.f_locals.get("self") is owner]


@dataclass(frozen=True, slots=True)
class Clients:
    """Makes the clients of one service."""

    settings: Kafka

    def _connection(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.settings.bootstrap_servers, **kafka_security(self.settings)}

    def group_consumer(self) -> AIOKafkaConsumer:
        """Return the consumer of the input topics; positions come from the checkpoint, never from the group."""
        settings = self.settings
        return AIOKafkaConsumer(
            group_id=settings.group,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="none",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=min(3_000, settings.session_timeout_ms // 4),
            rebalance_timeout_ms=30_000,
            max_poll_interval_ms=_NEVER_MS,
            max_partition_fetch_bytes=settings.max_partition_fetch_bytes,
            fetch_max_wait_ms=100,
            **self._connection(),
        )

    def reader(self, isolation: str = "read_committed") -> AIOKafkaConsumer:
        """Return a consumer outside any group, for bounded reads and offset look-ups."""
        return AIOKafkaConsumer(
            group_id=None,
            enable_auto_commit=False,
            isolation_level=isolation,
            auto_offset_reset="none",
            max_partition_fetch_bytes=4 << 20,
            fetch_max_wait_ms=100,
            **self._connection(),
        )

    def producer(self, transactional_id: str | None) -> Producer:
        """Return a producer; `start` fences every earlier one with the same transactional id."""
        more: dict[str, Any] = {}
        if transactional_id is not None:
            more["transactional_id"] = transactional_id
            more["transaction_timeout_ms"] = self.settings.transaction_timeout_ms
        return Producer(
            enable_idempotence=True,  # with it come acks=all and no record twice
            compression_type="zstd",
            max_batch_size=MAX_BATCH_BYTES,
            max_request_size=4 * MAX_BATCH_BYTES,
            linger_ms=0,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            **more,
            **self._connection(),
        )

    def admin(self) -> AIOKafkaAdminClient:
        """Return an admin client."""
        return AIOKafkaAdminClient(**self._connection())


def _contains_abort_marker(_self: object, batch: Iterator[Any]) -> bool:
    # The cleaner keeps control batches whose markers it removed. The client takes such an empty one for an
    # error, and a read_committed read of a compacted topic then never gets past it; Java answers False.
    control = next(batch, None)
    return control is not None and fetcher.ControlRecord.parse(control.key) == fetcher.ABORT_MARKER


fetcher.PartitionRecords._contains_abort_marker = _contains_abort_marker  # noqa: SLF001 - no public way
sender.BACKOFF_OVERRIDE = PAUSE_BETWEEN_TRANSACTIONS
