"""GLEIF XML, LEI-CDF 3.1 and RR-CDF 2.1, one record at a time, in the columns of the golden copy CSV."""

from collections.abc import Callable, Iterator, Mapping
from io import BufferedReader
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.formats import parse, refuse_dtd
from stream_enforcer.reference.packed import CHUNK

LONGEST: Final = 16 << 20
"""The most bytes that one record may have: a reader holds one at a time."""

Columns = Mapping[str, str]

_RECORDS: Final = ("LEIRecord", "RelationshipRecord")
_NAMES: Final = ("OtherEntityNames", "TransliteratedOtherEntityNames")
_NESTED: Final = (
    "LegalAddress",
    "HeadquartersAddress",
    "RegistrationAuthority",
    "StartNode",
    "EndNode",
)


class GleifXml:
    """Reads the records of a file.

    Attributes:
        content_date: The header's date of the content, as it is written, once it was read.
    """

    def __init__(self, stream: BufferedReader, path: str) -> None:
        self.content_date: str | None = None
        self._stream = stream
        self._path = path
        self._records: list[tuple[int, Columns]] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        refuse_dtd(self._parser, path)
        self._record: str | None = None
        self._started = (0, 0)
        self._outside()

    def records(self) -> Iterator[tuple[int, Columns]]:
        """Yield each record with the line on which it begins.

        Raises:
            BadReference: Not XML, with a document type, or a record has more than `LONGEST` bytes.
        """
        while piece := self._stream.read1(CHUNK):
            parse(self._parser, piece, path=self._path)
            yield from self._taken()
            if self._record is not None and self._parser.CurrentByteIndex - self._started[1] > LONGEST:
                raise BadReference(
                    self._path, f"has a record of more than {LONGEST} bytes", line=self._started[0]
                )
        parse(self._parser, b"", path=self._path)
        yield from self._taken()

    def _taken(self) -> list[tuple[int, Columns]]:
        taken, self._records = self._records, []
        return taken

    def _outside(self) -> None:
        """Watch for the next record; of all else only the header's date is kept."""
        self._record = None
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = None
        self._parser.CharacterDataHandler = None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = _local(name)
        if kind in _RECORDS:
            self._inside(name, attributes, self._finish)
        elif kind == "ContentDate":
            self._inside(name, attributes, self._dated)

    def _inside(self, name: str, attributes: dict[str, str], finish: Callable[[int, Element], None]) -> None:
        """Build the element with the methods of a fresh builder as handlers: only ends cost a call in Python."""
        builder = TreeBuilder()
        builder.start(name, attributes)
        depth = 1

        def start(inner: str, given: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            builder.start(inner, given)

        def end(inner: str) -> None:
            nonlocal depth
            depth -= 1
            builder.end(inner)
            if depth == 0:
                line = self._started[0]
                self._outside()
                finish(line, builder.close())

        self._record = name
        self._started = self._parser.CurrentLineNumber, self._parser.CurrentByteIndex
        self._parser.StartElementHandler = start
        self._parser.EndElementHandler = end
        self._parser.CharacterDataHandler = builder.data

    def _finish(self, line: int, element: Element) -> None:
        self._records.append((line, _columns(element)))

    def _dated(self, _line: int, element: Element) -> None:
        self.content_date = element.text


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _columns(record: Element) -> Columns:
    """Give a record the columns that the CSV has; elements that are not read here get none."""
    columns: dict[str, str] = {}
    for part in record:
        name = _local(part.tag)
        if len(part):
            for field in part:
                _put(columns, f"{name}.{_local(field.tag)}", field)
        else:
            columns[name] = part.text or ""
    return columns


def _put(columns: dict[str, str], column: str, field: Element) -> None:
    if not len(field):
        columns[column] = field.text or ""
        return
    name = column.rpartition(".")[2]
    if name in _NESTED:
        for inner in field:
            columns[f"{column}.{_local(inner.tag)}"] = inner.text or ""
    elif name in _NAMES:
        for number, inner in enumerate(field, start=1):
            columns[f"{column}.{name[:-1]}.{number}"] = inner.text or ""
    elif name == "RelationshipPeriods":
        for number, period in enumerate(field, start=1):
            for inner in period:
                end = _local(inner.tag)
                columns[f"Relationship.Period.{number}.{end[0].lower()}{end[1:]}"] = inner.text or ""
