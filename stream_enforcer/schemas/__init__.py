"""The contracts: JSON Schema of what goes in and out, and AsyncAPI of the topics, made from the models."""

from stream_enforcer.schemas.asyncapi import ASYNCAPI_FILE, asyncapi_file
from stream_enforcer.schemas.documents import DIALECT, DOCUMENTS, Document, schema_files

__all__ = ["ASYNCAPI_FILE", "DIALECT", "DOCUMENTS", "Document", "contract_files", "schema_files"]


def contract_files() -> dict[str, bytes]:
    """Return every contract as the content of its file, by file name: the same models give the same bytes."""
    return {**schema_files(), ASYNCAPI_FILE: asyncapi_file()}
