"""Builders of events, for tests."""

import json
from hashlib import sha256
from typing import Any, Final

from stream_enforcer.domain.events import MS_PER_DAY

Json = dict[str, Any]

FIRST_DAY: Final = 20_513 * MS_PER_DAY
"""2026-03-01T00:00:00Z, where the driver's clock starts, in epoch milliseconds."""


def signup(account: str = "a", **fields: Any) -> Json:
    """Build a signup event.

    Args:
        account: The account id.
        fields: Further fields of the event. `occurred_at` is 2026-03-01 unless given, and `event_id` follows from
            the content: equal events have equal ids.
    """
    return _event("signup", account, fields)


def usage(account: str = "a", **fields: Any) -> Json:
    """Build a usage event; see `signup`."""
    return _event("usage", account, fields)


def override(account: str = "a", action: str = "allow", **fields: Any) -> Json:
    """Build an override by two people; see `signup`."""
    people = {"reason": "looked at", "requested_by": "ann", "approved_by": "bob", "override_id": "o1"}
    return _event("override", account, {"action": action, **people, **fields})


def _event(kind: str, account: str, fields: Json) -> Json:
    event = {"type": kind, "account_id": account, "occurred_at": FIRST_DAY, **fields}
    event.setdefault("event_id", sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()[:16])
    return event
