"""The committed schemas are those of the models, and say what the models do."""

from pathlib import Path

import orjson
import pytest

from stream_enforcer.domain.decision import PublishedDecision
from stream_enforcer.schemas import DIALECT, MODELS, schema_files
from tests.builders import run, signup, world

COMMITTED = Path(__file__).parents[2] / "schemas"


def test_the_committed_schemas_are_a_fresh_export() -> None:
    committed = {path.name: path.read_bytes() for path in COMMITTED.glob("*.schema.json")}
    assert committed == schema_files(), "run `stream-enforcer schemas export`"


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_schema_is_sorted_indented_and_says_its_dialect(name: str) -> None:
    content = schema_files()[f"{name}.schema.json"]
    schema = orjson.loads(content)
    assert schema["$schema"] == DIALECT
    assert "$id" not in schema
    assert content == orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
    required = {field for field, spec in MODELS[name].model_fields.items() if spec.is_required()}
    assert set(schema["required"]) == required


def test_a_real_decision_has_exactly_the_fields_of_its_schema() -> None:
    (decision,) = run([signup("a", declared_country="CN")], world()).decisions
    schema = orjson.loads(schema_files()["decision.schema.json"])
    assert set(decision) == set(schema["properties"]) == set(schema["required"])
    assert schema["additionalProperties"] is False
    PublishedDecision.model_validate_json(orjson.dumps(decision))
