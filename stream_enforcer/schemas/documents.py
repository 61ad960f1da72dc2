"""JSON Schema of every public document, made from the models that read and write it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import orjson
from pydantic import BaseModel

from stream_enforcer.domain.decision import PublishedDecision
from stream_enforcer.domain.events import Override, Signup, Usage
from stream_enforcer.domain.policy import PolicyDocument
from stream_enforcer.schemas.headers import DeadLetterHeaders, DecisionHeaders
from stream_enforcer.schemas.ownership import OwnershipStatement
from stream_enforcer.schemas.replay import ReplayChange, ReplaySummary

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Json = dict[str, Any]


class Document(NamedTuple):
    """A public document.

    Attributes:
        model: What it is made of.
        role: Whether others write it for the service to read, or read what the service writes.
    """

    model: type[BaseModel]
    role: Literal["input", "output"]


DOCUMENTS: Final[Mapping[str, Document]] = MappingProxyType(
    {
        "signup": Document(Signup, "input"),
        "usage": Document(Usage, "input"),
        "override": Document(Override, "input"),
        "ownership-statement": Document(OwnershipStatement, "input"),
        "policy": Document(PolicyDocument, "input"),
        "decision": Document(PublishedDecision, "output"),
        "decision-headers": Document(DecisionHeaders, "output"),
        "dead-letter-headers": Document(DeadLetterHeaders, "output"),
        "replay-summary": Document(ReplaySummary, "output"),
        "replay-change": Document(ReplayChange, "output"),
    }
)
"""Every public document by name."""


def schema_files() -> dict[str, bytes]:
    """Return every schema as the content of its file, by file name: the same models give the same bytes."""
    return {f"{name}.schema.json": _content(document) for name, document in DOCUMENTS.items()}


def schema_of(document: Document) -> Json:
    """Return the schema of a document.

    That of an output is open: a later version may say more, and whoever checks what they read by this one must not
    fail then.
    """
    schema = document.model.model_json_schema()
    if document.role == "output":
        for part in _parts(schema):
            if part.get("additionalProperties") is False:
                del part["additionalProperties"]
    return schema


def _parts(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        yield node
        for below in node.values():
            yield from _parts(below)
    elif isinstance(node, list):
        for below in node:
            yield from _parts(below)


def _content(document: Document) -> bytes:
    schema = {"$schema": DIALECT, **schema_of(document)}
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
