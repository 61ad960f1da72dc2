"""Read ownership files of any known format into a spool."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

from stream_enforcer.domain.ownership.identity import Apart
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.formats import format_of
from stream_enforcer.reference.keep_apart import text_of
from stream_enforcer.reference.packed import opened
from stream_enforcer.reference.publications import PUBLICATION, READ_IN_ORDER, Publications
from stream_enforcer.reference.reading import later
from stream_enforcer.reference.report import SourceReport
from stream_enforcer.snapshot.layout import ReasonCount, SourceFile
from stream_enforcer.snapshot.native_batches import PIECE, Parsed, Piece, located, parse, parse_stream, pieces
from stream_enforcer.snapshot.spool import Spool
from stream_enforcer.snapshot.spooling import Spooled

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many have been read."""

_LINES: Final = "native JSON Lines"
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
    """Read files into a spool, family by family: on the same id a later one replaces an earlier one, as in memory.

    Raises:
        BadReference: A file can't be used.
        OSError: The spool can't be written.
    """
    hashes = _Hashes(paths, apart)
    formats = [_format(path) for path in paths]
    several = len({PUBLICATION[form] for form in formats}) > 1
    reader = _Reader(spool, workers, progress, hashes.size, several=several)
    reports: dict[int, SourceReport] = {}
    for publication in READ_IN_ORDER:
        places = [place for place, form in enumerate(formats) if PUBLICATION[form] == publication]
        reports |= zip(
            places, reader.publication(publication, [paths[place] for place in places]), strict=True
        )
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

    def publication(self, publication: int, paths: Sequence[Path]) -> list[SourceReport]:
        """Read the files of a publication; they may speak of one another."""
        sink = Spooled(self._spool, publication, several=self._several)
        family = Publications(lambda _: sink)
        taken: list[Callable[[], SourceReport]] = []
        for path in paths:
            try:
                taken.append(self._file(family, sink, path))
            except OSError as error:
                raise _unreadable(path, error) from None
        family.end()
        sink.end()
        self.as_of = later(self.as_of, family.as_of)
        return [report() for report in taken]

    def _file(self, family: Publications, sink: Spooled, path: Path) -> Callable[[], SourceReport]:
        """Read a file and return what tells, once all are read, what became of it."""
        if format_of(path) == _LINES:
            records = self._lines(path)
            report = SourceReport(str(path), _LINES, "line", records, records, ())
            return lambda: report
        sink.path = str(path)
        tally = family.take(path, strict=False)
        sink.end()
        self._advance(path.stat().st_size)
        return tally.report

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

    def _take(self, parsed: Parsed, path: Path) -> int:
        if parsed.fault is not None:
            raise located(parsed.fault, path)
        self._spool.add(parsed.batch)
        self.as_of = later(self.as_of, parsed.as_of)
        return parsed.records

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
