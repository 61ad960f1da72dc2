"""Files of lines as they are kept: plain, gzip or Zstandard, told apart by their first bytes."""

import gzip
import io
import sys
import zlib
from typing import Any, BinaryIO, Final, Protocol

from stream_enforcer.replay.history.sources import BadHistory

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PARQUET: Final = b"PAR1"
LONGEST_SIGN: Final = 4
CHUNK: Final = 1 << 18

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = (b"\x28\xb5\x2f\xfd", *(bytes([n]) + b"\x2a\x4d\x18" for n in range(0x50, 0x60)))
"""A frame of data, or one of those that are passed over, which may come first (RFC 8878, 3.1)."""
_DAMAGE: Final = (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError)


class _Packed(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Unpacked(io.RawIOBase):
    """The unpacked bytes; ends with an error where they are damaged."""

    def __init__(self, name: str, packed: _Packed) -> None:
        self._name = name
        self._packed = packed
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]  # a BufferedReader gives this
        try:
            data = self._packed.read(len(buffer))
        except _DAMAGE as error:
            raise BadHistory(
                f"{self._name}: is damaged after {self._given:,} unpacked bytes: {error}"
            ) from None
        self._given += len(data)
        buffer[: len(data)] = data
        return len(data)


def first_bytes(stream: "io.BufferedReader[Any]") -> bytes:
    """Return the first bytes of a stream without taking them."""
    return stream.peek(LONGEST_SIGN)[:LONGEST_SIGN]


def unpacked(name: str, stream: "io.BufferedReader[Any]") -> BinaryIO:
    """Return a stream of the unpacked bytes. It raises BadHistory where they are damaged, when it comes there.

    Args:
        name: The file, for messages.
        stream: At its beginning.
    """
    start = first_bytes(stream)
    if start.startswith(_GZIP):
        return io.BufferedReader(_Unpacked(name, gzip.GzipFile(fileobj=stream)), CHUNK)
    if start.startswith(_ZSTD):
        return io.BufferedReader(_Unpacked(name, zstd.ZstdFile(stream)), CHUNK)
    return stream
