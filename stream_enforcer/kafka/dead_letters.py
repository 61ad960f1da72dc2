"""Dead letters: the source's bytes untouched, and headers that say where they came from and what is wrong."""

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final, Literal, NamedTuple

from stream_enforcer.domain.events import Malformed

APP: Final = "stream-enforcer"
VERSION: Final = version(APP)

MAX_MESSAGE_BYTES: Final = 1024
MAX_KEY_BYTES: Final = 1024
MAX_PAYLOAD_BYTES: Final = (1 << 20) - (1 << 14)
"""A key and value over this are cut, or the broker would refuse the dead letter; a header says so."""

Header = tuple[str, bytes]

OURS: Final = frozenset(
    {
        *("dlq.id", "dlq.redrive.count", "dlq.truncated.bytes", "dlq.failed.at"),
        *("dlq.original.topic", "dlq.original.partition", "dlq.original.offset"),
        *("dlq.original.timestamp", "dlq.original.timestamp.type"),
        *("dlq.error.stage", "dlq.error.class", "dlq.error.message"),
        *("dlq.app", "dlq.app.version", "dlq.group"),
    }
)
"""The headers that a dead letter gets; all others are the source's."""

_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,249}-[0-9]{1,10}-[0-9]{1,19}")


class Source(NamedTuple):
    """The record that is dead, with all that the client said of it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int | None
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]

    @classmethod
    def of(cls, record: Any) -> "Source":
        """Take what the client says of a record."""
        return cls(
            record.topic,
            record.partition,
            record.offset,
            record.timestamp,
            record.timestamp_type,
            record.key,
            record.value,
            record.headers,
        )


class DeadLetter(NamedTuple):
    """What is published: key, value and headers."""

    key: bytes | None
    value: bytes | None
    headers: list[Header]


def dead_letter(source: Source, why: Malformed, group: str, failed_at_ms: int) -> DeadLetter:
    """Turn a malformed record into a dead letter.

    Args:
        source: The record.
        why: Stage, class and message of the failure.
        group: The consumer group that read it.
        failed_at_ms: Time of the failure, epoch milliseconds.

    Returns:
        The dead letter. A record that was sent back keeps the id that it got when it failed first.
    """
    redrives = _redrives(source.headers)
    oversize = _size(source) > MAX_PAYLOAD_BYTES
    stage: Literal["decode", "validate", "oversize"] = "oversize" if oversize else why.stage
    fields: dict[str, Any] = {
        "dlq.id": (_kept_id(source.headers) if redrives else None)
        or f"{source.topic}-{source.partition}-{source.offset}",
        "dlq.original.topic": source.topic,
        "dlq.original.partition": source.partition,
        "dlq.original.offset": source.offset,
        "dlq.original.timestamp": source.timestamp,
        "dlq.original.timestamp.type": "LogAppendTime" if source.timestamp_type == 1 else "CreateTime",
        "dlq.error.stage": stage,
        "dlq.error.class": why.error,
        "dlq.error.message": why.message.encode()[:MAX_MESSAGE_BYTES].decode(errors="ignore"),
        "dlq.app": APP,
        "dlq.app.version": VERSION,
        "dlq.group": group,
        "dlq.failed.at": failed_at_ms,
        "dlq.redrive.count": redrives,
    }
    if not oversize:
        theirs = [(name, value) for name, value in source.headers if name not in fields]
        return DeadLetter(source.key, source.value, theirs + _encoded(fields))
    key, value = _cut(source)
    fields["dlq.truncated.bytes"] = _size(source) - len(key or b"") - len(value or b"")
    return DeadLetter(key, value, _encoded(fields))


def _encoded(fields: dict[str, Any]) -> list[Header]:
    return [(name, str(value).encode()) for name, value in fields.items()]


def _size(source: Source) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in source.headers)
    return len(source.key or b"") + len(source.value or b"") + headers


def _cut(source: Source) -> tuple[bytes | None, bytes | None]:
    key = None if source.key is None else source.key[:MAX_KEY_BYTES]
    room = MAX_PAYLOAD_BYTES - len(key or b"")
    return key, None if source.value is None else source.value[:room]


def _redrives(headers: Sequence[tuple[str, bytes | None]]) -> int:
    """Return how often the record was sent back; a count that is none, or has no end, is 0."""
    for name, value in headers:
        if name == "dlq.redrive.count" and value is not None and len(value) <= 9 and value.isdigit():
            return int(value)
    return 0


def _kept_id(headers: Sequence[tuple[str, bytes | None]]) -> str | None:
    """Return the id that the record carries from its first failure, or None where it has none that could be one."""
    for name, value in headers:
        if name == "dlq.id" and value is not None and _ID.fullmatch(value):
            return value.decode()
    return None
