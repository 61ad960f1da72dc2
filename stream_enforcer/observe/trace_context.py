"""W3C Trace Context, as producers put it into the headers of a record."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
MOST_LINKS: Final = 128
"""Records of one span that are linked to their traces; so many does a span hold by default."""

_IDS: Final = rb"-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
_TRACEPARENT: Final = re.compile(rb"00%b|(?!00|ff)[0-9a-f]{2}%b(?:-[!-~]{0,200})?" % (_IDS, _IDS))
"""Version, trace id, span id, flags: W3C Trace Context, 3.2. Zeros are no ids, ff is no version, and none but a later
version than 00 may say more behind the flags."""
_TRACESTATE: Final = re.compile(rb"[ -~\t]{1,512}")


class TraceContext(NamedTuple):
    """The span that sent a record, as its headers say it: bytes that are passed on as they are.

    Attributes:
        traceparent: Trace and span.
        tracestate: What tracing systems add; None where there is nothing, or more than 512 bytes.
    """

    traceparent: bytes
    tracestate: bytes | None

    def headers(self) -> list[tuple[str, bytes]]:
        """Return the headers that say it."""
        said = [(TRACEPARENT, self.traceparent)]
        return said if self.tracestate is None else [*said, (TRACESTATE, self.tracestate)]


def trace_context(headers: Sequence[tuple[str, bytes | None]]) -> TraceContext | None:
    """Read the trace context of a record; None where its headers hold none that is valid.

    Of several headers of one name the last one counts, as everywhere in Kafka.
    """
    said = dict(headers)
    traceparent, tracestate = said.get(TRACEPARENT), said.get(TRACESTATE)
    if traceparent is None or not _TRACEPARENT.fullmatch(traceparent):
        return None
    fits = tracestate is not None and _TRACESTATE.fullmatch(tracestate)
    return TraceContext(traceparent, tracestate if fits else None)


class Link(NamedTuple):
    """A record that belongs to a trace, by its coordinates."""

    context: TraceContext
    topic: str
    partition: int
    offset: int


@dataclass(slots=True)
class Traces:
    """Which traces the records of a piece of work belong to.

    Attributes:
        began_ms: When the first of them was taken, epoch milliseconds; 0 before.
        carried: How many belong to one.
        links: The first of those, 128 at most.
    """

    began_ms: int = 0
    carried: int = 0
    links: list[Link] = field(default_factory=list)

    def note(self, records: Iterable[Any], now_ms: int) -> None:
        """Note the traces of records that were taken now."""
        self.began_ms = self.began_ms or now_ms
        for record in records:
            context = trace_context(record.headers) if record.headers else None
            if context is None:
                continue
            self.carried += 1
            if len(self.links) < MOST_LINKS:
                self.links.append(Link(context, record.topic, record.partition, record.offset))
