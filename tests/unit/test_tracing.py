"""Traces: from the event to the decision by header, and a span for each transaction, linked to its records."""

import gzip
import importlib
import logging
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.propagate import extract
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, get_current_span
from typer.testing import CliRunner

from stream_enforcer.cli import app
from stream_enforcer.kafka.work import Work
from stream_enforcer.observe import spans as spans_module
from stream_enforcer.observe.spans import NO_SPANS, check_tracing, start_spans
from stream_enforcer.observe.trace_context import MOST_LINKS, trace_context
from stream_enforcer.observe.tracing import TransactionSpans
from stream_enforcer.settings import BadSettings, Settings
from stream_enforcer.testing import RawRecord, policy_world, signup, usage
from tests.builders import ClientRecord
from tests.traced import HeadedDriver

PARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
STATE = b"vendor=opaque,other=1"
TRACED = (("traceparent", PARENT), ("tracestate", STATE))


def span_id(number: int) -> bytes:
    return b"00-4bf92f3577b34da6a3ce929d0e0e4736-%016x-01" % number


def traced(event: dict[str, Any], *headers: tuple[str, bytes]) -> RawRecord:
    topic = {"signup": "signups", "usage": "usage"}[event["type"]]
    return RawRecord(topic, event["account_id"].encode(), orjson.dumps(event), headers)


def client(record: RawRecord, offset: int) -> ClientRecord:
    return ClientRecord(record.topic, 0, offset, 0, 0, record.key, record.value, tuple(record.headers))


@pytest.fixture
def exported() -> Iterator[tuple[TransactionSpans, InMemorySpanExporter]]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = TransactionSpans(provider, "enforcer")
    yield spans, exporter
    spans.end(1)


def worked(exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    """Give the spans of transactions that took records."""
    return [
        span
        for span in exporter.get_finished_spans()
        if (span.attributes or {})["messaging.batch.message_count"]
    ]


@pytest.mark.parametrize(
    "value",
    [
        PARENT,
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff",
        b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what.the.future",
    ],
)
def test_a_valid_traceparent_goes_on_as_it_is(value: bytes) -> None:
    found = trace_context([("traceparent", value)])
    assert found is not None
    assert found.headers() == [("traceparent", value)]
    assert get_current_span(extract({"traceparent": value.decode()})).get_span_context().is_valid


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"00",
        PARENT.upper(),
        PARENT + b"-more",
        PARENT + b"\n",
        b" " + PARENT,
        PARENT[:-1],
        b"ff" + PARENT[2:],
        b"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        b"cc" + PARENT[2:] + b"-" + b"x" * 300,
        b"cc" + PARENT[2:] + b"x",
        b"cc" + PARENT[2:] + b"-\x00",
        b"\xff" * 55,
    ],
)
def test_what_is_no_traceparent_goes_nowhere(value: bytes | None) -> None:
    assert trace_context([("traceparent", value), ("tracestate", STATE)]) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_a_trace_context_or_none(value: bytes) -> None:
    assert trace_context([("traceparent", value)]) is None


def test_without_a_traceparent_a_tracestate_says_nothing() -> None:
    assert trace_context([("tracestate", STATE)]) is None
    assert trace_context([]) is None


@pytest.mark.parametrize("state", [None, b"", b"a" * 513, b"a=\x00", b"a=\n", b"\xc3\xa4=1"])
def test_a_tracestate_that_is_none_is_left_out(state: bytes | None) -> None:
    found = trace_context([("traceparent", PARENT), ("tracestate", state)])
    assert found is not None
    assert found.headers() == [("traceparent", PARENT)]


def test_the_last_header_of_a_name_counts() -> None:
    found = trace_context([("traceparent", b"old"), ("traceparent", PARENT), ("tracestate", STATE)])
    assert found is not None
    assert found.headers() == list(TRACED)


def test_a_decision_carries_the_trace_of_the_event_that_caused_it() -> None:
    with HeadedDriver(policy_world()) as service:
        service.pipe(traced(signup("a", declared_country="CN"), ("other", b"x"), *TRACED))
        service.pipe(traced(signup("b"), ("traceparent", b"broken")))
        assert service.headers() == [list(TRACED), []]


def test_a_decision_that_no_event_caused_carries_no_trace() -> None:
    company = {"kind": "entity", "id": "e", "name": "n", "type": "company", "identifiers": {"lei": "L"}}
    with HeadedDriver(policy_world()) as service:
        service.pipe(traced(signup("a", organization={"name": "n", "lei": "L"}), *TRACED))
        service.restart(policy_world(ownership=[{**company, "country": "CN"}]))
        assert service.headers() == [list(TRACED), []]


def test_a_dead_letter_keeps_the_trace_of_its_source() -> None:
    with HeadedDriver(policy_world()) as service:
        service.pipe(RawRecord("usage", b"a", b"no JSON", TRACED))
        (letter,) = service.dead_letters()
    assert letter.headers[:2] == list(TRACED)


def test_a_transaction_is_a_span_that_is_linked_to_the_traces_of_its_records(
    exported: tuple[TransactionSpans, InMemorySpanExporter],
) -> None:
    spans, exporter = exported
    with HeadedDriver(policy_world(), spans, tracing="otlp") as service:
        service.pipe(traced(signup("a", declared_country="CN"), *TRACED))
    (span,) = worked(exporter)
    assert (span.name, span.kind, span.parent) == ("process signups", SpanKind.CONSUMER, None)
    assert span.status.status_code == StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "enforcer",
        "messaging.destination.name": "signups",
        "messaging.destination.partition.id": "0",
        "messaging.batch.message_count": 1,
        "stream_enforcer.traced_records": 1,
        "stream_enforcer.decisions": 1,
        "stream_enforcer.dead_letters": 0,
    }
    (link,) = span.links
    assert f"{link.context.trace_id:032x}-{link.context.span_id:016x}".encode() == PARENT[3:52]
    assert link.context.trace_state.to_header().encode() == STATE
    assert dict(link.attributes or {}) == {
        "messaging.destination.name": "signups",
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 0,
    }
    assert [event.name for event in span.events] == ["commit"]


def test_links_are_bounded_and_what_is_over_is_counted(
    exported: tuple[TransactionSpans, InMemorySpanExporter],
) -> None:
    spans, exporter = exported
    most = 3 * MOST_LINKS
    events = [traced(usage("a", event_id=f"{n}"), ("traceparent", span_id(n))) for n in range(1, most + 1)]
    driver = HeadedDriver(policy_world(), spans, tracing="otlp")
    with driver as service:
        partition = service._replica._tasks[0].partition
        records = [client(record, offset) for offset, record in enumerate(events)]
        partition.take("usage", records, 1)
        assert len(partition.pending.traces.links) == MOST_LINKS
        service._replica._tasks[0].gathered()
        service._go()
    (span,) = worked(exporter)
    assert (span.attributes or {})["stream_enforcer.traced_records"] == most
    assert [link.context.span_id for link in span.links] == list(range(1, MOST_LINKS + 1))


def test_a_commit_that_fails_is_a_span_that_says_so_and_no_more(
    exported: tuple[TransactionSpans, InMemorySpanExporter],
) -> None:
    spans, exporter = exported
    with HeadedDriver(policy_world(), spans, tracing="otlp") as service:
        service.fail_before("commit")
        service.pipe(traced(signup("a"), *TRACED))
        service.advance(1)
    failed, done = worked(exporter)
    assert failed.status.status_code == StatusCode.ERROR
    assert failed.status.description is None
    assert (failed.attributes or {})["error.type"] == "KafkaConnectionError"
    assert [event.name for event in failed.events] == ["commit"]
    assert done.status.status_code == StatusCode.UNSET
    assert [link.context for link in failed.links] == [link.context for link in done.links]


def test_nothing_of_a_person_is_in_a_span(exported: tuple[TransactionSpans, InMemorySpanExporter]) -> None:
    spans, exporter = exported
    marks = ("acctmark", "203.0.113.77", "orgmark")
    with HeadedDriver(policy_world(), spans, tracing="otlp") as service:
        service.pipe(traced(signup("acctmark", ip="203.0.113.77", organization={"name": "orgmark"}), *TRACED))
        service.pipe(RawRecord("usage", b"acctmark", b"acctmark", TRACED))
    said = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert said
    assert [mark for mark in marks if mark in said] == []


def test_nobody_looks_for_traces_where_spans_are_off() -> None:
    with HeadedDriver(policy_world()) as service:
        partition = service._replica._tasks[0].partition
        partition.take("signups", [client(traced(signup("a"), *TRACED), 0)], 1)
        assert partition.pending.traces.links == []
        assert partition.pending.decisions[0][2] == list(TRACED)


def test_without_the_setting_opentelemetry_is_not_even_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stream_enforcer.observe.tracing", None)
    assert start_spans(Settings()) is NO_SPANS
    with NO_SPANS.transaction(0, Work()), NO_SPANS.transaction(1, Work()):
        pass
    NO_SPANS.end(1)


def test_a_collector_that_does_not_answer_does_not_hold_the_process_up() -> None:
    stuck = threading.Event()

    class Stuck(InMemorySpanExporter):
        def export(self, spans: Any) -> Any:
            stuck.wait(20)
            return super().export(spans)

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Stuck()))
    spans = TransactionSpans(provider, "g")
    with spans.transaction(0, Work()):
        pass
    started = time.monotonic()
    spans.end(0.05)
    assert time.monotonic() - started < 5
    stuck.set()


class Collector(BaseHTTPRequestHandler):
    got: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.got.append((self.path, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_spans_are_sent_by_otlp_to_where_its_own_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        spans = start_spans(Settings(tracing="otlp"))
        with spans.transaction(3, Work()):
            pass
        spans.end(10)
        server.shutdown()
    ((path, body),) = Collector.got
    assert path == "/v1/traces"
    (sent,) = ExportTraceServiceRequest.FromString(body).resource_spans
    resource = {said.key: said.value.string_value for said in sent.resource.attributes}
    assert resource["service.name"] == "stream-enforcer"
    assert resource["deployment.environment.name"] == "test"
    (span,) = sent.scope_spans[0].spans
    attributes = {said.key: said.value.string_value for said in span.attributes}
    assert (span.name, attributes["messaging.destination.partition.id"]) == ("process", "3")


def test_the_name_of_the_service_can_be_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "enforcer-eu")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    spans = start_spans(Settings(tracing="otlp"))
    assert isinstance(spans, TransactionSpans)
    assert spans._provider.resource.attributes["service.name"] == "enforcer-eu"
    spans.end(5)


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers = list(root.handlers)
    yield
    root.handlers = handlers
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logging_as_before")
@pytest.mark.parametrize("command", ["run", "check"])
def test_spans_without_the_extra_are_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(spans_module, "NEEDED", ("no_such_package.sdk",))
    arguments = [command] if command == "run" else ["config", command]
    result = CliRunner().invoke(app, arguments, env={"STREAM_ENFORCER_TRACING": "otlp"})
    assert result.exit_code == 2
    assert "tracing" in result.stderr
    assert "STREAM_ENFORCER_TRACING" in result.stderr
    assert "stream-enforcer[otel]" in result.stderr


def test_what_is_needed_is_what_is_imported() -> None:
    check_tracing(Settings(tracing="otlp"))
    for module in spans_module.NEEDED:
        importlib.import_module(module)


def test_a_missing_package_is_told_however_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in ("opentelemetry.sdk.no_such", "no_such", "no_such.one"):
        monkeypatch.setattr(spans_module, "NEEDED", (missing,))
        with pytest.raises(BadSettings):
            check_tracing(Settings(tracing="otlp"))
