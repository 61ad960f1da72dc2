"""Kafka clients with the settings that exactly once needs, and the client's known defects worked round."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import OAuthAuthenticator
from aiokafka.consumer import fetcher
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    ProducerFenced,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.producer import sender

from stream_enforcer.kafka.token import Tokens
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


FENCED: Final = (ProducerFenced, InvalidProducerEpoch)


class Producer(AIOKafkaProducer):  # type: ignore[misc]  # the client is untyped
    """A producer that can be left in the middle of anything."""

    @property
    def fenced(self) -> bool:
        """Whether a newer producer has its id. What the call in hand raises may be something else."""
        sending = self._sender.sender_task
        return (
            sending is not None
            and sending.done()
            and not sending.cancelled()
            and isinstance(sending.exception(), FENCED)
        )

    async def stop(self) -> None:
        """Stop; a failure of the transaction or of a batch that nobody waits for is no news by then."""
        await super().stop()
        waiters = [batch.future for batch in self._unsent()]
        waiters += [batch._drain_waiter for batch in self._unsent()]  # noqa: SLF001 - no public way
        if self._txn_manager is not None and self._txn_manager._transaction_waiter is not None:  # noqa: SLF001
            waiters.append(self._txn_manager._transaction_waiter)  # noqa: SLF001
        for waiter in waiters:
            if waiter.done() and not waiter.cancelled():
                waiter.exception()

    async def abandon(self) -> None:
        """Let go of connections and of what was to be sent; for one that did not stop.

        `stop` waits for the last batches, which never expire. A producer left alone there would try to send them
        for ever.
        """
        for batch in self._unsent():
            batch.future.cancel()
            batch._drain_waiter.cancel()  # noqa: SLF001
        sending = _tasks_of(self._sender)
        for task in sending:
            task.cancel()
        await self.client.close()
        if sending:
            await asyncio.wait(sending)

    def _unsent(self) -> list[Any]:
        batches = self._message_accumulator
        return [*chain(*batches._batches.values()), *batches._pending_batches]  # noqa: SLF001 - no public way


def _tasks_of(owner: object) -> list[asyncio.Task[Any]]:
    """Return the tasks that run an object's own methods; the sender keeps no account of those that it starts."""
    tasks = asyncio.all_tasks()
    frames = ((task, getattr(task.get_coro(), "cr_frame", None)) for task in tasks)
    return [task for task, frame in frames if frame is not None and frame.f_locals.get("self") is owner]


def security_arguments(kafka: Kafka) -> dict[str, Any]:
    """Return the security arguments of a client or a connection.

    Raises:
        BadSettings: See `kafka_security`.
    """
    arguments = kafka_security(kafka)
    ask = arguments.pop("sasl_oauth_token_provider", None)
    return arguments if ask is None else {**arguments, "sasl_oauth_token_provider": Tokens(ask)}


def raise_group_error(consumer: AIOKafkaConsumer) -> None:
    """Raise what the group's coordinator refused, if anything; the client tells it only to one who polls.

    Without an assignment nobody polls, and a group that may not be read is then a silence without end.

    Raises:
        KafkaError: The refusal. The client then asks the coordinator again.
    """
    consumer._coordinator.check_errors()  # noqa: SLF001 - no public way


@dataclass(frozen=True, slots=True)
class Clients:
    """Makes the clients of one service."""

    settings: Kafka

    def _connection(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.settings.bootstrap_servers, **security_arguments(self.settings)}

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

    def reader(self, isolation: str = "read_committed", fetch_bytes: int = 4 << 20) -> AIOKafkaConsumer:
        """Return a consumer outside any group, for bounded reads and offset look-ups.

        Args:
            isolation: What it sees of transactions.
            fetch_bytes: Most bytes of a partition, as they lie in the log, in one answer; a batch is always whole.
        """
        return AIOKafkaConsumer(
            group_id=None,
            enable_auto_commit=False,
            isolation_level=isolation,
            auto_offset_reset="none",
            max_partition_fetch_bytes=fetch_bytes,
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


_next_oauth_step = OAuthAuthenticator.step


async def _oauth_step(self: Any, payload: bytes | None) -> Any:
    # A broker that refuses a token says so in its answer, and not as an error. The client takes every answer for a
    # welcome, asks on, and is shown a cluster without brokers.
    if payload:
        raise SaslAuthenticationFailed(f"the token is refused: {payload.decode(errors='replace')[:200]}")
    return await _next_oauth_step(self, payload)


_handle_offset_commit = sender.TxnOffsetCommitHandler.handle_response


def _offset_commit_answered(self: Any, response: Any) -> Any:
    # The client names no topic in this denial, where it does in all others.
    for topic, partitions in response.errors:
        if any(for_code(code) is TopicAuthorizationFailedError for _, code in partitions):
            raise TopicAuthorizationFailedError(topic)
    return _handle_offset_commit(self, response)


OAuthAuthenticator.step = _oauth_step
sender.TxnOffsetCommitHandler.handle_response = _offset_commit_answered
fetcher.PartitionRecords._contains_abort_marker = _contains_abort_marker  # noqa: SLF001 - no public way
sender.BACKOFF_OVERRIDE = PAUSE_BETWEEN_TRANSACTIONS
