"""Read dead letters, and send them back to where they came from."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from stream_enforcer.domain.events import LATEST_MS
from stream_enforcer.kafka.bounded_read import records_of
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.dead_letters import OURS, Header
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within
from stream_enforcer.kafka.topics import MEND, TopicsMismatch, partition_counts
from stream_enforcer.settings import Settings, Topics

MOST_DIGITS: Final = 19
AT_ONCE: Final = 500
"""Records that are under way to the broker at one time."""


@dataclass(frozen=True, slots=True)
class Found:
    """A dead letter as it stands in its topic.

    Attributes:
        id: Of the first failure.
        topic, partition, offset: Where the record stood that failed.
        stage, error, message: What is wrong with it.
        failed_at: Time of the failure, epoch milliseconds.
        redrives: How often it was sent back before.
        key, value: The source's bytes; cut where `stage` is "oversize".
        headers: The source's own headers.
    """

    id: str
    topic: str
    partition: int
    offset: int
    stage: str
    error: str
    message: str
    failed_at: int
    redrives: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]

    @classmethod
    def of(cls, record: Any) -> Self | None:
        """Read a record of the dead-letter topic; None where its headers are not those of a dead letter."""
        headers = {name: value for name, value in record.headers if name in OURS and value is not None}
        try:
            return cls(
                id=_text(headers["dlq.id"]),
                topic=_text(headers["dlq.original.topic"]),
                partition=_number(headers["dlq.original.partition"]),
                offset=_number(headers["dlq.original.offset"]),
                stage=_text(headers["dlq.error.stage"]),
                error=_text(headers["dlq.error.class"]),
                message=_text(headers["dlq.error.message"]),
                failed_at=_number(headers["dlq.failed.at"], LATEST_MS),
                redrives=_number(headers["dlq.redrive.count"]),
                key=record.key,
                value=record.value,
                headers=tuple((name, value) for name, value in record.headers if name not in OURS),
            )
        except (KeyError, ValueError):
            return None


def _number(value: bytes, end: int = 1 << 63) -> int:
    number = int(value) if value.isdigit() and len(value) <= MOST_DIGITS else -1
    if not 0 <= number < end:
        raise ValueError("is no number in its range")
    return number


def _text(value: bytes) -> str:
    """Decode a header; what a terminal would obey is replaced."""
    return "".join(c if c.isprintable() else "\ufffd" for c in value.decode())


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters to take; None takes all.

    Attributes:
        since: Earliest time of the failure, epoch milliseconds.
        error: Class of the error.
        topic: Topic that the record came from.
        partition: Partition that the record came from.
    """

    since: int | None = None
    error: str | None = None
    topic: str | None = None
    partition: int | None = None

    def takes(self, letter: Found) -> bool:
        """Tell whether the letter is one of them."""
        return (
            (self.since is None or letter.failed_at >= self.since)
            and self.error in (None, letter.error)
            and self.topic in (None, letter.topic)
            and self.partition in (None, letter.partition)
        )


class NotAllSent(Exception):
    """Kafka failed while dead letters were sent back; the message says how many were."""


async def dead_letters(settings: Settings, wanted: Wanted) -> AsyncGenerator[Found | None, None]:
    """Yield the committed dead letters, partition by partition, up to their topic's end at the start.

    Yields:
        A wanted dead letter, or None for a record that is no dead letter.

    Raises:
        TopicsMismatch: There is no topic of dead letters.
        ReadStalled: No progress for a while.
        KafkaError, OSError: The cluster does not answer.
    """
    clients, topic = Clients(settings.kafka), settings.topics.dead_letters
    count = (await partition_counts(clients)).get(topic)
    if count is None:
        raise TopicsMismatch(f"missing topics: {topic}; {MEND}")
    reader = clients.reader()
    await reader.start()
    try:
        for partition in range(count):
            async for record in records_of(reader, TopicPartition(topic, partition)):
                letter = Found.of(record)
                if letter is None or wanted.takes(letter):
                    yield letter
    finally:
        await end_within(CLOSE_SECONDS, reader.stop())


def newest(letters: Iterable[Found]) -> list[Found]:
    """Keep the last failure of each record: one that was sent back before has a dead letter for each time."""
    last: dict[str, Found] = {}
    for letter in letters:
        before = last.pop(letter.id, None)
        last[letter.id] = before if before is not None and before.redrives > letter.redrives else letter
    return list(last.values())


def refusal(letter: Found, topics: Topics, counts: Mapping[str, int]) -> str | None:
    """Say why a dead letter cannot be sent back; None when it can."""
    if letter.stage == "oversize":
        return "cut, because it was too large"
    if letter.topic not in (topics.signups, topics.usage, topics.overrides):
        return "not from an input topic of these settings"
    if not 0 <= letter.partition < counts.get(letter.topic, 0):
        return "from a partition that is not there"
    return None


async def send_back(settings: Settings, letters: Iterable[Found]) -> int:
    """Send the sources of dead letters back to their partitions, in order; return how many.

    Raises:
        NotAllSent: Kafka failed midway.
        KafkaError, OSError: The cluster does not answer.
    """
    producer = Clients(settings.kafka).producer(None)
    await producer.start()
    sent, waiting = 0, []
    try:
        for letter in letters:
            headers = [
                *letter.headers,
                ("dlq.id", letter.id.encode()),
                ("dlq.redrive.count", str(letter.redrives + 1).encode()),
            ]
            waiting.append(
                await producer.send(
                    letter.topic, letter.value, letter.key, partition=letter.partition, headers=headers
                )
            )
            if len(waiting) >= AT_ONCE:
                sent, waiting = sent + await _acknowledged(waiting), []
        return sent + await _acknowledged(waiting)
    except (KafkaError, OSError) as error:
        raise NotAllSent(f"at least {sent} were sent back, then: {error}") from error
    finally:
        await end_within(CLOSE_SECONDS, producer.stop())


async def _acknowledged(waiting: list[asyncio.Future[Any]]) -> int:
    return len(await asyncio.gather(*waiting))
