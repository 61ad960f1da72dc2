"""JSON Schema of what goes in and out, made from the models that read and write it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import orjson
from pydantic import BaseModel

from stream_enforcer.domain.decision import PublishedDecision
from stream_enforcer.domain.events import Override, Signup, Usage
from stream_enforcer.domain.policy import PolicyDocument

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

MODELS: Final[Mapping[str, type[BaseModel]]] = MappingProxyType(
    {
        "signup": Signup,
        "usage": Usage,
        "override": Override,
        "decision": PublishedDecision,
        "policy": PolicyDocument,
    }
)
"""The public documents, by name."""


def schema_files() -> dict[str, bytes]:
    """Return every schema as the content of its file, by file name: the same models give the same bytes."""
    return {f"{name}.schema.json": _content(model) for name, model in MODELS.items()}


def _content(model: type[BaseModel]) -> bytes:
    schema = {"$schema": DIALECT, **model.model_json_schema()}
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
