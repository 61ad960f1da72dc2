"""Spans of OpenTelemetry, one for each transaction. The only file that imports it, and imported only where it is on."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from threading import Thread
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link as SpanLink
from opentelemetry.trace import SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from stream_enforcer.observe.spans import Traced
from stream_enforcer.observe.trace_context import Link

APP: Final = "stream-enforcer"
_W3C: Final = TraceContextTextMapPropagator()


def start_exporting(group: str) -> "TransactionSpans":
    """Return what makes spans and sends them by OTLP over HTTP, from a thread of its own.

    Where they go, which ones and under which name is set by OpenTelemetry's own variables, such as
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER and OTEL_SERVICE_NAME.
    """
    ours = Resource({"service.name": APP, "service.version": version(APP)})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return TransactionSpans(provider, group)


class TransactionSpans:
    """Makes spans by the semantic conventions for messaging.

    Nothing of a record's key or value gets in: its coordinates tell which it was.

    Args:
        provider: Makes the tracer.
        group: The consumer group.
    """

    def __init__(self, provider: TracerProvider, group: str) -> None:
        self._provider = provider
        self._group = group
        self._tracer = provider.get_tracer(APP, version(APP))

    @contextmanager
    def transaction(self, partition: int, work: Traced) -> Iterator[None]:
        """Make a span around a commit; it began when the first record was taken, and is linked to their traces."""
        topics = [topic for topic, count in work.records.items() if count]
        span = self._tracer.start_span(
            f"process {topics[0]}" if len(topics) == 1 else "process",
            context=Context(),  # a root: many traces come together here, and it is linked to each
            kind=SpanKind.CONSUMER,
            attributes=self._attributes(partition, work, topics),
            links=[_linked(link) for link in work.traces.links],
            start_time=work.traces.began_ms * 1_000_000 or None,
        )
        try:
            span.add_event("commit")
            yield
        except BaseException as error:
            # Its class alone: what a client's error says may quote what it was about.
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            span.end()

    def _attributes(self, partition: int, work: Traced, topics: list[str]) -> dict[str, AttributeValue]:
        destination = {"messaging.destination.name": topics[0]} if len(topics) == 1 else {}
        return {
            **destination,
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": self._group,
            "messaging.destination.partition.id": str(partition),
            "messaging.batch.message_count": sum(work.records.values()),
            "stream_enforcer.traced_records": work.traces.carried,
            "stream_enforcer.decisions": len(work.decisions),
            "stream_enforcer.dead_letters": len(work.dead_letters),
        }

    def end(self, seconds: float) -> None:
        """Send what is left, for so long at most; blocks."""
        # The library's own limit is 30 seconds. Its threads, as this one, end with the process.
        ending = Thread(target=self._provider.shutdown, name="spans", daemon=True)
        ending.start()
        ending.join(seconds)


def _linked(link: Link) -> SpanLink:
    headers = {name: value.decode() for name, value in link.context.headers()}
    sender = get_current_span(_W3C.extract(headers, Context())).get_span_context()
    return SpanLink(
        sender,
        {
            "messaging.destination.name": link.topic,
            "messaging.destination.partition.id": str(link.partition),
            "messaging.kafka.offset": link.offset,
        },
    )
