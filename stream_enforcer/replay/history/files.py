"""Files as history: their lines as records, in the order of their events' times across files."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import BinaryIO, Self

from stream_enforcer.replay.event_files import event_records, open_lines
from stream_enforcer.replay.history.order import Chunk, Merge
from stream_enforcer.replay.history.sources import NEVER, Batch, Manifest, Part, Position, Source

BATCH = 1_000


class FileHistory:
    """The records of files; a context manager, and an iterator over chunks in order.

    Args:
        names: The files, in the order of their ranks; `-` is standard input.
        stdin: Standard input.
    """

    def __init__(self, names: Sequence[str], stdin: BinaryIO) -> None:
        self._names = names
        self._stdin = stdin
        self._files = ExitStack()
        self._merge = Merge([Position(1, NEVER)] * len(names))
        self._streams: list[Iterator[Batch]] = []

    def __enter__(self) -> Self:
        for name in self._names:
            stream = self._files.enter_context(open_lines(name, self._stdin))
            self._streams.append(_batches(name, stream))
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    @property
    def manifest(self) -> Manifest:
        """What was read up to here; all there is, at the end."""
        ends = [position.offset for position in self._merge.positions]
        return Manifest(
            tuple(Source(name, 0, 1, end) for name, end in zip(self._names, ends, strict=True)), ()
        )

    @property
    def positions(self) -> dict[Part, Position]:
        """Where each file stands behind the last chunk."""
        return {(name, 0): p for name, p in zip(self._names, self._merge.positions, strict=True)}

    def __iter__(self) -> Iterator[Chunk]:
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


def open_files(names: Sequence[str], stdin: BinaryIO) -> FileHistory:
    """Open files as history."""
    return FileHistory(names, stdin)


def _batches(name: str, stream: BinaryIO) -> Iterator[Batch]:
    records = []
    for record in event_records(name, stream):
        records.append(record)
        if len(records) == BATCH:
            yield Batch(None, records)
            records = []
    if records:
        yield Batch(None, records)
