"""Files as they are published: plain, gzip, xz, or a zip archive with one member, told apart by their first bytes."""

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final, Protocol

from stream_enforcer.reference.errors import BadReference

CHUNK: Final = 1 << 18
"""How many bytes are read at a time."""

# Registers unpack to 10 to 40 times their size. Deflate can reach 1,000 times and xz far more: such a file is
# made to keep its reader busy. Small files may be as repetitive as they like.
MOST_TIMES: Final = 200
ALWAYS_ALLOWED: Final = 64 << 20

_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\x00"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED: Final = 0x1
_DAMAGE: Final = (
    EOFError,
    lzma.LZMAError,
    zlib.error,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    NotImplementedError,
)


class _Packed(Protocol):
    """What unpacks."""

    def read(self, size: int = -1, /) -> bytes: ...


class _Unpacked(io.RawIOBase):
    """The unpacked bytes; ends with an error where they are damaged or too many."""

    def __init__(self, packed: _Packed, path: Path) -> None:
        self._packed = packed
        self._path = path
        self._most = max(ALWAYS_ALLOWED, MOST_TIMES * path.stat().st_size)
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]  # a BufferedReader gives this
        try:
            data = self._packed.read(len(buffer))
        except _DAMAGE as error:
            raise BadReference(
                str(self._path), f"is damaged after {self._given} unpacked bytes: {error}"
            ) from None
        self._given += len(data)
        if self._given > self._most:
            raise BadReference(str(self._path), f"unpacks to more than {MOST_TIMES} times its size; refused")
        buffer[: len(data)] = data
        return len(data)


# What the zip reader lets through from a directory that makes no sense.
_BROKEN_ZIP: Final = (*_DAMAGE, ValueError, LookupError, OverflowError, RuntimeError, struct.error)


@contextmanager
def opened(path: Path) -> Iterator[io.BufferedReader]:
    """Open a file for reading its unpacked bytes.

    Raises:
        BadReference: The archive is damaged, encrypted, has not exactly one member, or unpacks to far too much. Also
            raised while the bytes are read.
        OSError: The file can't be opened or read.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        start = file.read(len(_XZ))
        file.seek(0)
        if start.startswith(_GZIP):
            packed: _Packed = stack.enter_context(gzip.open(file))
        elif start.startswith(_XZ):
            packed = stack.enter_context(lzma.open(file))
        elif start.startswith(_ZIP):
            packed = _member(file, path, stack)
        else:
            yield file
            return
        yield io.BufferedReader(_Unpacked(packed, path), CHUNK)


def _member(file: IO[bytes], path: Path, stack: ExitStack) -> _Packed:
    archive = stack.enter_context(_archive(file, path))
    members = [member for member in archive.infolist() if not member.filename.endswith("/")]
    if len(members) != 1:
        raise BadReference(str(path), f"is a zip archive with {len(members)} files; it must have one")
    if members[0].flag_bits & _ENCRYPTED:
        raise BadReference(str(path), "is an encrypted zip archive")
    try:
        return stack.enter_context(archive.open(members[0]))
    except _BROKEN_ZIP as error:
        raise BadReference(str(path), f"is not a zip archive that can be read: {error}") from None


def _archive(file: IO[bytes], path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except _BROKEN_ZIP as error:
        raise BadReference(str(path), f"is not a zip archive that can be read: {error}") from None
