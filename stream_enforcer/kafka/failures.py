"""Which failures end the service, and which end a task's turn only."""

from typing import Final

from aiokafka.errors import IllegalOperation, KafkaError

from stream_enforcer.kafka.changelog import RestoreStalled
from stream_enforcer.kafka.transaction import Unread

TRANSIENT: Final = (
    KafkaError,
    IllegalOperation,
    TimeoutError,
    OSError,
    RestoreStalled,
    AssertionError,
    Unread,
)
"""Retried from the changelog. The client checks its own state with assertions, so a dead sender shows as one; a
producer that is fenced between two sends of a commit says that there is no transaction, which is no KafkaError."""


class Fatal(Exception):
    """The service must end; its message says what to do."""


class GivenAway(Exception):
    """The group says that this replica owns the partition no longer."""
