"""The page of the records: every public JSON Schema as tables for people."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stream_enforcer.schemas import schema_files


def records_page() -> list[str]:
    """List the fields of every record and document, as their schemas say."""
    lines = [
        "# Records",
        "",
        "The fields of what goes in and out, from the JSON Schemas in [schemas](../../schemas/decision.schema.json),",
        "which `stream-enforcer schemas export` writes, too. *May be null* means that a field may be left out or be",
        "`null`. Shares are integers in millionths of a percent: 50 % is `50000000`. What the fields say is in",
        "[concepts](../concepts.md#reading-a-decision) for decisions, and in [writing a policy](../policy.md).",
    ]
    for name, content in schema_files().items():
        if name.endswith(".schema.json"):
            lines += _record(name, json.loads(content))
    return lines


def _record(name: str, schema: Mapping[str, Any]) -> list[str]:
    kind = name.removesuffix(".schema.json")
    lines = ["", f"## {kind}", "", *_object(schema, f"[{name}](../../schemas/{name})")]
    for part, definition in sorted(schema.get("$defs", {}).items()):
        lines += ["", f"### {kind}: {part}", "", *_object(definition, "")]
    return lines


def _object(schema: Mapping[str, Any], file: str) -> list[str]:
    said = " ".join(filter(None, (" ".join(schema.get("description", "").split()), file)))
    lines = [said, ""] if said else []
    fields = schema.get("properties")
    if not fields:
        return [*lines, f"{_kind(schema)}."]
    required = set(schema.get("required", ()))
    rows = [(name, field, name in required) for name, field in fields.items()]
    rows.sort(key=lambda row: not row[2])
    return [*lines, *_table(rows)]


def _table(rows: Sequence[tuple[str, Mapping[str, Any], bool]]) -> Iterator[str]:
    yield "| field | needed | value |"
    yield "| --- | --- | --- |"
    for name, field, needed in rows:
        default = field.get("default")
        given = "" if default is None else f"; `{json.dumps(default)}` when left out"
        value = (_kind(field) + given).replace("|", "\\|")
        yield f"| `{name}` | {'yes' if needed else ''} | {value} |"


def _kind(schema: Mapping[str, Any]) -> str:
    """Say in words what a schema admits."""
    if "description" in schema:
        return str(schema["description"])
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return _either(f"`{json.dumps(value)}`" for value in schema["enum"])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _either(_kind(part) for part in schema[several])
    return _plain(schema)


def _either(kinds: Iterable[str]) -> str:
    found = list(dict.fromkeys(kinds))
    null = " (may be null)" if "null" in found else ""
    return " or ".join(kind for kind in found if kind != "null") + null


def _plain(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "string" if "format" in schema else "anything")
    if kind == "array":
        inside = _kind(schema["items"]) if "items" in schema else "anything"
        return f"list of {inside}{_bounds(schema, 'minItems', 'maxItems', 'items')}"
    if kind == "string":
        known = {
            "date-time": "RFC 3339 time",
            "date": "ISO day",
            "ipv4": "IPv4 address",
            "ipv6": "IPv6 address",
        }
        text = known.get(schema.get("format", ""), "text")
        pattern = f", matches `{schema['pattern']}`" if "pattern" in schema else ""
        return text + _bounds(schema, "minLength", "maxLength", "characters") + pattern
    if kind in ("integer", "number"):
        return f"{kind}{_bounds(schema, 'minimum', 'maximum', '')}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object; each value {_kind(schema['additionalProperties'])}"
    return str(kind)


def _bounds(schema: Mapping[str, Any], least: str, most: str, unit: str) -> str:
    low, high = schema.get(least), schema.get(most)
    if low is None and high is None:
        return ""
    if high is None:
        return f", {low:,} or more {unit}".rstrip()
    return f", {low or 0:,} to {high:,} {unit}".rstrip()
