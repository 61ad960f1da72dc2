"""Ownership files of any known format, told apart by their content, as one graph."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from stream_enforcer.domain.ownership.graph import Entity, OwnershipGraph, Stake
from stream_enforcer.reference.bods import read_bods
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.native import NativeRecord, Snapshot, read_native_csv, read_native_json

Format = Literal["native JSON", "native CSV", "BODS"]

_CHUNK: Final = 1 << 20
_BODS_KEYS: Final = frozenset({"statementId", "statementID", "recordType", "statementType"})


@dataclass(frozen=True, slots=True)
class OwnershipFiles:
    """A graph, and what its files held that was not used.

    Attributes:
        skipped: Counts by reason (BODS only; a native file has no record that may be skipped).
    """

    graph: OwnershipGraph
    skipped: Mapping[str, int]


def load_ownership(paths: Sequence[Path]) -> OwnershipGraph:
    """Read ownership files into one graph; a later file's record with the same id replaces an earlier one's.

    The hash is SHA-256 over the length (8 bytes, big-endian) and the bytes of each file in order.

    Raises:
        BadReference: A file can't be read, is of no known format, or has a bad record.
    """
    return read_ownership(paths).graph


def read_ownership(paths: Sequence[Path]) -> OwnershipFiles:
    """Read ownership files as `load_ownership` does, and report what was skipped.

    Raises:
        BadReference: A file can't be read, is of no known format, or has a bad record.
    """
    try:
        digest = _hash(paths)
        formats = [(path, _format(path)) for path in paths]
        bods = read_bods([path for path, form in formats if form == "BODS"])
        records: list[NativeRecord] = [*bods.entities, *bods.stakes]
        for path, form in formats:
            if form != "BODS":
                records.extend(read_native_json(path) if form == "native JSON" else read_native_csv(path))
    except OSError as error:
        raise BadReference(str(error.filename), f"can't be read: {error.strerror}") from None
    return OwnershipFiles(_graph(records, bods.as_of, digest), bods.skipped)


def _graph(records: Iterable[NativeRecord], published: str | None, digest: str) -> OwnershipGraph:
    entities: list[Entity] = []
    stakes: list[Stake] = []
    days = [published] if published is not None else []
    for record in records:
        match record:
            case Entity():
                entities.append(record)
            case Stake():
                stakes.append(record)
            case Snapshot():
                days.append(record.as_of)
    return OwnershipGraph.build(entities, stakes, hash=digest, as_of=max(days, default=None))


def _hash(paths: Sequence[Path]) -> str:
    total = sha256()
    for path in paths:
        total.update(path.stat().st_size.to_bytes(8, "big"))
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                total.update(chunk)
    return total.hexdigest()


def _format(path: Path) -> Format:
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"").removeprefix(b"\xef\xbb\xbf").lstrip()
    if first.startswith(b"["):
        return "BODS"
    if not first.startswith(b"{"):
        return "native CSV"
    keys = _keys(first)
    if keys is None:
        return "BODS" if _BODS_KEYS & (_keys(path.read_bytes()) or set()) else "native JSON"
    if _BODS_KEYS & keys:
        return "BODS"
    if "kind" in keys:
        return "native JSON"
    raise BadReference(str(path), "is neither native ownership records (kind) nor BODS (recordType)", line=1)


def _keys(text: bytes) -> set[str] | None:
    """Return the keys of a JSON object, or None where the text is not one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return set(found) if isinstance(found, dict) else None
