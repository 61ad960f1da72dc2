"""What an ownership file is, told by its content and never by its name."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal
from xml.parsers import expat

from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.json_objects import json_objects
from stream_enforcer.reference.packed import CHUNK, opened
from stream_enforcer.reference.report import Tally

Format = Literal[
    "native JSON Lines",
    "native CSV",
    "BODS",
    "FollowTheMoney",
    "GLEIF level 1 XML",
    "GLEIF level 2 XML",
    "GLEIF level 1 CSV",
    "GLEIF level 2 CSV",
]

BODS_KEYS: Final = frozenset({"statementId", "statementID", "recordType", "statementType"})

# LEI-CDF 2.1 and 3.1, and RR-CDF 1.1 and 2.1, have the same namespaces; the elements read here are in both.
_ROOTS: Final[Mapping[str, Format]] = {
    "http://www.gleif.org/data/schema/leidata/2016 LEIData": "GLEIF level 1 XML",
    "http://www.gleif.org/data/schema/rr/2016 RelationshipData": "GLEIF level 2 XML",
}
_LONGEST_HEADER: Final = 1 << 20
_NAMED: Final = 200


class _Root(Exception):
    """Ends the look at a prolog: the root element, as namespace and name."""


def format_of(path: Path) -> Format:
    """Tell what a file is, packed or not.

    Raises:
        BadReference: It is of no format that is known here, or damaged.
        OSError: It can't be read.
    """
    with opened(path) as stream:
        start = _start(stream)
        if start.startswith(b"<") or start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            return _xml(stream, path)
        if start.startswith((b"{", b"[")):
            return _json(stream, path)
        return _csv(stream)


def _start(stream: io.BufferedReader) -> bytes:
    return stream.peek(CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip()


def _json(stream: io.BufferedReader, path: Path) -> Format:
    _, first = next(json_objects(stream, Tally(str(path), "JSON")), (0, {"recordType": None}))
    keys = first.keys()
    if keys & BODS_KEYS:
        return "BODS"
    if "kind" in keys:
        return "native JSON Lines"
    if {"schema", "properties"} <= keys:
        return "FollowTheMoney"
    raise BadReference(
        str(path),
        "is neither native ownership records (kind), nor BODS (recordType), nor FollowTheMoney (schema)",
        line=1,
    )


def _csv(stream: io.BufferedReader) -> Format:
    """Tell by the header. One that is not known is left to the native reader, which says what it misses."""
    header = stream.readline(_LONGEST_HEADER).decode("utf-8-sig", errors="replace")
    columns = _columns(header)
    if {"LEI", "Entity.LegalName"} <= columns:
        return "GLEIF level 1 CSV"
    if {"Relationship.StartNode.NodeID", "Relationship.EndNode.NodeID"} <= columns:
        return "GLEIF level 2 CSV"
    return "native CSV"


def _columns(header: str) -> frozenset[str]:
    try:
        return frozenset(next(csv.reader([header]), ()))
    except csv.Error:
        return frozenset()


def _xml(stream: io.BufferedReader, path: Path) -> Format:
    root = _root(stream, path)
    found = _ROOTS.get(root)
    if found is None:
        namespace, _, name = root[:_NAMED].rpartition(" ")
        raise BadReference(
            str(path),
            f"is XML with the root {name} in {namespace or 'no namespace'}; known are LEI-CDF 3.1 and RR-CDF 2.1",
        )
    return found


def _root(stream: io.BufferedReader, path: Path) -> str:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = _stop
    refuse_dtd(parser, str(path))
    try:
        read = 0
        while (piece := stream.read1(CHUNK)) and read < _LONGEST_HEADER:
            parse(parser, piece, path=str(path))
            read += len(piece)
        parse(parser, b"", path=str(path))
    except _Root as root:
        return str(root)
    raise BadReference(str(path), "is XML without a root element")


def _stop(name: str, _attributes: Mapping[str, str]) -> Any:
    raise _Root(name)


def parse(parser: expat.XMLParserType, piece: bytes, *, path: str) -> None:
    """Parse a piece of XML; an empty one is the end.

    Raises:
        BadReference: Not XML, or in an encoding that can't be read. Handlers raise what they raise.
    """
    try:
        parser.Parse(piece, not piece)
    except expat.ExpatError as error:
        message, line = expat.ErrorString(error.code), error.lineno
    except BadReference:
        raise
    except (LookupError, ValueError) as error:  # how the parser says that it has no such encoding
        message, line = str(error)[:_NAMED], parser.CurrentLineNumber
    else:
        return
    raise BadReference(path, f"is not XML: {message}", line=line)


def refuse_dtd(parser: expat.XMLParserType, path: str) -> None:
    """Make a parser end with an error at a document type: it could define entities that grow without limit."""

    def refuse(*_: object) -> None:
        raise BadReference(path, "has a document type definition; refused", line=parser.CurrentLineNumber)

    parser.StartDoctypeDeclHandler = refuse
