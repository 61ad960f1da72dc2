"""Files as history: whatever they are packed in, line by line, by the times of their events across files."""

import gzip
import importlib
import sys
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from stream_enforcer.domain.events import Malformed, Signup, decode
from stream_enforcer.domain.records import Record
from stream_enforcer.replay.event_files import MAX_LINE_BYTES
from stream_enforcer.replay.history import BadHistory, Manifest, Source, files, order
from stream_enforcer.replay.history.files import FileHistory, open_files
from tests.builders import Json, at, signup, usage

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Pack = Callable[[bytes], bytes]
PACKINGS: dict[str, Pack] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "gzip of several members": lambda content: gzip.compress(content[:99]) + gzip.compress(content[99:]),
    "zstd": zstd.compress,
    "zstd of several frames": lambda content: zstd.compress(content[:99]) + zstd.compress(content[99:]),
    "zstd that begins with a frame to pass over": lambda content: (
        b"\x51\x2a\x4d\x18\x02\x00\x00\x00ab" + zstd.compress(content)
    ),
}


def lines(events: Sequence[Json]) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in events)


def events(count: int, first_ms: int = 0) -> list[Json]:
    return [usage(f"a{n % 7}", occurred_at=at(0, first_ms + n), event_id=str(n)) for n in range(count)]


def written(folder: Path, content: bytes, name: str = "events") -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def read(history: FileHistory) -> list[Record]:
    with history:
        return [record for chunk in history for kind, record in chunk if kind is None]


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_packing_is_told_by_content_and_changes_nothing(packing: str, tmp_path: Path) -> None:
    content = lines(events(5_000))
    name = written(tmp_path, PACKINGS[packing](content), "events.of-no-known-kind")
    found = read(open_files([name]))
    assert b"".join((record.value or b"") + b"\n" for record in found) == content
    assert [record.offset for record in found] == list(range(1, 5_001))
    assert {(record.topic, record.partition) for record in found} == {(name, 0)}
    assert found[1].key == b"a1"
    assert found[1].timestamp == at(0, 1)


@pytest.mark.parametrize("packing", PACKINGS)
def test_standard_input_may_be_packed_too_and_stays_open(packing: str) -> None:
    stdin = BytesIO(PACKINGS[packing](lines(events(100))))
    found = read(open_files(["-"], stdin))
    assert {record.topic for record in found} == {"-"}
    assert len(found) == 100
    assert not stdin.closed


def test_files_are_merged_by_the_times_of_their_events_and_keep_their_lines_in_order(tmp_path: Path) -> None:
    def times(*ms: int) -> list[Json]:
        return [usage(occurred_at=at(0, moment), event_id=str(moment)) for moment in ms]

    one = written(tmp_path, lines(times(0, 20, 10, 40)), "one")
    two = written(tmp_path, lines(times(5, 20, 30)), "two")
    found = read(open_files([one, two]))
    in_order = [(one, 1), (two, 1), (one, 2), (one, 3), (two, 2), (two, 3), (one, 4)]
    assert [(record.topic, record.offset) for record in found] == in_order


def test_what_is_no_event_is_a_record_in_its_place(tmp_path: Path) -> None:
    content = lines(events(2)) + b"no JSON\n\n" + lines(events(1, 5)) + b'{"cut of'
    found = read(open_files([written(tmp_path, content)]))
    assert [record.offset for record in found] == [1, 2, 3, 5, 6]
    assert [isinstance(decode(record, None), Malformed) for record in found] == [
        False,
        False,
        True,
        False,
        True,
    ]


def test_an_empty_file_is_a_history_without_records(tmp_path: Path) -> None:
    name = written(tmp_path, b"")
    history = open_files([name])
    assert read(history) == []
    assert history.manifest == Manifest((Source(name, 0, 1, 1),), ())


def test_the_manifest_says_which_lines_were_read(tmp_path: Path) -> None:
    one, two = (written(tmp_path, lines(events(n)), str(n)) for n in (3, 5))
    history = open_files([two, one])
    read(history)
    assert history.manifest == Manifest((Source(two, 0, 1, 6), Source(one, 0, 1, 4)), ())


def test_a_reading_that_broke_off_goes_on_as_if_it_had_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order, "CHUNK", 10)
    monkeypatch.setattr(files, "MOST_LINES", 7)
    names = [written(tmp_path, lines(events(100, first)), f"f{first}") for first in (0, 50, 120)]
    whole = read(open_files(names))
    before = []
    with open_files(names) as history:
        for chunk in history:
            before += [record for _, record in chunk]
            if len(before) > 100:
                break
        positions = history.positions
    after = read(open_files(names, resume=positions))
    assert 100 < len(before) < 300
    assert before + after == whole


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_file_that_was_cut_off_is_an_error_that_says_how_far_it_was_whole(
    packing: str, tmp_path: Path
) -> None:
    whole = PACKINGS[packing](lines(events(50_000)))
    name = written(tmp_path, whole[: len(whole) // 2])
    with pytest.raises(BadHistory, match=rf"^{name}: is damaged after [1-9][0-9,]+ unpacked bytes: "):
        read(open_files([name]))


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_file_that_is_damaged_is_an_error_and_never_other_events(packing: str, tmp_path: Path) -> None:
    damaged = bytearray(PACKINGS[packing](lines(events(50_000))))
    for place in range(len(damaged) // 2, len(damaged) // 2 + 64):
        damaged[place] ^= 0xFF
    name = written(tmp_path, bytes(damaged))
    with pytest.raises(BadHistory, match=rf"^{name}: is damaged after"):
        read(open_files([name]))


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_what_follows_a_packed_part_and_is_none_is_damage(packing: str, tmp_path: Path) -> None:
    name = written(tmp_path, PACKINGS[packing](lines(events(3))) + b"no more of it")
    with pytest.raises(BadHistory, match=rf"^{name}: is damaged after"):
        read(open_files([name]))


def test_no_more_than_a_few_megabytes_of_a_file_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    feed = order.Merge.feed

    def watched(merge: order.Merge, source: int, batch: Any) -> None:
        held.append(sum(len(record.value) for record in batch.records))
        feed(merge, source, batch)

    monkeypatch.setattr(order.Merge, "feed", watched)
    long_line = b'{"x":"' + bytes([65]) * (MAX_LINE_BYTES // 2) + b'"}\n'
    assert len(read(open_files([written(tmp_path, zstd.compress(long_line * 40))]))) == 40
    assert max(held) < files.MOST_BYTES + MAX_LINE_BYTES


def test_a_file_that_is_not_there_and_one_named_twice_are_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(BadHistory, match=f"^{missing}: No such file"), open_files([missing]):
        pass
    name = written(tmp_path, b"")
    with pytest.raises(BadHistory, match=f"^{name}: is named twice"), open_files([name, name]):
        pass


class TestParquet:
    """Rows as events."""

    @pytest.fixture(autouse=True)
    def arrow(self) -> Any:
        self.parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra: parquet")
        self.pyarrow = importlib.import_module("pyarrow")
        return self.pyarrow

    def table(self, folder: Path, columns: dict[str, Any], **more: Any) -> str:
        path = folder / "events.parquet"
        self.parquet.write_table(self.pyarrow.table(columns), path, **more)
        return str(path)

    def test_a_row_is_an_event_without_what_is_null(self, arrow: Any, tmp_path: Path) -> None:
        made = [
            signup("a1", organization={"name": "Acme", "country": "US"}),
            signup("a2", declared_country="DE", occurred_at=at(1)),
        ]
        columns = {name: [event.get(name) for event in made] for name in (*made[0], *made[1])}
        columns["occurred_at"] = arrow.array(
            [event["occurred_at"] * 1_000 + 7 for event in made], arrow.timestamp("us", "UTC")
        )
        columns["type"] = arrow.array(columns["type"]).dictionary_encode()
        name = self.table(tmp_path, columns)
        found = read(open_files([name]))
        assert [orjson.loads(record.value or b"") for record in found] == made
        assert [(record.offset, record.key, record.timestamp) for record in found] == [
            (1, b"a1", made[0]["occurred_at"]),
            (2, b"a2", at(1)),
        ]
        assert all(isinstance(decode(record, None), Signup) for record in found)

    def test_a_time_without_a_zone_is_of_utc(self, arrow: Any, tmp_path: Path) -> None:
        name = self.table(
            tmp_path, {"account_id": ["a"], "occurred_at": arrow.array([at()], arrow.timestamp("ms"))}
        )
        (record,) = read(open_files([name]))
        assert record.timestamp == at()

    def test_whole_numbers_may_stand_in_columns_of_fractions(self, arrow: Any, tmp_path: Path) -> None:
        decimal = arrow.array([17, None]).cast(arrow.decimal128(38, 0))
        name = self.table(tmp_path, {"input_tokens": [812.0, None], "cost_usd_micros": decimal})
        first, second = read(open_files([name]))
        assert first.value == b'{"input_tokens":812,"cost_usd_micros":17}'
        assert second.value == b"{}"

    def test_a_number_that_is_no_whole_one_is_an_error(self, tmp_path: Path) -> None:
        name = self.table(tmp_path, {"input_tokens": [0.5]})
        with pytest.raises(BadHistory, match=rf"^{name}: cannot be read after 0 rows: .*0\.5"):
            read(open_files([name]))

    def test_a_column_that_no_event_has_is_named(self, arrow: Any, tmp_path: Path) -> None:
        for kind in (arrow.binary(), arrow.date32(), arrow.struct([("at", arrow.timestamp("ms"))])):
            name = self.table(tmp_path, {"odd": arrow.nulls(1, kind)})
            with pytest.raises(BadHistory, match=rf"^{name}: column odd: no field of an event is of type "):
                read(open_files([name]))

    def test_many_rows_of_several_groups_keep_their_order(self, tmp_path: Path) -> None:
        made = events(5_000)
        columns = {name: [event[name] for event in made] for name in made[0]}
        found = read(open_files([self.table(tmp_path, columns, row_group_size=700)]))
        assert [orjson.loads(record.value or b"") for record in found] == made
        assert [record.offset for record in found] == list(range(1, 5_001))

    def test_a_damaged_file_is_an_error(self, tmp_path: Path) -> None:
        name = self.table(tmp_path, {"account_id": [str(n) for n in range(1_000)]})
        whole = Path(name).read_bytes()
        for content in (whole[: len(whole) // 2], whole[:4] + bytes(200) + whole[204:]):
            Path(name).write_bytes(content)
            with pytest.raises(BadHistory, match=rf"^{name}: cannot be read after 0 rows: "):
                read(open_files([name]))


def test_parquet_from_standard_input_is_refused() -> None:
    with pytest.raises(BadHistory, match=r"^-: Parquet cannot be read from standard input"):
        read(open_files(["-"], BytesIO(b"PAR1...")))


def test_without_the_extra_parquet_is_an_error_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    name = written(tmp_path, b"PAR1...")
    with pytest.raises(
        BadHistory, match=rf"^{name}: to read Parquet, pip install 'stream-enforcer\[parquet\]'"
    ):
        read(open_files([name]))
