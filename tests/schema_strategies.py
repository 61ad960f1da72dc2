"""Hypothesis strategies of JSON Schemas, of small changes to them, and of values that they allow."""

from typing import Any, Final

from hypothesis import strategies as st

Json = dict[str, Any]

NAMES: Final = ("a", "b", "c")
VALUES: Final = st.sampled_from([None, True, 0, 3, -7, 1.5, "", "a", "abcd", [], ["a"], {}, {"a": 1}])
ANYTHING: Final = st.recursive(
    VALUES, lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from(NAMES), below)
)


def _bounded(kind: str, low: str, high: str, first: int) -> st.SearchStrategy[Json]:
    bounds = st.fixed_dictionaries({}, optional={low: st.integers(first, 2), high: st.integers(2, 5)})
    return bounds.map(lambda given: {"type": kind, **given})


LEAVES: Final = st.one_of(
    _bounded("string", "minLength", "maxLength", 0),
    _bounded("integer", "minimum", "maximum", -3),
    _bounded("number", "exclusiveMinimum", "exclusiveMaximum", -3),
    _bounded("integer", "minimum", "exclusiveMaximum", -3),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}, {"type": ["string", "null"]}]),
    st.lists(VALUES, min_size=1, max_size=3).map(lambda values: {"enum": values}),
    VALUES.map(lambda value: {"const": value}),
)


def _composed(below: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    properties = st.dictionaries(st.sampled_from(NAMES), below, min_size=1)
    arrays = _bounded("array", "minItems", "maxItems", 0)
    return st.one_of(
        st.builds(_object, properties, st.sets(st.sampled_from(NAMES)), st.booleans()),
        below.map(lambda schema: {"type": "object", "additionalProperties": schema}),
        st.tuples(arrays, below).map(lambda two: {**two[0], "items": two[1]}),
        st.lists(below, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
    )


def _object(properties: Json, wanted: set[str], closed: bool) -> Json:
    schema = {"type": "object", "properties": properties, "required": sorted(wanted & set(properties))}
    return {**schema, "additionalProperties": False} if closed else schema


ANY_SCHEMA: Final = st.recursive(LEAVES, _composed, max_leaves=6)


def edited(schema: Json) -> st.SearchStrategy[Json]:
    """Give schemas that differ a little: something is dropped, replaced, or done to a part."""
    ways = [st.just(schema), LEAVES, ANY_SCHEMA.map(lambda new: {"anyOf": [schema, new]})]
    for name, value in schema.items():
        ways.append(st.just({key: kept for key, kept in schema.items() if key != name}))
        if name in ("items", "additionalProperties") and isinstance(value, dict):
            ways.append(_replaced(schema, name, edited(value)))
        elif name.startswith(("m", "exclusive")):
            ways.append(_replaced(schema, name, st.integers(0, 5)))
        elif name == "properties":
            parts = [_replaced(value, key, edited(below)) for key, below in value.items()]
            ways.append(_replaced(schema, name, st.one_of(parts)))
        elif name == "anyOf":
            first = edited(value[0])
            ways.append(_replaced(schema, name, st.tuples(first, *map(st.just, value[1:])).map(list)))
    return st.one_of(ways)


def _replaced(schema: Json, name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return values.map(lambda value: {**schema, name: value})


@st.composite
def valid(draw: st.DrawFn, schema: Json) -> object:
    """Draw a value that a schema allows, with no properties but those that it names.

    Numbers, and what is said twice, are within their bounds only by chance.
    """
    if "anyOf" in schema:
        return draw(valid(draw(st.sampled_from(schema["anyOf"]))))
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = draw(st.sampled_from(kind))
    drawn: object = draw(ANYTHING if kind is None else _of_kind(kind, schema))
    return drawn


def _of_kind(kind: str, schema: Json) -> st.SearchStrategy[Any]:
    simple: dict[str, st.SearchStrategy[Any]] = {
        "integer": st.integers(-9, 9),
        "number": st.integers(-9, 9) | st.floats(-9, 9, allow_nan=False),
        "boolean": st.booleans(),
        "null": st.none(),
    }
    made = {"string": _texts, "array": _arrays, "object": _objects}
    return simple[kind] if kind in simple else made[kind](schema)


def _texts(schema: Json) -> st.SearchStrategy[Any]:
    least = schema.get("minLength", 0)
    return st.text("ab", min_size=least, max_size=max(schema.get("maxLength", 6), least))


def _arrays(schema: Json) -> st.SearchStrategy[Any]:
    least = schema.get("minItems", 0)
    return st.lists(
        valid(schema.get("items", {})), min_size=least, max_size=max(schema.get("maxItems", 3), least)
    )


def _objects(schema: Json) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        others = schema.get("additionalProperties", {})
        return st.dictionaries(st.sampled_from(NAMES), valid(others or {}), max_size=2)
    required = set(schema.get("required", ())) & set(schema["properties"])
    fields = {name: valid(below) for name, below in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: fields[name] for name in sorted(required)},
        optional={name: below for name, below in fields.items() if name not in required},
    )
