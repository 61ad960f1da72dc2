"""What a build has read so far, on disk: one file for each column, so that memory does not grow with the data."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import numpy as np

from stream_enforcer.snapshot.columns import FORMS, Array, Batch

_COUNTED_BY: Final = {
    "tie_entity": "entity_digest",
    "identifier_entity": "entity_digest",
    "name_entity": "entity_digest",
    "stake_holder": "party_digest",
    "stake_held": "party_digest",
    "stake_source": "source_digest",
}
"""Columns with row numbers of a batch, and the column whose rows these count."""
_ROWS_AT_ONCE: Final = 1 << 18


class Spool:
    """Columns in a folder. The rows of the entities, parties, … of all batches are numbered through."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {name: (folder / name).open("wb") for name in FORMS}
        self._rows = dict.fromkeys(FORMS, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def add(self, batch: Batch) -> None:
        """Append a batch.

        Raises:
            OSError: The disk is full, or the folder can't be written.
        """
        for name, counted in _COUNTED_BY.items():
            before = self._rows[counted]
            if before:
                column = batch[name]
                moved = column + np.uint32(before)
                batch[name] = np.where(column > 0, moved, column) if name == "stake_source" else moved
        self.append(batch)

    def append(self, columns: Batch) -> None:
        """Append to some columns; row numbers are those of the whole spool.

        Raises:
            OSError: As for `add`.
        """
        for name, column in columns.items():
            self._files[name].write(column.data if column.size else b"")
            self._rows[name] += len(column)

    def end(self) -> None:
        """Write out what is still in memory; nothing can be added after that."""
        for file in self._files.values():
            file.close()

    def texts(self, name: str) -> "Texts":
        """Return the texts of the column `name`_text as they are now."""
        return Texts(self.column(f"{name}_text"), starts(self.column(f"{name}_length")))

    def rows(self, name: str) -> int:
        """Return how many rows a column has."""
        return self._rows[name]

    def column(self, name: str) -> Array:
        """Return a column as it is now, mapped into memory."""
        dtype, width = FORMS[name]
        if not self._files[name].closed:
            self._files[name].flush()
        shape = (self._rows[name], width) if width > 1 else (self._rows[name],)
        if not self._rows[name]:
            return np.empty(shape, dtype)
        return np.memmap(self._folder / name, dtype, "r", shape=shape)


class Texts(NamedTuple):
    """Texts one after another, and where each begins."""

    text: Array
    start: Array

    def of(self, row: int) -> bytes:
        """Return the text of a row."""
        return self.text[int(self.start[row]) : int(self.start[row + 1])].tobytes()


def starts(lengths: Array) -> Array:
    """Return where each text begins in a row of texts, and where the last ends."""
    found: Array = np.zeros(len(lengths) + 1, "<u8")
    np.cumsum(lengths, out=found[1:], dtype="<u8")
    return found


def pick(text: Array, start: Array, rows: Array) -> Iterator[Array]:
    """Yield the texts of some rows one after another, in pieces.

    Args:
        text: All texts.
        start: Where each begins, as `starts` gives it.
        rows: Which are wanted, in order.
    """
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[first : first + _ROWS_AT_ONCE]
        begin = start[some].astype(np.int64)
        length = start[some + 1].astype(np.int64) - begin
        ends = np.cumsum(length)
        total = int(ends[-1])
        if (
            total
            and begin[0] + total == begin[-1] + length[-1]
            and (begin[1:] == begin[:-1] + length[:-1]).all()
        ):
            yield text[begin[0] : begin[0] + total]
        else:
            yield text[np.repeat(begin - ends + length, length) + np.arange(total)]
