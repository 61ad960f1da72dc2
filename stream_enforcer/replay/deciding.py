"""The service's engine over history: what it would have published, in the order in which it would have."""

from typing import TYPE_CHECKING

from stream_enforcer.domain.decision import Decision
from stream_enforcer.domain.engine import Emit, step
from stream_enforcer.domain.events import EventKind
from stream_enforcer.domain.records import Record
from stream_enforcer.domain.world import World

if TYPE_CHECKING:
    from stream_enforcer.domain.account import Account


class Deciding:
    """Takes records in the order of history, and remembers accounts as the service does.

    Args:
        world: Policy and reference data, the same from the first record to the last.
        emit: Whether every event has a decision, or only one that changes something.
    """

    def __init__(self, world: World, emit: Emit) -> None:
        self._world = world
        self._emit = emit
        self._accounts: dict[bytes, Account] = {}

    def take(self, kind: EventKind | None, record: Record) -> Decision | None:
        """Return the decision that a record causes; None where it causes none, or is no event."""
        key = record.key
        known = None if key is None else self._accounts.get(key)
        caused = step(record, kind, known, self._world, self._emit)
        if caused.account is not None and key is not None:
            self._accounts[key] = caused.account
        return caused.decision
