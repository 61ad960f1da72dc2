"""The fast way of reading native lines gives what the reader of native records gives, error for error."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.native import parse_native
from stream_enforcer.snapshot import native_batches

NUMBERS = st.sampled_from(
    [
        *(
            "0",
            "60",
            "60.5",
            "33.333333",
            "33.3333333",
            "1e2",
            "1e-7",
            "5e-1",
            "1e-400",
            "0.0",
            "-0.0",
            "-1",
            "101",
        ),
        *(
            "50.00000000000000001",
            "0.000001",
            "99.9999999999999999",
            "true",
            "null",
            '""',
            '"60.5"',
            '" 7 "',
            '"x"',
        ),
        *("[]", "NaN", "100.0", "100.000000000000000000001", "0.0000001", "1e400"),
    ]
)
TEXTS = st.sampled_from(
    [
        '"a"',
        '" b "',
        '""',
        "null",
        "7",
        '"2024-06-30"',
        '"2024-02-30"',
        '"GB"',
        '"gb"',
        '"\\ud800"',
        "{}",
        "[]",
    ]
) | st.text(max_size=4).map(json.dumps)
LISTS = st.sampled_from(["null", "[]", '["A"," ","B "]', "[7]", '"A"', "{}", '{"lei":"L"}', '{"lei":7}'])
LISTINGS = st.sampled_from(
    ["null", "[]", '[{"topic":"t","since":"2024-06-30"}]', '[{"topic":""}]', "[7]", "[[]]", '{"topic":"t"}']
)
STAKE = st.dictionaries(
    st.sampled_from(["share", "share_min", "share_max", "share_max"]), NUMBERS, max_size=2
).flatmap(
    lambda band: st.dictionaries(
        st.sampled_from(["id", "holder", "held", "since", "until", "source"]), TEXTS
    ).map(lambda texts: {"id": '"s"', "holder": '"a"', "held": '"b"', **texts, **band, "kind": '"stake"'})
)
ENTITY = st.fixed_dictionaries(
    {
        "kind": st.just('"entity"'),
        "id": TEXTS,
        "name": TEXTS,
        "type": st.sampled_from(['"company"', '"x"', "[]"]),
    },
    optional={
        "country": TEXTS,
        "headquarters": TEXTS,
        "aliases": LISTS,
        "identifiers": LISTS,
        "listings": LISTINGS,
    },
)
OTHER = st.fixed_dictionaries({"kind": st.sampled_from(['"snapshot"', '"other"', "7", "[]"]), "as_of": TEXTS})


def written(fields: dict[str, str]) -> bytes:
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}").encode()


def answer(read: Any, line: bytes) -> object:
    try:
        return read(line)
    except BadReference as error:
        return error.message, error.field


@given((STAKE | ENTITY | OTHER).map(written) | st.binary(max_size=12))
@example(b'{"kind":"entity","id":"a","name":"A","type":"company","country":""}')
@example(b'\xef\xbb\xbf{"kind":"snapshot","as_of":"2024-06-30"}')
@example(b'{"kind":"stake","id":"s","holder":"a","held":"b","share":1,"share_min":null}')
@example(b'{"kind":"stake","id":"s","holder":"a","held":"b","share":50.00000000000000001}')
@example(b'{"kind":"stake","id":"s","holder":"a","held":"b","share":1e-400}')
@example(b'{"kind":"stake","id":"s","holder":"a","held":"b","share":33.3333333}')
@example(b'{"kind":"stake","id":"s","holder":"a","held":"b","share":1e-7}')
@example(b'{"kind":"stake","id":"s","holder":"a","held":"b","share":true}')
def test_the_fast_way_says_what_the_reader_says(line: bytes) -> None:
    expected = answer(lambda value: parse_native(value, path=""), line)
    assert answer(native_batches._record, line) == expected


@given(st.integers(0, 100_000_000), st.integers(0, 8))
def test_a_share_comes_exactly_from_a_number_of_json(share: int, zeros: int) -> None:
    text = f"{share // 1_000_000}.{share % 1_000_000:06d}" + "0" * zeros
    line = f'{{"kind":"stake","id":"s","holder":"a","held":"b","share":{text}}}'.encode()
    stake: Any = native_batches._record(line)
    assert (stake.min, stake.max) == (share, share)


def test_a_usual_line_does_not_take_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def long_way(*_: object, **__: object) -> None:
        raise AssertionError("the long way")

    monkeypatch.setattr(native_batches, "parse_native", long_way)
    for line in (
        b'{"kind":"entity","id":"a","name":"A","type":"company","country":"GB","identifiers":{"lei":"L"}}',
        b'{"kind":"stake","id":"s","holder":"a","held":"b","share":33.333333,"since":"2024-06-30","source":"r"}',
        b'{"kind":"stake","id":"s","holder":"a","held":"b","share_min":25,"share_max":"50.5"}',
        b'{"kind":"stake","id":"s","holder":"a","held":"b"}',
    ):
        native_batches._record(line)


@given(
    st.lists(st.sampled_from(["", " ", "\r", "x" * 9, "y" * 40]), max_size=12),
    st.integers(1, 60),
    st.booleans(),
)
def test_every_line_is_in_exactly_one_piece(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], size: int, ended: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines"
    data = "\n".join(lines).encode() + (b"\n" if ended else b"")
    path.write_bytes(data)
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_batches, "PIECE", size)
        for piece in native_batches.pieces(path):
            with path.open("rb") as file:
                found += list(native_batches._lines_of(file, piece))
    assert [line.strip() for _, line in found] == [line.encode() for line in lines if line.strip()]
    assert all(data[at : at + len(line)] == line for at, line in found)
