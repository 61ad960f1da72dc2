"""One record of each kind, for the contracts: real ones, the decision decided by the packaged policy."""

from typing import Any, Final

import orjson

from stream_enforcer.domain.engine import step
from stream_enforcer.domain.events import EARLIEST_MS, Malformed
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.kafka.dead_letters import Source, dead_letter
from stream_enforcer.kafka.decision_headers import decision_headers
from stream_enforcer.observe.trace_context import TRACEPARENT
from stream_enforcer.reference.world_files import load_world

Json = dict[str, Any]

ACCOUNT: Final = "tangerine"
TRACE: Final = (TRACEPARENT, b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")

SIGNUP: Final[Json] = {
    "type": "signup",
    "event_id": "ev-1",
    "account_id": ACCOUNT,
    "occurred_at": "2026-11-20T09:05:00Z",
    "ip": "203.0.113.7",
    "declared_country": "RU",
    "organization": {"name": "Tangerine Robotics", "country": "DE", "registration_number": "HRB-EX-0042"},
}
USAGE: Final[Json] = {
    "type": "usage",
    "event_id": "ev-2",
    "account_id": ACCOUNT,
    "occurred_at": 1795338300000,
    "ip": "2001:db8::7",
    "model": "small",
    "input_tokens": 900,
    "output_tokens": 250,
    "cost_usd_micros": 4100,
}
OVERRIDE: Final[Json] = {
    "type": "override",
    "event_id": "ev-3",
    "account_id": ACCOUNT,
    "occurred_at": "2026-11-21T10:00:00Z",
    "override_id": "case-17",
    "action": "allow",
    "reason": "moved to Germany; papers seen",
    "requested_by": "ann",
    "approved_by": "bob",
    "expires_at": "2027-05-21T10:00:00Z",
    "rules": ["declared-country-restricted"],
}
ENTITY: Final[Json] = {
    "kind": "entity",
    "id": "ex:amber-harbour",
    "name": "Amber Harbour Holdings Pte. Ltd.",
    "type": "company",
    "country": "SG",
    "identifiers": {"registration_number": "EX-2021-7"},
}
STAKE: Final[Json] = {
    "kind": "stake",
    "id": "ex:amber-harbour>ex:tangerine",
    "holder": "ex:amber-harbour",
    "held": "ex:tangerine",
    "share": "60",
    "since": "2021-01-01",
    "source": "annual return",
}


def decided() -> tuple[Json, Json]:
    """Return the decision that the signup leads to, and its headers, all that it can have."""
    record = StoredRecord("signups", 0, 41, EARLIEST_MS, ACCOUNT.encode(), orjson.dumps(SIGNUP))
    decision = step(record, "signup", None, load_world(None, (), ()).world, "transitions").decision
    if decision is None:
        raise ValueError("the first event of an account leads to a decision")
    headers = decision_headers(decision, (TRACE,), "/stream-enforcer/example")
    return orjson.loads(decision.value), _text(headers)


def dead() -> Json:
    """Return the headers of a dead letter."""
    source = Source("signups", 0, 42, 1795165500000, 0, ACCOUNT.encode(), b"{}", (TRACE,))
    why = Malformed("validate", "missing", "type: Field required (and 3 more)")
    return _text(dead_letter(source, why, "stream-enforcer", 1795165500250).headers)


def _text(headers: list[tuple[str, bytes]]) -> Json:
    return {name: value.decode() for name, value in headers}
