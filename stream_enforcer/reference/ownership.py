"""Ownership files of any known format, told apart by their content, as one graph with a report for each file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Final, TypeVar

from stream_enforcer.domain.ownership.graph import OwnershipGraph
from stream_enforcer.reference.bods import BodsReader
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.formats import Format, format_of
from stream_enforcer.reference.ftm import FtmReader
from stream_enforcer.reference.gleif import Columns, GleifReader
from stream_enforcer.reference.gleif_csv import gleif_rows
from stream_enforcer.reference.gleif_xml import GleifXml
from stream_enforcer.reference.json_objects import json_objects
from stream_enforcer.reference.native import NativeReader
from stream_enforcer.reference.packed import opened
from stream_enforcer.reference.reading import Reading
from stream_enforcer.reference.report import Origin, Reason, SourceReport, Tally, skipped
from stream_enforcer.snapshot.file import is_snapshot
from stream_enforcer.snapshot.graph import Snapshot
from stream_enforcer.snapshot.layout import SourceFile

_CHUNK: Final = 1 << 20
_UNSPECIFIED: Final = "unspecified:"
_Statement = TypeVar("_Statement")


@dataclass(frozen=True, slots=True)
class OwnershipFiles:
    """A graph, and what became of the statements of its files.

    Attributes:
        reports: One for each file, in the order given.
        dangling: Parties of stakes that no file describes. They are kept, and nothing is known of them.
    """

    graph: OwnershipGraph
    reports: tuple[SourceReport, ...]
    dangling: int

    @property
    def skipped(self) -> Mapping[str, int]:
        """Counts of what was not used, over all files, by reason."""
        return skipped(self.reports)


def load_ownership(paths: Sequence[Path], *, strict: bool = False) -> OwnershipGraph:
    """Read ownership files into one graph; a later file's record with the same id replaces an earlier one's.

    The hash is SHA-256 over the length (8 bytes, big-endian) and the bytes of each file, as packed, in order.

    Args:
        paths: Files of any format that `format_of` tells; plain, gzip, xz, or zip with one member. Or one snapshot,
            which has a hash of its own.
        strict: Refuse the first fault, instead of counting what is not used.

    Raises:
        BadReference: A file can't be read, is of no known format, is damaged, or has a bad record: a native record
            is refused always, others when strict.
    """
    return read_ownership(paths, strict=strict).graph


def read_ownership(paths: Sequence[Path], *, strict: bool = False) -> OwnershipFiles:
    """Read ownership files as `load_ownership` does, and report what became of each statement.

    Raises:
        BadReference: As `load_ownership` says.
    """
    if any(_is_snapshot(path) for path in paths):
        return _snapshot(paths, strict=strict)
    total, readers, tallies = sha256(), _Readers(), []
    for path in paths:
        try:
            _hash(path, total.update)
            tallies.append(readers.take(path, strict=strict))
        except OSError as error:
            raise BadReference(str(path), f"can't be read: {error.strerror or error}") from None
    readings = readers.readings()
    graph = OwnershipGraph.build(
        (entity for reading in readings for entity in reading.entities),
        (stake for reading in readings for stake in reading.stakes),
        hash=total.hexdigest(),
        as_of=max((reading.as_of for reading in readings if reading.as_of is not None), default=None),
    )
    return OwnershipFiles(graph, tuple(tally.report() for tally in tallies), _dangling(graph, readings))


def _is_snapshot(path: Path) -> bool:
    try:
        return is_snapshot(path)
    except OSError as error:
        raise BadReference(str(path), f"can't be read: {error.strerror or error}") from None


def _snapshot(paths: Sequence[Path], *, strict: bool) -> OwnershipFiles:
    """Open a snapshot; the reports are those of the files that it was built from."""
    path = paths[0]
    if len(paths) > 1:
        raise BadReference(str(path), "a snapshot stands alone: build one from all the files")
    snapshot = Snapshot(path)
    header = snapshot.file.header
    reports = tuple(map(_report, header.sources))
    if strict and any(report.faults for report in reports):
        raise BadReference(str(path), "was built from files with faults; `ownership info` names them")
    return OwnershipFiles(snapshot.graph, reports, header.unresolved)


def _report(source: SourceFile) -> SourceReport:
    reasons = tuple(Reason(one.kind, one.text, one.count, one.first) for one in source.reasons)
    return SourceReport(source.name, source.format, source.unit, source.read, source.used, reasons)


class _Readers:
    """A reader for each family of formats: the files of a family are one publication."""

    def __init__(self) -> None:
        self._bods = BodsReader()
        self._gleif = GleifReader()
        self._ftm = FtmReader()
        self._native = NativeReader()

    def take(self, path: Path, *, strict: bool) -> Tally:
        """Read a file with the reader of its format."""
        form = format_of(path)
        tally = Tally(str(path), form, strict)
        with opened(path) as stream:
            self._take(form, stream, tally)
        return tally

    def readings(self) -> list[Reading]:
        """Return what each family says; on the same id, a later one wins."""
        return [reader.reading() for reader in (self._bods, self._gleif, self._ftm, self._native)]

    def _take(self, form: Format, stream: BufferedReader, tally: Tally) -> None:
        match form:
            case "BODS":
                _each(json_objects(stream, tally), self._bods.statement, tally)
            case "FollowTheMoney":
                _each(json_objects(stream, tally), self._ftm.statement, tally)
            case "native JSON Lines":
                self._native.lines(stream, tally)
            case "native CSV":
                self._native.rows(stream, tally)
            case "GLEIF level 1 XML":
                self._xml(stream, self._gleif.entity, tally)
            case "GLEIF level 2 XML":
                self._xml(stream, self._gleif.relationship, tally)
            case "GLEIF level 1 CSV":
                self._csv(stream, self._gleif.entity, tally)
            case "GLEIF level 2 CSV":
                self._csv(stream, self._gleif.relationship, tally)

    def _xml(self, stream: BufferedReader, take: Callable[[Columns, Origin], None], tally: Tally) -> None:
        source = GleifXml(stream, tally.path)
        _each(source.records(), take, tally)
        self._gleif.dated(source.content_date)

    def _csv(self, stream: BufferedReader, take: Callable[[Columns, Origin], None], tally: Tally) -> None:
        """Read CSV, which has no header record: its newest update dates it."""
        newest = ""
        for place, columns in gleif_rows(stream, tally):
            tally.read += 1
            newest = max(newest, columns.get("Registration.LastUpdateDate", ""))
            take(columns, Origin(tally, place))
        self._gleif.dated(newest)


def _each(
    placed: Iterator[tuple[int, _Statement]], take: Callable[[_Statement, Origin], None], tally: Tally
) -> None:
    for place, statement in placed:
        tally.read += 1
        take(statement, Origin(tally, place))


def _dangling(graph: OwnershipGraph, readings: Sequence[Reading]) -> int:
    parties = {
        party for reading in readings for stake in reading.stakes for party in (stake.holder, stake.held)
    }
    return sum(not party.startswith(_UNSPECIFIED) for party in parties - graph.entities.keys())


def _hash(path: Path, update: Callable[[bytes], object]) -> None:
    update(path.stat().st_size.to_bytes(8, "big"))
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            update(chunk)
