"""The AsyncAPI document hangs together, and says what the service does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
import yaml

from stream_enforcer.domain.events import EventKind, Malformed, decode
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.kafka.service import input_kinds
from stream_enforcer.kafka.topics import plan
from stream_enforcer.reference.native import parse_native
from stream_enforcer.reference.policy_file import load_policy
from stream_enforcer.replay.event_files import Line
from stream_enforcer.replay.verification import verify_decisions
from stream_enforcer.schemas.asyncapi import asyncapi
from stream_enforcer.settings import Settings, Topics

FILE = Path(__file__).parents[2] / "schemas" / "asyncapi.yaml"
TEXT = FILE.read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
EXAMPLES = [(name, example) for name, message in MESSAGES.items() for example in message["examples"]]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        node = list(node.values())
    if isinstance(node, list):
        for below in node:
            yield from references(below)


def at(reference: str) -> Any:
    node: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def validator(schema: Any) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft7Validator(
        {"components": DOCUMENT["components"], "allOf": [schema]}, validate_formats=True
    )


def test_the_file_is_the_document() -> None:
    assert asyncapi() == DOCUMENT
    assert "&id" not in TEXT


def test_every_reference_leads_somewhere() -> None:
    found = list(references(DOCUMENT))
    assert found
    for reference in found:
        assert reference.startswith("#/")
        at(reference)


def test_every_schema_is_referred_to() -> None:
    used = {reference.rpartition("/")[2] for reference in references(DOCUMENT) if "/schemas/" in reference}
    assert used == set(DOCUMENT["components"]["schemas"])


def test_the_channels_are_the_public_topics() -> None:
    settings = Settings()
    topics = settings.topics
    received, sent = ([*input_kinds(settings), topics.ownership], [topics.decisions, topics.dead_letters])
    actions = {
        at(operation["channel"]["$ref"])["address"]: operation["action"]
        for operation in DOCUMENT["operations"].values()
    }
    assert actions == {**dict.fromkeys(received, "receive"), **dict.fromkeys(sent, "send")}
    assert len(DOCUMENT["channels"]) == len(actions)
    for name, channel in DOCUMENT["channels"].items():
        assert channel["address"] == channel["bindings"]["kafka"]["topic"] == getattr(topics, name)


def test_the_bindings_are_as_the_topics_are_created() -> None:
    planned = {topic.name: topic.config for topic in plan(Topics())}
    for channel in DOCUMENT["channels"].values():
        said = channel["bindings"]["kafka"]["topicConfiguration"]
        config = planned[channel["address"]]
        assert said["cleanup.policy"] == [config["cleanup.policy"]]
        assert str(said.get("retention.ms")) == config.get("retention.ms", "None")


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_is_what_its_schemas_say(name: str, example: dict[str, Any]) -> None:
    for part in ("headers", "payload"):
        if part in example:
            validator(MESSAGES[name][part]).validate(example[part])


def test_a_message_without_what_is_required_is_refused() -> None:
    assert not validator(MESSAGES["signup"]["payload"]).is_valid({"type": "signup"})
    assert not validator(MESSAGES["decision"]["headers"]).is_valid({"traceparent": "broken"})
    assert not validator(MESSAGES["dead-letter"]["headers"]).is_valid({"dlq.id": "a-0-1"})


@pytest.mark.parametrize("kind", ["signup", "usage", "override"])
def test_an_example_of_an_event_is_read(kind: EventKind) -> None:
    (example,) = MESSAGES[kind]["examples"]
    event = example["payload"]
    record = StoredRecord(kind, 0, 0, 0, event["account_id"].encode(), orjson.dumps(event))
    assert not isinstance(decode(record, kind), Malformed)


def test_the_examples_of_statements_are_read() -> None:
    for example in MESSAGES["ownership-statement"]["examples"]:
        parse_native(orjson.dumps(example["payload"]), path="example")


def test_the_example_of_a_decision_verifies() -> None:
    (example,) = MESSAGES["decision"]["examples"]
    line = Line(1, orjson.dumps(example["payload"]), whole=True)
    assert verify_decisions([line], load_policy(None), partial=False).failure is None
    assert example["headers"]["ce_id"] == example["payload"]["decision_id"]
    assert example["headers"]["ce_time"] == example["payload"]["event_time"]
