"""Tells whether a change of the schemas breaks anybody: `python -m tools.compatibility schemas/released/0.1.0 schemas`.

What was written by the old schema must be taken by the new one: senders of inputs are not updated with the service, and
stored outputs are read for years. What is written by the new schema must be taken by the old one, for outputs: their
readers are not updated either. Fields that a schema does not name carry no promise, on either side.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import orjson

from stream_enforcer.schemas import DOCUMENTS

Json = dict[str, Any]

_SAYS_NOTHING: Final = frozenset(
    {"title", "description", "default", "examples", "deprecated", "$schema", "$id", "$comment", "$defs"}
)
_UNDERSTOOD: Final = frozenset(
    {
        *("type", "enum", "const", "anyOf", "$ref"),
        *("properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
        *("minLength", "maxLength", "pattern", "format"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    }
)
_ALL_TYPES: Final = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})
_NAMED_ONLY: Final = "named only"
"""What a writer's object without `additionalProperties` holds beside its properties: nothing that counts."""


def broken(old: Path, new: Path) -> list[str]:
    """Return what is broken between two folders of schemas, one line each; nothing when nothing is."""
    return [
        line for path in sorted(old.glob("*.schema.json")) for line in _broken_file(path, new / path.name)
    ]


def _broken_file(old_path: Path, new_path: Path) -> Iterator[str]:
    name = old_path.name.removesuffix(".schema.json")
    if not new_path.exists():
        yield f"{name}: is gone"
        return
    old, new = (orjson.loads(path.read_bytes()) for path in (old_path, new_path))
    yield from (f"{name}: written as before, {line}" for line in not_taken(old, new))
    if name in DOCUMENTS and DOCUMENTS[name].role == "output":
        yield from (f"{name}: read as before, {line}" for line in not_taken(new, old, may_drop=True))


def not_taken(writer: Json, reader: Json, *, may_drop: bool = False) -> list[str]:
    """Return why a value that the writer's schema allows may not be taken by the reader's; nothing when all are.

    It errs on the side of the reader: what cannot be told counts as not taken.

    Args:
        writer: A JSON Schema.
        reader: Another one.
        may_drop: Whether the reader may ignore a property that the writer names.
    """
    return list(_Comparison(writer, reader, may_drop).of(writer, reader, "$"))


@dataclass(slots=True)
class _Comparison:
    """One comparison of two schemas; pairs under way count as taken, so that schemas may refer to themselves."""

    writer: Json
    reader: Json
    may_drop: bool
    under_way: set[tuple[str, str]] = field(default_factory=set)

    def of(self, w: Any, r: Any, place: str) -> Iterator[str]:
        """Yield what is not taken of the values of `w` by `r`."""
        unclear = (
            (_keywords(w) | _keywords(r)) - _UNDERSTOOD | _beside_a_reference(w) | _beside_a_reference(r)
        )
        unclear |= _said_twice(w)
        if unclear:
            yield f"{place}: cannot be told because of {', '.join(sorted(unclear))}"
        elif "$ref" in _keywords(w) | _keywords(r):
            pair = (_packed(w), _packed(r))
            if pair not in self.under_way:
                self.under_way.add(pair)
                yield from self.of(_resolved(w, self.writer), _resolved(r, self.reader), place)
        elif w is False:
            return
        elif r is False:
            yield f"{place}: nothing is taken"
        elif _keywords(r):
            yield from self._union(_object(w), r, place)

    def _union(self, w: Json, r: Json, place: str) -> Iterator[str]:
        """Take apart what is one of several: each of the writer's must be taken by one of the reader's."""
        values, types = _values(w), _types(w)
        if "anyOf" in w:
            for branch in w["anyOf"]:
                yield from self.of(_with_what_stands_beside(branch, w), r, place)
        elif values is not None:
            yield from self._values(values, r, place)
        elif len(types) > 1 and not _is_any(types):
            for kind in sorted(types):
                yield from self.of({**w, "type": kind}, r, place)
        elif "anyOf" in r:
            yield from self.of(w, {key: value for key, value in r.items() if key != "anyOf"}, place)
            yield from self._one_of(w, r["anyOf"], place)
        else:
            yield from self._plain(w, r, place)

    def _one_of(self, w: Json, options: list[Any], place: str) -> Iterator[str]:
        alone = (_Comparison(self.writer, self.reader, self.may_drop, set(self.under_way)) for _ in options)
        tried = [list(each.of(w, option, place)) for each, option in zip(alone, options, strict=True)]
        if all(tried):
            closest = min(tried, key=len)
            yield f"{place}: is none of the {len(tried)} that are taken; of the closest, {closest[0]}"

    def _values(self, values: list[Any], r: Json, place: str) -> Iterator[str]:
        takes = jsonschema_rs.validator_for(
            {**r, "$defs": self.reader.get("$defs", {})}, validate_formats=True
        )
        for value in values:
            if not takes.is_valid(value):
                yield f"{place}: {value!r} is not taken"

    def _plain(self, w: Json, r: Json, place: str) -> Iterator[str]:
        """Compare two schemas of one kind of value."""
        taken = _values(r)
        if taken is not None:
            yield f"{place}: only {', '.join(map(repr, taken))} are taken"
            return
        types = _types(w)
        kind = next(iter(types)) if len(types) == 1 else "anything"
        if not _is_any(_types(r)) and kind not in _widened(_types(r)):
            yield f"{place}: {kind} is not taken"
            return
        yield from _bounds(w, r, place)
        if kind in ("object", "anything"):
            yield from self._objects(w, r, place)
        if kind in ("array", "anything") and "items" in r:
            yield from self.of(w.get("items", True), r["items"], f"{place}[]")

    def _objects(self, w: Json, r: Json, place: str) -> Iterator[str]:
        missing = sorted(set(r.get("required", ())) - set(w.get("required", ())))
        yield from (f"{place}.{name}: is required, and may be missing" for name in missing)
        named, taken = w.get("properties", {}), r.get("properties", {})
        rest = r.get("additionalProperties", True)
        for name, schema in named.items():
            below = f"{place}.{name}"
            if name in taken:
                yield from self.of(schema, taken[name], below)
            elif rest is False or (rest is True and not self.may_drop):
                yield f"{below}: is not read any more"
            else:
                yield from self.of(schema, rest, below)
        others = w.get("additionalProperties", _NAMED_ONLY if named else True)
        if others not in (False, _NAMED_ONLY):
            yield from self.of(others, rest, f"{place}.*")
            for name in sorted(set(taken) - set(named)):
                yield from self.of(others, taken[name], f"{place}.{name}")


def _bounds(w: Json, r: Json, place: str) -> Iterator[str]:
    for name in ("minLength", "minItems"):
        if r.get(name, 0) > w.get(name, 0):
            yield f"{place}: {name} is {r[name]}, was {w.get(name, 0)}"
    for name in ("maxLength", "maxItems"):
        if name in r and (name not in w or w[name] > r[name]):
            yield f"{place}: {name} is {r[name]}, was {w.get(name, 'none')}"
    for name in ("pattern", "format"):
        if name in r and w.get(name) != r[name]:
            yield f"{place}: {name} is {r[name]}, was {w.get(name, 'none')}"
    yield from _limit(w, r, place, "inimum", lambda bound: bound)
    yield from _limit(w, r, place, "aximum", lambda bound: -bound)


def _limit(w: Json, r: Json, place: str, name: str, upward: Callable[[float], float]) -> Iterator[str]:
    """Compare bounds on one side; an exclusive one is tighter than an equal inclusive one."""
    theirs, ours = (_tightest(schema, name, upward) for schema in (w, r))
    if ours is not None and (theirs is None or ours > theirs):
        yield f"{place}: the m{name} is tighter"


def _tightest(schema: Json, name: str, upward: Callable[[float], float]) -> tuple[float, bool] | None:
    bounds = ((f"m{name}", False), (f"exclusiveM{name}", True))
    found = [(upward(schema[key]), exclusive) for key, exclusive in bounds if key in schema]
    return max(found, default=None)


def _keywords(schema: Any) -> set[str]:
    return set(schema) - _SAYS_NOTHING if isinstance(schema, dict) else set()


def _object(schema: Any) -> Json:
    return schema if isinstance(schema, dict) else {}


def _packed(schema: Any) -> str:
    said = {key: schema[key] for key in _keywords(schema)} if isinstance(schema, dict) else schema
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()


def _resolved(schema: Any, root: Json) -> Any:
    """Follow a reference to `$defs`."""
    while isinstance(schema, dict) and "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _with_what_stands_beside(branch: Any, union: Json) -> Any:
    """Return a branch of a union that says all that the union says."""
    if branch is False:
        return False
    return {**{key: union[key] for key in _keywords(union) - {"anyOf"}}, **_object(branch)}


def _said_twice(schema: Any) -> set[str]:
    """Return what both a union and a branch of it say: put together, one of them would be forgotten."""
    branches = schema.get("anyOf", ()) if isinstance(schema, dict) else ()
    beside = _keywords(schema) - {"anyOf"}
    twice = {key for branch in branches for key in _keywords(branch) & beside}
    refers = beside and any("$ref" in _keywords(branch) for branch in branches)
    return twice | ({"$ref"} if refers else set())


def _beside_a_reference(schema: Any) -> set[str]:
    return _keywords(schema) - {"$ref"} if "$ref" in _keywords(schema) else set()


def _is_any(types: frozenset[str]) -> bool:
    return types >= _ALL_TYPES - {"integer"}


def _values(schema: Json) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _types(schema: Json) -> frozenset[str]:
    given = schema.get("type", _ALL_TYPES)
    return frozenset({given}) if isinstance(given, str) else frozenset(given)


def _widened(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types


def main() -> None:
    """Compare two folders; exit with 1 when something is broken."""
    old, new = map(Path, sys.argv[1:])
    lines = broken(old, new)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    raise SystemExit(1 if lines else 0)


if __name__ == "__main__":
    main()
