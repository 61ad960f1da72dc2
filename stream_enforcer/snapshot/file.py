"""Open a snapshot file: mapped, never read as a whole, and refused when it is not what it says."""

import mmap
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from stream_enforcer.reference.errors import BadReference
from stream_enforcer.snapshot.layout import (
    CHECKSUM,
    FOLDED_BY,
    ITEM_BYTES,
    LONGEST_HEADER,
    MAGIC,
    SECTIONS,
    START,
    VERSION,
    Dtype,
    Header,
    Section,
    data_start,
)

_CODES: Final[dict[Dtype, str]] = {"u1": "B", "u2": "H", "u4": "I", "u8": "Q"}
_CHUNK: Final = 1 << 22


def is_snapshot(path: Path) -> bool:
    """Tell whether a file begins as a snapshot does.

    Raises:
        OSError: It can't be read.
    """
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


class SnapshotFile:
    """An open snapshot: its header, and its sections as memory that all processes share.

    The file must not be changed in place while it is open: replace it, as the builder does.
    """

    def __init__(self, path: Path) -> None:
        """Open a file and check its beginning: this reads the header alone.

        Raises:
            BadReference: It can't be read, is no snapshot, is truncated or damaged, or it or its names are of another
                version.
        """
        self.path = str(path)
        if sys.byteorder != "little":
            raise BadReference(self.path, "is a snapshot; this machine's numbers are big-endian")
        try:
            with path.open("rb") as file:
                start = file.read(START.size)
                self._check_start(start)
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise BadReference(self.path, f"can't be read: {error.strerror or error}") from None
        self._all = memoryview(self._map)
        self.header, self._data = self._header()
        self._sections = {name: self._section(name) for name in SECTIONS}

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return len(self._all)

    def section(self, name: str) -> "memoryview[int]":
        """Return the items of a section."""
        return self._sections[name]

    def damaged(self, what: str) -> BadReference:
        """Return the error that says what of the content makes no sense."""
        return BadReference(self.path, f"is damaged: {what}")

    def check(self) -> None:
        """Read the whole file and compare it with its checksum.

        Raises:
            BadReference: It does not agree.
        """
        total = sha256()
        for piece in self._pieces():
            total.update(piece)
        if total.digest() != self._all[-CHECKSUM:]:
            raise self.damaged("its content does not agree with its checksum")

    def checksum(self) -> str:
        """Return the stated SHA-256 of the file's content, hex."""
        return self._all[-CHECKSUM:].hex()

    def _pieces(self) -> Iterator["memoryview[int]"]:
        end = len(self._all) - CHECKSUM
        for at in range(0, end, _CHUNK):
            yield self._all[at : min(at + _CHUNK, end)]

    def _check_start(self, start: bytes) -> None:
        if start[: len(MAGIC)] != MAGIC:
            raise BadReference(self.path, "is not an ownership snapshot")
        if len(start) < START.size:
            raise BadReference(self.path, f"is truncated: it has {len(start)} bytes")
        version = START.unpack(start)[1]
        if version != VERSION:
            raise BadReference(
                self.path, f"is a snapshot of version {version}; this program reads {VERSION}: build it again"
            )

    def _header(self) -> tuple[Header, "memoryview[int]"]:
        _, _, length, digest = START.unpack(self._all[: START.size])
        if length > LONGEST_HEADER:
            raise self.damaged("its header's length makes no sense")
        text = bytes(self._all[START.size : START.size + length])
        if len(text) < length:
            raise BadReference(self.path, f"is truncated: it has {self.size} bytes")
        if sha256(text).digest() != digest:
            raise self.damaged("its header does not agree with its checksum")
        try:
            header = Header.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise self.damaged(f"its header: {place}: {first['msg']}") from None
        if header.folded_by != FOLDED_BY:
            raise BadReference(
                self.path,
                f"has names folded by {header.folded_by}; this program has {FOLDED_BY}: build it again",
            )
        start = data_start(length)
        expected = start + header.data_length + CHECKSUM
        if self.size != expected:
            what = "is truncated" if self.size < expected else "goes on after its end"
            raise BadReference(self.path, f"{what}: it has {self.size} bytes, its header says {expected}")
        return header, self._all[start : start + header.data_length]

    def _section(self, name: str) -> "memoryview[int]":
        dtype, rows, more = SECTIONS[name]
        found = self.header.sections.get(name)
        if found is None or found.dtype != dtype:
            raise self.damaged(f"its header: section {name} is missing or of another type")
        if rows != "bytes" and found.length != getattr(self.header.counts, rows) + more:
            raise self.damaged(f"its header: section {name} has {found.length} items")
        return self._items(name, found)

    def _items(self, name: str, section: Section) -> "memoryview[int]":
        end = section.offset + section.length * ITEM_BYTES[section.dtype]
        if end > self.header.data_length:
            raise self.damaged(f"its header: section {name} ends after the file")
        return self._data[section.offset : end].cast(_CODES[section.dtype])  # type: ignore[call-overload, no-any-return]  # each of these codes is of integers
