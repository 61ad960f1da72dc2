"""Records of the ownership topic, as amendments of the ownership data."""

from stream_enforcer.domain.framing import unframed
from stream_enforcer.domain.ownership.amendments import Amendment, digest_of
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.native import Snapshot, parse_native


def amendment_of(key: bytes | None, value: bytes | None, *, path: str, line: int) -> Amendment:
    """Read a record of the ownership topic: the statement that its value is, or a removal where it has none.

    Args:
        key: The statement's id, UTF-8.
        value: A native ownership record, with or without the frame of a schema registry, or None.
        path: The topic and partition, for the error.
        line: The offset, for the error.

    Raises:
        BadReference: It is neither.
    """
    statement_id = id_of(key)
    if key is None or not statement_id:
        raise BadReference(path, "has no key in UTF-8, which is to be the statement's id", line=line)
    if value is None:
        return Amendment(statement_id, "removed", digest_of(key, value))
    statement = parse_native(unframed(value), path=path, line=line)
    if isinstance(statement, Snapshot):
        raise BadReference(path, "is no statement but the date of a file", line=line, field="kind")
    if statement.id != statement_id:
        raise BadReference(path, "differs from the record's key", line=line, field="id")
    return Amendment(statement_id, statement, digest_of(key, value))


def id_of(key: bytes | None) -> str:
    """Return the statement id that a key is; empty where it is none."""
    try:
        return (key or b"").decode()
    except UnicodeDecodeError:
        return ""
