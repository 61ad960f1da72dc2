"""Read ownership files of any known format into a spool."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

from stream_enforcer.domain.ownership.graph import Entity, Stake
from stream_enforcer.domain.ownership.identity import NATIVE, Apart
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.formats import format_of
from stream_enforcer.reference.keep_apart import text_of
from stream_enforcer.reference.native import native_rows
from stream_enforcer.reference.packed import opened
from stream_enforcer.reference.publications import PUBLICATION, Publications
from stream_enforcer.reference.report import SourceReport
from stream_enforcer.snapshot.columns import Columns
from stream_enforcer.snapshot.layout import ReasonCount, SourceFile
from stream_enforcer.snapshot.native_batches import PIECE, Parsed, Piece, located, parse, parse_stream, pieces
from stream_enforcer.snapshot.spool import Spool

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many have been read."""

_LINES: Final = "native JSON Lines"
_ROWS: Final = "native CSV"
_BATCH: Final = 100_000
_ALONE: Final = 4 * PIECE
"""Up to so many bytes, starting other processes takes longer than it saves."""
_CHUNK: Final = 1 << 20


class Read(NamedTuple):
    """What was read.

    Attributes:
        hash: As `load_ownership` gives it for the same files.
        as_of: Day of the newest snapshot or publication, where one is stated.
    """

    hash: str
    as_of: str | None
    sources: list[SourceFile]


def read_sources(
    paths: Sequence[Path], spool: Spool, apart: Apart, workers: int, progress: Progress | None
) -> Read:
    """Read files into a spool. Native ones come last: their records replace others of the same id, as in memory.

    Raises:
        BadReference: A file can't be used.
        OSError: The spool can't be written.
    """
    hashes = _Hashes(paths, apart)
    formats = [_format(path) for path in paths]
    several = len({PUBLICATION[form] for form in formats}) > 1
    reader = _Reader(spool, workers, progress, hashes.size, several=several)
    reports: dict[int, SourceReport] = {}
    foreign = [place for place, form in enumerate(formats) if form not in (_LINES, _ROWS)]
    if foreign:
        found = reader.foreign([paths[place] for place in foreign])
        reports.update(zip(foreign, found, strict=True))
    for place, (path, form) in enumerate(zip(paths, formats, strict=True)):
        if place not in reports:
            reports[place] = reader.native(path, form)
    sources = [_source(hashes.of[place], reports[place]) for place in range(len(paths))]
    return Read(hashes.total, reader.as_of, sources)


class _Reader:
    def __init__(
        self, spool: Spool, workers: int, progress: Progress | None, size: int, *, several: bool
    ) -> None:
        self._several = several
        self.as_of: str | None = None
        self._spool = spool
        self._workers = workers
        self._progress = progress
        self._size = size
        self._done = 0

    def foreign(self, paths: Sequence[Path]) -> tuple[SourceReport, ...]:
        """Read files that are not native, all together: they may speak of one another."""
        publications = Publications()
        tallies = [publications.take(path, strict=False) for path in paths]
        for publication, reading in publications.readings():
            self._dated(reading.as_of)
            self._records([*reading.entities, *reading.stakes], paths[0], publication)
        self._advance(sum(path.stat().st_size for path in paths))
        return tuple(tally.report() for tally in tallies)

    def native(self, path: Path, form: str) -> SourceReport:
        """Read a native file."""
        try:
            records = self._rows(path) if form == _ROWS else self._lines(path)
        except OSError as error:
            raise _unreadable(path, error) from None
        return SourceReport(str(path), form, "line", records, records, ())

    def _rows(self, path: Path) -> int:
        with opened(path) as stream:
            records = self._records(native_rows(stream, str(path)), path, NATIVE)
        self._advance(path.stat().st_size)
        return records

    def _lines(self, path: Path) -> int:
        size = path.stat().st_size
        if not _is_plain(path):
            with opened(path) as stream:
                records = sum(
                    self._take(parsed, path) for parsed in parse_stream(stream, several=self._several)
                )
            self._advance(size)
            return records
        records = 0
        cut = pieces(path, several=self._several)
        parsed_pieces = (
            _in_order(cut, self._workers) if size > _ALONE and self._workers > 1 else map(parse, cut)
        )
        for piece, parsed in zip(cut, parsed_pieces, strict=True):
            records += self._take(parsed, path)
            self._advance(piece.last - piece.first)
        return records

    def _records(self, records: Iterable[Entity | Stake], path: Path, publication: int) -> int:
        columns, count = Columns(publication, several=self._several), 0
        for record in records:
            try:
                columns.stake(record) if isinstance(record, Stake) else columns.entity(record)
            except ValueError as error:
                raise BadReference(str(path), f"record {record.id} can't be kept: {error}") from None
            count += 1
            if len(columns) == _BATCH:
                self._spool.add(columns.batch())
                columns = Columns(publication, several=self._several)
        self._spool.add(columns.batch())
        return count

    def _take(self, parsed: Parsed, path: Path) -> int:
        if parsed.fault is not None:
            raise located(parsed.fault, path)
        self._spool.add(parsed.batch)
        self._dated(parsed.as_of)
        return parsed.records

    def _dated(self, as_of: str | None) -> None:
        if as_of is not None:
            self.as_of = max(self.as_of or "", as_of)

    def _advance(self, size: int) -> None:
        self._done += size
        if self._progress is not None:
            self._progress(self._done, self._size)


def _in_order(cut: Iterable[Piece], workers: int) -> Iterator[Parsed]:
    """Parse pieces in other processes and yield them in order; only a few are under way at a time."""
    waiting: deque[Future[Parsed]] = deque()
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for piece in cut:
            waiting.append(pool.submit(parse, piece))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Hashes:
    """SHA-256 of each file, and of all together as `load_ownership` takes it."""

    def __init__(self, paths: Sequence[Path], apart: Apart) -> None:
        total = sha256()
        self.of: list[tuple[str, str, int]] = []
        for path in paths:
            own = sha256()
            try:
                size = path.stat().st_size
                total.update(size.to_bytes(8, "big"))
                with path.open("rb") as file:
                    while chunk := file.read(_CHUNK):
                        total.update(chunk)
                        own.update(chunk)
            except OSError as error:
                raise _unreadable(path, error) from None
            self.of.append((path.name, own.hexdigest(), size))
        total.update(text_of(apart))
        self.total = total.hexdigest()
        self.size = sum(size for _, _, size in self.of)


def _format(path: Path) -> str:
    try:
        return format_of(path)
    except OSError as error:
        raise _unreadable(path, error) from None


def _is_plain(path: Path) -> bool:
    with opened(path) as stream:
        return isinstance(stream.raw, FileIO)


def _unreadable(path: Path, error: OSError) -> BadReference:
    return BadReference(str(path), f"can't be read: {error.strerror or error}")


def _source(hashed: tuple[str, str, int], report: SourceReport) -> SourceFile:
    name, digest, size = hashed
    return SourceFile(
        name=name,
        sha256=digest,
        size=size,
        format=report.format,
        unit=report.unit,
        read=report.read,
        used=report.used,
        reasons=[
            ReasonCount(kind=reason.kind, text=reason.text, count=reason.count, first=reason.first)
            for reason in report.reasons
        ],
    )
