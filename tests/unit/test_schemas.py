"""The committed contracts are those of the models, and say what the models do."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given
from typer.testing import CliRunner

from stream_enforcer.cli import app
from stream_enforcer.domain.decision import PublishedDecision
from stream_enforcer.domain.events import Malformed, decode
from stream_enforcer.kafka.dead_letters import OURS
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.native import parse_native
from stream_enforcer.schemas import DIALECT, DOCUMENTS, contract_files, schema_files
from stream_enforcer.schemas.headers import DeadLetterHeaders
from stream_enforcer.schemas.replay import ReplayChange, ReplaySummary
from tests.builders import ip, override, record, run, signup, usage, world
from tests.strategies import OWNERSHIP, events

COMMITTED = Path(__file__).parents[2] / "schemas"


def validator(name: str) -> jsonschema_rs.Validator:
    schema = orjson.loads(schema_files()[f"{name}.schema.json"])
    return jsonschema_rs.validator_for(schema, validate_formats=True)


VALIDATORS = {name: validator(name) for name in DOCUMENTS}


def test_the_committed_contracts_are_a_fresh_export() -> None:
    committed = {path.name: path.read_bytes() for path in COMMITTED.iterdir() if path.is_file()}
    assert committed == contract_files(), "run `stream-enforcer schemas export`"


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_schema_is_sorted_indented_and_says_its_dialect(name: str) -> None:
    content = schema_files()[f"{name}.schema.json"]
    schema = orjson.loads(content)
    assert schema["$schema"] == DIALECT
    assert "$id" not in schema
    assert content == orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
    jsonschema_rs.meta.validate(schema)


@pytest.mark.parametrize("name", sorted(set(DOCUMENTS) - {"ownership-statement"}))
def test_a_schema_requires_what_its_model_requires(name: str) -> None:
    schema = orjson.loads(schema_files()[f"{name}.schema.json"])
    fields = DOCUMENTS[name].model.model_fields
    required = {spec.alias or field for field, spec in fields.items() if spec.is_required()}
    assert set(schema.get("required", ())) == required


@pytest.mark.parametrize("name", [name for name, document in DOCUMENTS.items() if document.role == "output"])
def test_who_reads_outputs_by_their_schema_reads_those_of_a_later_version(name: str) -> None:
    assert b'"additionalProperties": false' not in schema_files()[f"{name}.schema.json"]


def test_a_real_decision_has_exactly_the_fields_of_its_schema() -> None:
    (decision,) = run([signup("a", declared_country="CN")], world()).decisions
    schema = orjson.loads(schema_files()["decision.schema.json"])
    assert set(decision) == set(schema["properties"]) == set(schema["required"])
    PublishedDecision.model_validate_json(orjson.dumps(decision))


def test_decisions_of_all_sorts_are_what_their_schema_says() -> None:
    held = world(OWNERSHIP)
    known = [line["identifiers"]["lei"] for line in OWNERSHIP if "lei" in line.get("identifiers", {})]
    assert known
    history = [
        *(
            signup(f"a{n}", organization={"name": "x", "lei": lei}, ip=ip("cn"))
            for n, lei in enumerate(known)
        ),
        usage("a0", ip=ip("cn-vpn")),
        override("a0"),
    ]
    decisions = run(history, held).decisions
    assert any(decision["ownership"] for decision in decisions)
    for decision in decisions:
        VALIDATORS["decision"].validate(decision)


@given(events("a", "b"))
def test_what_is_taken_as_an_event_is_one_by_its_schema(event: dict[str, Any]) -> None:
    assert not isinstance(decode(record(event), event["type"]), Malformed)
    VALIDATORS[event["type"]].validate(event)


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": ""},
        {"event_id": "a\nb"},
        {"event_id": "x" * 257},
        {"occurred_at": "yesterday"},
        {"occurred_at": 1.5},
        {"ip": "300.1.1.1"},
        {"type": "usage"},
        {"declared_country": "CHN"},
        {"organization": {}},
        {"organization": {"name": ""}},
    ],
)
def test_what_a_schema_refuses_is_no_event(change: dict[str, Any]) -> None:
    event = {**signup(), **change}
    assert not VALIDATORS["signup"].is_valid(event)
    assert isinstance(decode(record(event), "signup"), Malformed)


STATEMENTS: list[dict[str, Any]] = [
    *OWNERSHIP,
    {"kind": "stake", "id": "s", "holder": "a", "held": "b"},
    {"kind": "stake", "id": "s", "holder": "a", "held": "b", "share": "33.333333", "since": "2024-02-29"},
    {"kind": "stake", "id": "s", "holder": "a", "held": "b", "share_min": 50, "share_max": "100.0"},
    {
        "kind": "entity",
        "id": "e",
        "name": "n",
        "type": "state",
        "country": "cn",
        "aliases": ["m"],
        "same_as": [],
    },
    {
        "kind": "entity",
        "id": "e",
        "name": "n",
        "type": "person",
        "listings": [{"topic": "sanction"}],
        "more": 1,
    },
]
NO_STATEMENTS: list[dict[str, Any]] = [
    {},
    {"kind": "snapshot"},
    {"kind": "entity", "id": "e", "name": "n"},
    {"kind": "entity", "id": " ", "name": "n", "type": "company"},
    {"kind": "entity", "id": "e", "name": "n", "type": "firm"},
    {"kind": "entity", "id": "e", "name": "n", "type": "company", "country": "China"},
    {"kind": "entity", "id": "e", "name": "n", "type": "company", "aliases": "m"},
    {"kind": "entity", "id": "e", "name": "n", "type": "company", "listings": [{}]},
    {"kind": "stake", "id": "s", "holder": "a"},
    {"kind": "stake", "id": "s", "holder": "a", "held": "b", "share": 101},
    {"kind": "stake", "id": "s", "holder": "a", "held": "b", "share": "1.2345678"},
    {"kind": "stake", "id": "s", "holder": "a", "held": "b", "share": True},
    {"kind": "stake", "id": "s", "holder": "a", "held": "b", "since": "2024-02-30"},
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_is_an_ownership_statement_by_its_schema_is_read(statement: dict[str, Any]) -> None:
    VALIDATORS["ownership-statement"].validate(statement)
    parse_native(orjson.dumps(statement), path="test")


@pytest.mark.parametrize("statement", NO_STATEMENTS)
def test_what_is_no_ownership_statement_by_its_schema_is_refused(statement: dict[str, Any]) -> None:
    assert not VALIDATORS["ownership-statement"].is_valid(statement)
    with pytest.raises(BadReference):
        parse_native(orjson.dumps(statement), path="test")


def test_the_headers_of_a_dead_letter_are_all_in_its_schema() -> None:
    assert {spec.alias for spec in DeadLetterHeaders.model_fields.values()} == OURS


@pytest.mark.parametrize("published", [False, True])
def test_a_replay_s_result_is_what_its_schemas_say(tmp_path: Path, published: bool) -> None:
    history, data = "docs/examples/history.jsonl", ["--ownership", "docs/examples/register.jsonl"]
    asked = ["replay", history, *data, "--policy", "docs/examples/quarter.yaml", "--out", str(tmp_path)]
    if published:
        decided = CliRunner().invoke(app, ["decide", history, *data, "--policy", "docs/examples/half.yaml"])
        (tmp_path / "decisions.jsonl").write_text(decided.stdout)
        asked += ["--decisions", str(tmp_path / "decisions.jsonl")]
    else:
        asked += ["--against", "docs/examples/half.yaml", "--max-percent", "90"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    summary = (tmp_path / "summary.json").read_bytes()
    ReplaySummary.model_validate_json(summary)
    VALIDATORS["replay-summary"].validate(orjson.loads(summary))
    assert bool(orjson.loads(summary)["gates"]) != published
    changes = (tmp_path / "changes.jsonl").read_bytes().splitlines()
    assert changes
    for line in changes:
        ReplayChange.model_validate_json(line)
        VALIDATORS["replay-change"].validate(orjson.loads(line))
