"""Files as history: lines as records, by the times of their events across files, by line within each."""

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

from stream_enforcer.replay.event_files import STDIN, Line, line_record, read_lines
from stream_enforcer.replay.history import parquet
from stream_enforcer.replay.history.order import Chunk, Merge
from stream_enforcer.replay.history.packing import PARQUET, first_bytes, unpacked
from stream_enforcer.replay.history.sources import NEVER, BadHistory, Batch, Manifest, Part, Position, Source

if TYPE_CHECKING:
    from stream_enforcer.domain.records import StoredRecord

MOST_LINES: Final = 2_000
MOST_BYTES: Final = 4 << 20
"""So much of a file is held at a time."""

_START: Final = Position(1, NEVER)


class FileHistory:
    """The records of files: a context manager, and an iterator over chunks in order.

    A record's topic is the file's name, its partition 0, its offset the line's number, its time the event's.
    """

    def __init__(
        self, names: Sequence[str], stdin: BinaryIO, resume: Mapping[Part, Position] | None = None
    ) -> None:
        self._names = names
        self._stdin = stdin
        self._starts = [(resume or {}).get((name, 0), _START) for name in names]
        self._merge = Merge(self._starts)
        self._files = ExitStack()
        self._streams: list[Iterator[Batch]] = []

    def __enter__(self) -> Self:
        """Open the files.

        Raises:
            BadHistory: A file cannot be opened, is named twice, or is of a kind that cannot be read.
        """
        with ExitStack() as files:
            for name, start in zip(self._names, self._starts, strict=True):
                if self._names.count(name) > 1:
                    raise BadHistory(f"{name}: is named twice")
                self._streams.append(_batches(name, self._lines(name, files), start.offset))
            self._files = files.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    @property
    def manifest(self) -> Manifest:
        """What was read up to here: a file's end is known at the end."""
        read = zip(self._names, self._starts, self._merge.positions, strict=True)
        return Manifest(tuple(Source(name, 0, start.offset, at.offset) for name, start, at in read), ())

    @property
    def positions(self) -> dict[Part, Position]:
        """Where each file stands behind the last chunk: what `open_files` takes to go on from there."""
        return {(name, 0): at for name, at in zip(self._names, self._merge.positions, strict=True)}

    def __iter__(self) -> Iterator[Chunk]:
        """Yield chunks.

        Raises:
            BadHistory: A file is damaged; what was whole before it has been yielded.
        """
        while True:
            while chunk := self._merge.take():
                yield chunk
            behind = self._merge.behind
            if behind is None:
                return
            batch = next(self._streams[behind], None)
            if batch is None:
                self._merge.finish(behind)
            else:
                self._merge.feed(behind, batch)

    def _lines(self, name: str, files: ExitStack) -> Iterator[Line]:
        stream = self._open(name, files)
        if first_bytes(stream) != PARQUET:
            return read_lines(unpacked(name, stream))
        if name == STDIN:
            raise BadHistory(
                "-: Parquet cannot be read from standard input, for its end comes first; name the file"
            )
        return parquet.rows(name)

    def _open(self, name: str, files: ExitStack) -> "io.BufferedReader[Any]":
        if name == STDIN:
            stream = io.BufferedReader(self._stdin)  # type: ignore[type-var]  # any binary stream has what it needs
            files.callback(stream.detach)  # standard input stays open
            return stream
        try:
            return files.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise BadHistory(f"{name}: {error.strerror}") from None


def open_files(
    names: Sequence[str], stdin: BinaryIO | None = None, resume: Mapping[Part, Position] | None = None
) -> FileHistory:
    """Return the history that files hold; open it with `with`.

    Each file has an event a line, as JSON; plain, in gzip or in Zstandard; or it is a Parquet file with an event
    a row, for which the extra `parquet` is needed. Its first bytes tell, not its name.

    Args:
        names: The files, in the order of their ranks; `-` is standard input.
        stdin: In the place of this process's own.
        resume: Where a reading stood that broke off, by name and 0.
    """
    return FileHistory(names, stdin or sys.stdin.buffer, resume)


def _batches(name: str, lines: Iterator[Line], start: int) -> Iterator[Batch]:
    records: list[StoredRecord] = []
    size = 0
    for line in lines:
        if line.number < start:
            continue
        records.append(line_record(name, line))
        size += len(line.value)
        if len(records) >= MOST_LINES or size >= MOST_BYTES:
            yield Batch(None, records)
            records, size = [], 0
    if records:
        yield Batch(None, records)
