"""How a file is cut into pieces, and whether it is packed, changes nothing of what is read."""

import gzip
import io
import itertools
import json
import lzma
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_enforcer.reference.gleif_csv import gleif_rows
from stream_enforcer.reference.gleif_xml import GleifXml
from stream_enforcer.reference.json_objects import json_objects
from stream_enforcer.reference.native import native_lines, native_rows
from stream_enforcer.reference.ownership import read_ownership
from stream_enforcer.reference.report import Tally
from tests.gleif_builders import as_csv, as_xml
from tests.reference_sources import COMPANIES, SOURCES, STATEMENTS


class Trickle(io.RawIOBase):
    """Gives a few bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        self._rest = memoryview(content)
        self._size = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._rest[: min(self._size, len(buffer))]
        buffer[: len(piece)] = piece
        self._rest = self._rest[len(piece) :]
        return len(piece)


def records(name: str, stream: io.BufferedReader) -> Iterator[object]:
    tally = Tally("f", name)
    match name.rsplit(maxsplit=1)[-1]:
        case "xml":
            source = GleifXml(stream, "f")
            yield from source.records()
            yield source.content_date
        case "csv":
            yield from gleif_rows(stream, tally)
        case "rows":
            yield from native_rows(stream, "f")
        case "lines" if name.startswith("native"):
            yield from native_lines(stream, "f")
        case _:
            yield from json_objects(stream, tally)
            yield tally.unit


@pytest.mark.parametrize("name", SOURCES)
@given(size=st.integers(1, 400))
@example(size=1)
def test_pieces_of_any_size_give_the_same_records(name: str, size: int) -> None:
    content = SOURCES[name]
    whole = list(records(name, io.BufferedReader(Trickle(content, 1 << 30))))
    assert len(whole) >= 1
    assert list(records(name, io.BufferedReader(Trickle(content, size)))) == whole


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("register", content)
    return buffer.getvalue()


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zipped])
def test_a_packed_file_says_what_the_plain_one_says(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "source"
    path.write_bytes(SOURCES[name])
    plain = read_ownership([path])
    path.write_bytes(pack(SOURCES[name]))
    unpacked = read_ownership([path])
    assert plain.graph.entities == unpacked.graph.entities
    held = {*"abc", *plain.graph.entities}
    assert [plain.graph.stakes_in(one) for one in held] == [unpacked.graph.stakes_in(one) for one in held]
    assert (plain.reports, plain.dangling) == (unpacked.reports, unpacked.dangling)
    assert plain.graph.as_of == unpacked.graph.as_of
    assert plain.graph.hash != unpacked.graph.hash


class Repeated(io.RawIOBase):
    """Gives a beginning, a record so many times, and an end."""

    def __init__(self, start: bytes, record: bytes, times: int, end: bytes) -> None:
        self._pieces = itertools.chain([start], itertools.repeat(record, times), [end])

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = next(self._pieces, b"")
        buffer[: len(piece)] = piece
        return len(piece)


def parts(name: str) -> tuple[bytes, bytes, bytes]:
    """Cut a source with one record into what is before, the record, and what is after."""
    match name.rsplit(maxsplit=1)[-1]:
        case "xml":
            start, _, rest = as_xml(COMPANIES[:1]).partition(b"<lei:LEIRecord>")
            record, tag, end = rest.partition(b"</lei:LEIRecord>")
            return start, b"<lei:LEIRecord>" + record + tag, end
        case "csv":
            header, _, record = as_csv(COMPANIES[:1]).partition(b"\r\n")
            return header + b"\r\n", record, b""
        case "array":
            return b"[{}", b", " + json.dumps(STATEMENTS[0]).encode(), b"]"
        case _:
            return b"", json.dumps(STATEMENTS[0]).encode() + b"\n", b""


def peak(name: str, times: int) -> int:
    start, record, end = parts(name)
    stream: io.BufferedReader = io.BufferedReader(Repeated(start, record, times, end))
    tracemalloc.start()
    try:
        found = sum(1 for _ in records(name, stream))
        assert found >= times
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["gleif 1 xml", "gleif 1 csv", "bods array", "bods lines"])
def test_memory_does_not_grow_with_the_file(name: str) -> None:
    peak(name, 10)
    assert peak(name, 20_000) < peak(name, 4_000) + 100_000


@given(at=st.data())
def test_a_file_that_is_cut_off_says_less_or_is_refused(at: st.DataObject) -> None:
    """A broken end is never taken for sound: XML and arrays are refused, whole lines before it may be read."""
    name = at.draw(st.sampled_from(["bods array", "gleif 1 xml", "gleif 2 xml"]))
    content = SOURCES[name].rstrip()
    cut = content[: at.draw(st.integers(0, len(content) - 1))]
    stream: io.BufferedReader = io.BufferedReader(Trickle(cut, 64))
    if not cut.strip() and name == "bods array":
        return
    with pytest.raises(ValueError, match="is not"):
        list(records(name, stream))
