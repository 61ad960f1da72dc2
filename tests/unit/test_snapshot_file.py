"""The file itself: what is refused, and what the same input always gives."""

import gzip
import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.domain.ownership.graph import Stake
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.ownership import load_ownership, read_ownership
from stream_enforcer.snapshot import building, native_batches, sources
from stream_enforcer.snapshot.building import Ask, build
from stream_enforcer.snapshot.file import SnapshotFile, is_snapshot
from stream_enforcer.snapshot.graph import Snapshot
from stream_enforcer.snapshot.layout import VERSION
from tests.bods_builders import entity, relationship, shareholding
from tests.ownership_builders import PERCENT, company
from tests.snapshot_builders import native, snapshot_of

QUESTION = Question(frozenset({"CN"}))
COMPANIES = [company("CN"), company("T"), company("A")]
STAKES = [
    Stake("s1", "CN", "T", 60 * PERCENT, 60 * PERCENT, source="register"),
    Stake("s0", "A", "T", 0, 40 * PERCENT, since="2020-01-01", until="2030-01-01"),
]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    snapshot_of(tmp_path, COMPANIES, STAKES, Ask(QUESTION, "2026-01-01"))
    return tmp_path / "o.snapshot"


def test_a_snapshot_is_known_by_its_beginning(made: Path) -> None:
    assert is_snapshot(made)
    assert not is_snapshot(made.parent / "records.jsonl")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:0], "is not an ownership snapshot"),
        (lambda data: b"{}" + data, "is not an ownership snapshot"),
        (lambda data: data[:20], "is truncated: it has 20 bytes"),
        (lambda data: data[:60], "is truncated: it has 60 bytes"),
        (lambda data: data[:-1], "is truncated"),
        (lambda data: data + b"\0", "goes on after its end"),
        (
            lambda data: data[:8] + b"\7" + data[9:],
            f"version 7; this program reads {VERSION}: build it again",
        ),
        (lambda data: data[:12] + b"\xff\xff\xff\xff" + data[16:], "header's length makes no sense"),
        (
            lambda data: data[:50] + bytes([data[50] ^ 1]) + data[51:],
            "header does not agree with its checksum",
        ),
    ],
)
def test_what_is_not_whole_is_refused_with_the_reason(made: Path, change: Any, message: str) -> None:
    made.write_bytes(change(made.read_bytes()))
    with pytest.raises(BadReference, match=message) as refused:
        SnapshotFile(made)
    assert str(refused.value).startswith(str(made))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadReference, match="can't be read: No such file"):
        SnapshotFile(tmp_path / "none")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("counts", "entities"), -1, "header: counts.entities"),
        (("counts", "stakes"), 7, "section stake_holder has 2 items"),
        (("sections", "name_hash", "offset"), 1 << 40, "section name_hash ends after the file"),
        (("sections", "name_hash", "dtype"), "u1", "section name_hash is missing or of another type"),
        (("sections", "name_hash"), None, "header: sections.name_hash"),
        (
            ("folded_by",),
            "rigour 0",
            "has names folded by rigour 0; this program has rigour .*: build it again",
        ),
    ],
)
def test_a_header_that_makes_no_sense_is_refused_even_with_a_checksum(
    made: Path, place: tuple[str, ...], value: object, message: str
) -> None:
    data = made.read_bytes()
    _, _, length, _ = struct.unpack_from("<8sII32s", data)
    header = json.loads(data[48 : 48 + length])
    inner = header
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    made.write_bytes(_with_header(data, header, length))
    with pytest.raises(BadReference, match=message):
        SnapshotFile(made)


def _with_header(data: bytes, header: object, old_length: int) -> bytes:
    from hashlib import sha256  # noqa: PLC0415 - beside its only use

    text = json.dumps(header).encode()
    start = struct.pack("<8sII32s", data[:8], VERSION, len(text), sha256(text).digest()) + text
    return start + bytes(-len(start) % 64) + data[-(-(48 + old_length) // 64) * 64 :]


def test_the_checksum_finds_a_changed_bit_anywhere(made: Path) -> None:
    Snapshot(made).file.check()
    data = bytearray(made.read_bytes())
    _, _, length, _ = struct.unpack_from("<8sII32s", data)
    for place in range(48 + length, len(data), 97):
        data[place] ^= 16
        made.write_bytes(data)
        with pytest.raises(BadReference, match="content does not agree with its checksum"):
            SnapshotFile(made).check()
        data[place] ^= 16


def test_the_hash_and_the_day_are_those_of_the_same_files_in_memory(tmp_path: Path) -> None:
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    paths[0].write_text(native(COMPANIES, [], "2026-02-03"), encoding="utf-8")
    paths[1].write_text(native([], STAKES, "2026-01-01"), encoding="utf-8")
    memory = load_ownership(paths)
    header = build(paths, tmp_path / "s")
    assert (header.hash, header.as_of) == (memory.hash, memory.as_of) == (memory.hash, "2026-02-03")
    assert [(source.name, source.read) for source in header.sources] == [("a.jsonl", 4), ("b.jsonl", 3)]


def test_a_later_record_replaces_an_earlier_one_as_in_memory(tmp_path: Path) -> None:
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    first.write_text(native([company("A"), company("B"), company("A", "US")], STAKES), encoding="utf-8")
    moved = Stake("s1", "X", "B", PERCENT, PERCENT)
    second.write_text(native([company("B", "FR"), company("C")], [moved]), encoding="utf-8")
    memory = load_ownership([first, second])
    build([first, second], tmp_path / "s")
    graph = Snapshot(tmp_path / "s").graph
    assert list(graph.entities.items()) == list(memory.entities.items())
    assert sorted(graph.stakes(), key=lambda s: s.id) == sorted(memory.stakes(), key=lambda s: s.id)
    assert graph.entities["A"].country == "US"


def test_files_of_all_formats_are_read_and_reported_as_in_memory(tmp_path: Path) -> None:
    bods, rows, lines = tmp_path / "b.json", tmp_path / "r.csv", tmp_path / "n.jsonl"
    odd = {"recordId": "q", "recordType": "other"}
    statements = [entity("a", name="A"), relationship("a", "b", shareholding({"exact": 12.5})), odd]
    bods.write_text(json.dumps(statements), encoding="utf-8")
    rows.write_text("id,name,type,aliases\nr,R,company,RR|RRR\n", encoding="utf-8")
    lines.write_text(native(COMPANIES, STAKES), encoding="utf-8")
    paths = [lines, bods, rows]
    memory = read_ownership(paths)
    header = build(paths, tmp_path / "s")
    graph = Snapshot(tmp_path / "s").graph
    assert dict(graph.entities) == dict(memory.graph.entities)
    assert set(graph.stakes()) == set(memory.graph.stakes())
    assert (header.hash, header.unresolved) == (memory.graph.hash, memory.dangling)
    expected = [(r.format, r.read, r.used, [n.text for n in r.reasons]) for r in memory.reports]
    assert [(s.format, s.read, s.used, [n.text for n in s.reasons]) for s in header.sources] == expected


def test_the_same_files_give_the_same_bytes_however_they_are_cut_and_by_how_many_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "o.jsonl"
    companies = [company(f"c{n}") for n in range(300)]
    stakes = [Stake(f"s{n * 7 % 300}", f"c{n}", f"c{n // 9}", n, n, source=f"{n % 5}") for n in range(300)]
    source.write_text(native([*companies, company("c7", "CN")], stakes), encoding="utf-8")
    ask = Ask(QUESTION, "2026-01-01")
    build([source], tmp_path / "whole", ask)
    monkeypatch.setattr(native_batches, "PIECE", 700)
    monkeypatch.setattr(sources, "_ALONE", 0)
    build([source], tmp_path / "cut", ask)
    build([source], tmp_path / "shared", ask, workers=2)
    whole = (tmp_path / "whole").read_bytes()
    assert (tmp_path / "cut").read_bytes() == whole
    assert (tmp_path / "shared").read_bytes() == whole


def test_a_packed_file_gives_the_same_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_batches, "_STREAM_BATCH", 2)
    plain, packed = tmp_path / "o.jsonl", tmp_path / "o.jsonl.gz"
    plain.write_text(native(COMPANIES, STAKES, "2026-01-01"), encoding="utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    one, other = (build([path], tmp_path / f"{path.name}.s") for path in (plain, packed))
    assert (one.counts, one.as_of, one.sections) == (other.counts, other.as_of, other.sections)
    graphs = [Snapshot(tmp_path / f"{path.name}.s").graph for path in (plain, packed)]
    assert dict(graphs[0].entities) == dict(graphs[1].entities)


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("piece", [1 << 20, 50])
def test_a_bad_line_is_named_as_the_reader_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: bool, piece: int
) -> None:
    monkeypatch.setattr(native_batches, "PIECE", piece)
    source = tmp_path / "o.jsonl"
    text = (
        native(COMPANIES, STAKES) + "\n" + '{"kind":"stake","id":"x","holder":"a","held":"b","share":101}\n'
    )
    source.write_bytes(gzip.compress(text.encode()) if pack else text.encode())
    with pytest.raises(BadReference) as reader:
        load_ownership([source])
    with pytest.raises(BadReference) as builder:
        build([source], tmp_path / "s")
    assert str(builder.value) == str(reader.value)
    assert "o.jsonl:7: field share: 101 is not within 0 to 100 per cent" in str(reader.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.jsonl"]


def test_a_build_that_fails_leaves_the_old_file_as_it_was(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = made.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        build([made.parent / "records.jsonl"], made)
    assert made.read_bytes() == old
    assert sorted(path.name for path in made.parent.iterdir()) == ["o.snapshot", "records.jsonl"]


def test_who_has_a_snapshot_open_keeps_it_when_it_is_replaced(made: Path) -> None:
    snapshot = Snapshot(made)
    snapshot_of(made.parent, [company("Z")], [])
    assert [stake.id for stake in snapshot.graph.stakes_in("T")] == ["s0", "s1"]
    assert list(Snapshot(made).graph.entities) == ["Z"]


def test_verdicts_without_a_day_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "o.jsonl"
    source.write_text(native(COMPANIES, STAKES), encoding="utf-8")
    with pytest.raises(BadReference, match="no file says which day it describes"):
        build([source], tmp_path / "s", building.Ask(QUESTION))


def test_nothing_makes_a_snapshot_of_nothing(tmp_path: Path) -> None:
    source = tmp_path / "o.jsonl"
    source.write_text(native([], [], "2026-01-01"), encoding="utf-8")
    build([source], tmp_path / "s", Ask(QUESTION))
    snapshot = Snapshot(tmp_path / "s")
    assert (len(snapshot.graph.entities), list(snapshot.graph.stakes())) == (0, [])
    assert snapshot.graph.entities.get("T") is None


def test_stakes_of_others_end_the_reading_of_a_damaged_index(made: Path) -> None:
    sound = SnapshotFile(made)
    section = sound.header.sections["held_start"]
    start = sound.size - 32 - sound.header.data_length + section.offset
    data = bytearray(made.read_bytes())
    data[start : start + 4] = (0).to_bytes(4, "little")  # who has none, is given those of T
    data[start + 4 : start + 8] = (2).to_bytes(4, "little")
    made.write_bytes(data)
    with pytest.raises(BadReference, match="is damaged: stakes of number 0"):
        Snapshot(made).graph.stakes_in("CN")
