"""Decisions as CloudEvents in binary mode: read by the library of CloudEvents, and absent where nobody asked."""

import orjson
import pytest
from aiokafka import TopicPartition
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from stream_enforcer.kafka.decision_headers import CLOUDEVENT_TYPE, decision_headers
from stream_enforcer.kafka.transaction import NO_HEADERS
from stream_enforcer.schemas.headers import DecisionHeaders
from stream_enforcer.settings import BadSettings, load
from stream_enforcer.testing import RawRecord, policy_world, signup, usage
from tests.traced import HeadedDriver

CE_HEADERS = (
    ("ce_specversion", b"1.0"),
    ("ce_type", b"com.example.signup"),
    ("ce_source", b"/elsewhere"),
    ("ce_id", b"17"),
    ("content-type", b"application/json"),
)


def test_a_decision_is_a_cloudevent_where_a_source_is_set() -> None:
    with HeadedDriver(policy_world(), cloudevents_source="/enforcer/eu") as service:
        service.pipe(signup("a", declared_country="CN", occurred_at="2026-11-20T09:05:00Z"))
        (row,) = service._unread("decisions")
    message = KafkaMessage(dict(row.headers), row.key, row.value or b"")
    decision = orjson.loads(message.value)
    event = from_binary(message, JSONFormat(), CloudEvent)
    assert event.get_id() == decision["decision_id"]
    assert event.get_source() == "/enforcer/eu"
    assert event.get_type() == CLOUDEVENT_TYPE
    assert event.get_specversion() == "1.0"
    assert event.get_datacontenttype() == "application/json"
    moment = event.get_time()
    assert moment is not None
    assert moment.isoformat() == "2026-11-20T09:05:00+00:00"
    assert decision["event_time"] == "2026-11-20T09:05:00.000Z"
    assert event.get_data() == decision


def test_a_decision_has_no_headers_where_none_is_set() -> None:
    with HeadedDriver(policy_world()) as service:
        service.pipe(signup("a", declared_country="CN"))
        assert service.headers() == [[]]
    assert decision_headers(None, CE_HEADERS, "/x") is NO_HEADERS


def test_headers_of_cloudevents_on_events_are_taken_and_passed_on_to_nobody() -> None:
    with HeadedDriver(policy_world()) as service:
        service.pipe(RawRecord("usage", b"a", orjson.dumps(usage("a")), CE_HEADERS))
        assert service.headers() == [[]]
        assert service.dead_letters() == []


def test_a_decision_of_a_changed_world_is_a_cloudevent_too() -> None:
    company = {"kind": "entity", "id": "e", "name": "n", "type": "company", "identifiers": {"lei": "L"}}
    with HeadedDriver(policy_world(), cloudevents_source="/x") as service:
        service.pipe(signup("a", organization={"name": "n", "lei": "L"}))
        service.restart(policy_world(ownership=[{**company, "country": "CN"}]))
        first, second = service.headers()
    names = [name for name, _ in first]
    assert names == ["ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time", "content-type"]
    assert [name for name, _ in second] == names
    assert dict(first)["ce_id"] != dict(second)["ce_id"]


def test_the_same_record_gives_the_same_headers_after_a_crash() -> None:
    with HeadedDriver(policy_world(), cloudevents_source="/x") as service:
        service.crash_before("commit")
        service.pipe(signup("a"))
        service.restart()
        written = service._broker.log(TopicPartition("decisions", 0)).written
    aborted, committed = (entry.row for entry in written if entry.row is not None)
    assert aborted == committed
    assert aborted.headers


def test_the_schema_names_the_type() -> None:
    assert CLOUDEVENT_TYPE in str(DecisionHeaders.model_fields["ce_type"].annotation)


@pytest.mark.parametrize("source", ["", "two words", "line\nbreak", "\u00fc", "x" * 250])
def test_a_source_that_is_no_uri_reference_is_refused(source: str) -> None:
    with pytest.raises(BadSettings) as caught:
        load(None, {"STREAM_ENFORCER_CLOUDEVENTS_SOURCE": source})
    assert "cloudevents_source" in str(caught.value)
