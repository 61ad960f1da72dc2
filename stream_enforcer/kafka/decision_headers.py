"""Headers of a decision's record: the trace that it belongs to, and its attributes as a CloudEvent."""

from collections.abc import Sequence
from typing import Final

from stream_enforcer.domain.decision import Decision
from stream_enforcer.kafka.dead_letters import Header
from stream_enforcer.kafka.transaction import NO_HEADERS
from stream_enforcer.observe.trace_context import trace_context

CLOUDEVENT_TYPE: Final = "stream-enforcer.decision.v1"
"""Changes its number when readers of the old decisions could not read the new ones."""

_SPECVERSION: Final = ("ce_specversion", b"1.0")
_TYPE: Final = ("ce_type", CLOUDEVENT_TYPE.encode())
_CONTENT_TYPE: Final = ("content-type", b"application/json")


def decision_headers(
    decision: Decision | None, cause: Sequence[tuple[str, bytes | None]], source: str | None
) -> list[Header]:
    """Return the headers of a decision. They follow from the record that caused it: judged again, it has the same.

    Args:
        decision: The decision; None where there is none.
        cause: The headers of the record that caused it; none where no record did.
        source: What the decision names as its source as a CloudEvent, in binary mode; None for no CloudEvent.
    """
    if decision is None or (not cause and source is None):
        return NO_HEADERS
    trace = trace_context(cause)
    headers = [] if trace is None else trace.headers()
    return headers if source is None else headers + _cloudevent(decision, source)


def _cloudevent(decision: Decision, source: str) -> list[Header]:
    """Return the attributes of CloudEvents 1.0 as its Kafka binding names them."""
    return [
        _SPECVERSION,
        _TYPE,
        ("ce_source", source.encode()),
        ("ce_id", decision.decision_id.encode()),
        ("ce_time", decision.event_time.encode()),
        _CONTENT_TYPE,
    ]
