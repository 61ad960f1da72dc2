"""No change of the schemas breaks senders of inputs, readers of outputs, or outputs that were stored."""

from collections.abc import Callable
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from stream_enforcer.schemas import schema_files
from tests.schema_strategies import ANY_SCHEMA, edited, valid
from tools.compatibility import broken, not_taken

SCHEMAS = Path(__file__).parents[2] / "schemas"
RELEASES = sorted(path.name for path in (SCHEMAS / "released").iterdir())
Json = dict[str, Any]


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_of_a_release_is_broken(release: str) -> None:
    assert broken(SCHEMAS / "released" / release, SCHEMAS) == []


def test_this_version_s_schemas_are_kept() -> None:
    assert version("stream-enforcer") in RELEASES
    assert {path.name for path in (SCHEMAS / "released" / "0.1.0").iterdir()} == set(schema_files())


def put(*path: str, value: object) -> Callable[[Json], None]:
    def change(schema: Json) -> None:
        for name in path[:-1]:
            schema = schema[name]
        schema[path[-1]] = value

    return change


def drop(*path: str) -> Callable[[Json], None]:
    def change(schema: Json) -> None:
        for name in path[:-1]:
            schema = schema[name]
        del schema[path[-1]]

    return change


def require(name: str, *, required: bool = True) -> Callable[[Json], None]:
    def change(schema: Json) -> None:
        names = set(schema["required"]) | {name} if required else set(schema["required"]) - {name}
        schema["required"] = sorted(names)

    return change


def changed(folder: Path, name: str, *changes: Callable[[Json], None]) -> list[str]:
    """Give what is broken when one schema of the present ones is changed."""
    for state in ("old", "new"):
        (folder / state).mkdir()
        for file, content in schema_files().items():
            (folder / state / file).write_bytes(content)
    path = folder / "new" / f"{name}.schema.json"
    schema = orjson.loads(path.read_bytes())
    before = deepcopy(schema)
    for change in changes:
        change(schema)
    assert schema != before
    path.write_bytes(orjson.dumps(schema))
    return broken(folder / "old", folder / "new")


TEXT: Json = {"type": "string"}
BREAKS: list[tuple[str, list[Callable[[Json], None]], str]] = [
    ("signup", [require("ip")], "written as before, $.ip: is required, and may be missing"),
    (
        "signup",
        [put("properties", "new", value=TEXT), require("new")],
        "written as before, $.new: is required",
    ),
    (
        "signup",
        [drop("properties", "phone_country")],
        "written as before, $.phone_country: is not read any more",
    ),
    ("signup", [put("properties", "ip", value=TEXT)], "written as before, $.ip: null is not taken"),
    (
        "signup",
        [put("properties", "event_id", "maxLength", value=64)],
        "$.event_id: maxLength is 64, was 256",
    ),
    ("signup", [put("properties", "event_id", "minLength", value=2)], "$.event_id: minLength is 2, was 1"),
    (
        "signup",
        [put("properties", "event_id", "pattern", value="^[a-z]+$")],
        "$.event_id: pattern is ^[a-z]+$",
    ),
    (
        "signup",
        [put("$defs", "Organization", "required", value=["name", "lei"])],
        "$.organization.lei: is required",
    ),
    ("usage", [put("properties", "event_id", value={"type": "integer"})], "$.event_id: string is not taken"),
    (
        "override",
        [put("properties", "action", "enum", value=["allow", "none"])],
        "$.action: 'suspend' is not taken",
    ),
    (
        "decision",
        [drop("properties", "degraded"), require("degraded", required=False)],
        "read as before, $.degraded",
    ),
    ("decision", [require("ownership", required=False)], "read as before, $.ownership: is required"),
    (
        "decision",
        [put("properties", "new", value=TEXT), require("new")],
        "written as before, $.new: is required",
    ),
    (
        "decision",
        [put("properties", "action", "enum", value=["allow", "suspend", "limit"])],
        "read as before, $.action: 'limit' is not taken",
    ),
    (
        "decision",
        [put("properties", "sequence", "minimum", value=0)],
        "read as before, $.sequence: the minimum",
    ),
    (
        "decision",
        [put("properties", "sequence", "minimum", value=2)],
        "written as before, $.sequence: the minimum",
    ),
    (
        "decision",
        [put("properties", "review", value={"type": ["boolean", "null"]})],
        "$.review: null is not taken",
    ),
    ("decision", [put("not", value={})], "cannot be told because of not"),
]


@pytest.mark.parametrize(("name", "changes", "why"), BREAKS)
def test_a_change_that_breaks_somebody_is_named(
    tmp_path: Path, name: str, changes: list[Callable[[Json], None]], why: str
) -> None:
    lines = changed(tmp_path, name, *changes)
    assert any(line.startswith(f"{name}: ") and why in line for line in lines), lines


SAFE: list[tuple[str, Callable[[Json], None]]] = [
    ("signup", put("properties", "new", value=TEXT)),
    ("signup", put("properties", "event_id", "maxLength", value=512)),
    ("signup", drop("properties", "event_id", "pattern")),
    ("signup", put("description", value="other words")),
    ("usage", require("type", required=False)),
    ("override", put("properties", "action", "enum", value=["allow", "suspend", "none", "limit"])),
    ("decision", put("properties", "new", value=TEXT)),
    ("dead-letter-headers", put("properties", "dlq.new", value=TEXT)),
    ("replay-summary", put("properties", "new", value={"type": "array", "items": TEXT})),
]


@pytest.mark.parametrize(("name", "change"), SAFE)
def test_a_change_that_breaks_nobody_is_let_through(
    tmp_path: Path, name: str, change: Callable[[Json], None]
) -> None:
    assert changed(tmp_path, name, change) == []


def test_a_schema_that_is_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "signup.schema.json").write_bytes(b"{}")
    (tmp_path / "new").mkdir()
    assert broken(tmp_path, tmp_path / "new") == ["signup: is gone"]


@pytest.mark.parametrize(
    ("writer", "reader", "taken"),
    [
        ({"type": "integer"}, {"type": "number"}, True),
        ({"type": "number"}, {"type": "integer"}, False),
        ({"type": "integer", "minimum": 3}, {"type": "integer", "exclusiveMinimum": 2}, True),
        ({"type": "number", "minimum": 3}, {"type": "number", "exclusiveMinimum": 3}, False),
        ({"type": "number", "exclusiveMaximum": 3}, {"type": "number", "maximum": 3}, True),
        ({"type": "number", "maximum": 3}, {"type": "number", "exclusiveMaximum": 3}, False),
        ({"type": "string"}, {"type": ["string", "null"]}, True),
        ({"type": ["string", "null"]}, {"type": "string"}, False),
        ({"anyOf": [TEXT, {"type": "null"}]}, {"type": ["null", "string"]}, True),
        ({"type": ["null", "string"]}, {"anyOf": [TEXT, {"type": "null"}]}, True),
        (TEXT, {}, True),
        ({}, TEXT, False),
        ({"const": "a"}, {"type": "string", "maxLength": 1}, True),
        ({"enum": ["a", "bc"]}, {"type": "string", "maxLength": 1}, False),
        ({"type": "array", "items": TEXT}, {"type": "array"}, True),
        ({"type": "array"}, {"type": "array", "items": TEXT}, False),
        (
            {"type": "object", "additionalProperties": TEXT},
            {"type": "object", "properties": {"a": TEXT}},
            True,
        ),
        (
            {"type": "object", "additionalProperties": True},
            {"type": "object", "properties": {"a": TEXT}},
            False,
        ),
        ({"type": "string", "format": "date"}, {"type": "string"}, True),
        ({"type": "string"}, {"type": "string", "format": "date"}, False),
        (False, TEXT, True),
        (TEXT, False, False),
        ({"anyOf": [{"maxLength": 2}], "maxLength": 3}, {}, False),
        ({"$ref": "#/$defs/a", "maxLength": 3, "$defs": {"a": TEXT}}, {}, False),
    ],
)
def test_what_is_wider_takes_what_is_narrower(writer: Any, reader: Any, taken: bool) -> None:
    assert (not_taken(writer, reader) == []) is taken


@settings(max_examples=200)
@given(st.data())
def test_what_is_said_to_be_taken_is_taken(data: st.DataObject) -> None:
    writer = data.draw(ANY_SCHEMA)
    reader = data.draw(edited(writer) | ANY_SCHEMA)
    lines = not_taken(writer, reader)
    event("compatible" if not lines else "not compatible")
    if lines:
        return
    value = data.draw(valid(writer))
    if jsonschema_rs.is_valid(writer, value):
        assert jsonschema_rs.is_valid(reader, value)


@given(ANY_SCHEMA)
def test_what_is_not_changed_is_taken(schema: Json) -> None:
    assert not_taken(schema, schema) == []


def test_schemas_that_refer_to_themselves_are_compared() -> None:
    def tree(leaf: Json) -> Json:
        node = {"type": "object", "properties": {"leaf": leaf, "below": {"$ref": "#/$defs/Node"}}}
        return {"$ref": "#/$defs/Node", "$defs": {"Node": node}}

    assert not_taken(tree(TEXT), tree(TEXT)) == []
    assert not_taken(tree(TEXT), tree({"type": "null"})) == ["$.leaf: string is not taken"]
