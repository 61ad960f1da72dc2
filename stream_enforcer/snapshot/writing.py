"""Write a snapshot file: under a temporary name, to disk, and then renamed."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from stream_enforcer.snapshot.columns import Array
from stream_enforcer.snapshot.layout import (
    ITEM_BYTES,
    MAGIC,
    SECTIONS,
    START,
    VERSION,
    Header,
    Section,
    aligned,
    data_start,
)

_ITEMS_AT_ONCE: Final = 1 << 20


class Items(NamedTuple):
    """The items of a section: how many, and pieces that hold them one after another."""

    length: int
    pieces: Iterable[Array]


def items(column: Array) -> Items:
    """Return a whole column as a section."""
    places = range(0, len(column), _ITEMS_AT_ONCE)
    return Items(len(column), (column[at : at + _ITEMS_AT_ONCE] for at in places))


def layout_of(sections: Mapping[str, Items]) -> tuple[dict[str, Section], int]:
    """Return where each section comes to be, and how many bytes all have."""
    found, at = {}, 0
    for name, (dtype, _, _) in SECTIONS.items():
        length = sections[name].length
        found[name] = Section(offset=at, dtype=dtype, length=length)
        at = aligned(at + length * ITEM_BYTES[dtype])
    return found, at


def write(path: Path, header: Header, sections: Mapping[str, Items]) -> None:
    """Write a snapshot; who has the file of that name open keeps the old one.

    Raises:
        OSError: The folder can't be written, or the disk is full. The old file, if there is one, is as it was.
    """
    # Beside the target: only there can it be renamed in one step.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            _write(_Summed(file), header, sections)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


class _Summed:
    """A file that keeps the checksum of what is written, and how much that is."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.sum = sha256()
        self.written = 0

    def write(self, data: Any) -> None:
        view = memoryview(data)
        self._file.write(view)
        self.sum.update(view)
        self.written += view.nbytes

    def pad(self, to: int) -> None:
        self.write(bytes(to - self.written))


def _write(file: _Summed, header: Header, sections: Mapping[str, Items]) -> None:
    text = orjson.dumps(header.model_dump(), option=orjson.OPT_SORT_KEYS)
    file.write(START.pack(MAGIC, VERSION, len(text), sha256(text).digest()))
    file.write(text)
    start = data_start(len(text))
    for name, section in header.sections.items():
        file.pad(start + section.offset)
        before = file.written
        for piece in sections[name].pieces:
            file.write(piece.astype(f"<{section.dtype}", copy=False, order="C").view("u1"))
        if file.written - before != section.length * ITEM_BYTES[section.dtype]:
            raise AssertionError(f"section {name} has {file.written - before} bytes")
    file.pad(start + header.data_length)
    file.write(file.sum.digest())
