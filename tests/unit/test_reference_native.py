import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.domain.ownership.graph import FULL, Entity, Identifiers, Listing, Stake
from stream_enforcer.reference import native
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.fields import millionths
from stream_enforcer.reference.native import NativeRecord, Snapshot, native_lines, native_rows, parse_native
from stream_enforcer.reference.packed import opened

ENTITY = {"kind": "entity", "id": "c1", "name": "One", "type": "company"}
STAKE = {"kind": "stake", "id": "s1", "holder": "c1", "held": "c2"}


def lines_of(path: Path) -> list[NativeRecord]:
    with opened(path) as stream:
        return list(native_lines(stream, str(path)))


def rows_of(path: Path) -> list[Entity | Stake]:
    with opened(path) as stream:
        return list(native_rows(stream, str(path)))


def parsed(**record: Any) -> Any:
    return parse_native(json.dumps(record).encode(), path="o.jsonl", line=12)


def test_an_entity_with_all_that_it_can_have() -> None:
    listing = {"topic": "military", "program": "P", "since": "2020-01-01", "until": "2021-01-01"}
    identifiers = {"lei": "L", "registration_number": "R", "domain": "d.example"}
    more = {"country": "cn", "headquarters": "HK", "aliases": ["Uno"], "extra": 1}
    assert parsed(**ENTITY, **more, identifiers=identifiers, listings=[listing]) == Entity(
        id="c1",
        name="One",
        type="company",
        country="CN",
        headquarters="HK",
        aliases=("Uno",),
        identifiers=Identifiers("L", "R", "d.example"),
        listings=(Listing("military", "P", "2020-01-01", "2021-01-01"),),
    )


def test_a_stake_with_all_that_it_can_have() -> None:
    days = {"since": "2020-01-01", "until": "2024-06-30"}
    assert parsed(**STAKE, share_min=50, share_max=67.5, **days, source="register") == Stake(
        "s1", "c1", "c2", 50_000_000, 67_500_000, "2020-01-01", "2024-06-30", "register"
    )


def test_the_header_says_as_of_when_the_data_are() -> None:
    assert parsed(kind="snapshot", as_of="2026-05-01") == Snapshot("2026-05-01")


@pytest.mark.parametrize(
    ("given", "band"),
    [
        ('"share":60', (60_000_000, 60_000_000)),
        ('"share":"49.95"', (49_950_000, 49_950_000)),
        ('"share":33.333333', (33_333_333, 33_333_333)),
        ('"share":0.29', (290_000, 290_000)),
        ('"share":1e1', (10_000_000, 10_000_000)),
        ('"share":50.000001', (50_000_001, 50_000_001)),
        ('"share":0', (0, 0)),
        ('"share":0.000001', (1, 1)),
        ('"share":60.00000000', (60_000_000, 60_000_000)),
        ('"share":"1e2"', (FULL, FULL)),
        ('"share":"0e999999"', (0, 0)),
        ('"share":"0.00e-9"', (0, 0)),
        ('"share_min":25', (25_000_000, FULL)),
        ('"share_max":25', (0, 25_000_000)),
        ('"share":""', (0, FULL)),
        ('"share":null', (0, FULL)),
        ('"source":"x"', (0, FULL)),
    ],
)
def test_shares_are_exact_and_what_is_not_said_is_open(given: str, band: tuple[int, int]) -> None:
    stake = parse_native(json.dumps(STAKE).encode()[:-1] + b"," + given.encode() + b"}", path="f")
    assert isinstance(stake, Stake)
    assert (stake.min, stake.max) == band


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({**STAKE, "share": 101}, "share"),
        ({**STAKE, "share": -1}, "share"),
        ({**STAKE, "share": "half"}, "share"),
        ({**STAKE, "share": True}, "share"),
        ({**STAKE, "share": [60]}, "share"),
        ({**STAKE, "share": float("nan")}, "share"),
        ({**STAKE, "share": "NaN"}, "share"),
        ({**STAKE, "share": "1e-999999999"}, "share"),
        ({**STAKE, "share": 0.1234567}, "share"),
        ({**STAKE, "share": "10e-9"}, "share"),
        ({**STAKE, "share": "50." + "0" * 40 + "1"}, "share"),
        ({**STAKE, "share": 60, "share_min": 50}, "share"),
        ({**STAKE, "share_min": 60, "share_max": 50}, "share_min"),
        ({**STAKE, "since": "2020-02-30"}, "since"),
        ({**STAKE, "since": "2020"}, "since"),
        ({**STAKE, "until": 2020}, "until"),
        ({**STAKE, "since": "2021-01-01", "until": "2020-01-01"}, "until"),
        ({**STAKE, "holder": ""}, "holder"),
        ({**STAKE, "id": None}, "id"),
        ({**ENTITY, "type": "firm"}, "type"),
        ({**ENTITY, "name": 7}, "name"),
        ({**ENTITY, "country": "China"}, "country"),
        ({**ENTITY, "country": "UK"}, "country"),
        ({**ENTITY, "aliases": "Uno"}, "aliases"),
        ({**ENTITY, "aliases": [1]}, "aliases"),
        ({**ENTITY, "identifiers": ["L"]}, "identifiers"),
        ({**ENTITY, "identifiers": {"lei": 5}}, "identifiers.lei"),
        ({**ENTITY, "listings": ["military"]}, "listings"),
        ({**ENTITY, "listings": [{"topic": "a"}, {}]}, "listings[1].topic"),
        ({"kind": "snapshot"}, "as_of"),
        ({"kind": "share"}, "kind"),
        ({"id": "c1"}, "kind"),
    ],
)
def test_a_bad_record_names_the_file_the_line_and_the_field(record: dict[str, Any], field: str) -> None:
    with pytest.raises(BadReference) as caught:
        parsed(**record)
    assert (caught.value.path, caught.value.line, caught.value.field) == ("o.jsonl", 12, field)
    assert str(caught.value).startswith(f"o.jsonl:12: field {field}: ")


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"7", b"\xff", b"[" * 100_000, b'{"a": 1e99999999999999999999}']
)
def test_a_line_that_is_no_record_names_its_place(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "o.jsonl"
    path.write_bytes(json.dumps(ENTITY).encode() + b"\n\n" + line + b"\n")
    with pytest.raises(BadReference, match=r"o\.jsonl:3: "):
        lines_of(path)


def test_a_line_of_any_size_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "o.jsonl"
    path.write_bytes(
        json.dumps(ENTITY).encode() + b"\n" + json.dumps({**ENTITY, "name": "x" * 2000}).encode()
    )
    assert len(lines_of(path)) == 2
    monkeypatch.setattr(native, "_LONGEST_LINE", 1000)
    with pytest.raises(BadReference, match=r"o\.jsonl:2: has a line of more than 1000 bytes"):
        lines_of(path)


def test_csv_files_say_the_same_as_json(tmp_path: Path) -> None:
    entities, stakes = tmp_path / "e.csv", tmp_path / "s.csv"
    entities.write_text(
        "\ufeffid,name,type,country,headquarters,aliases,lei,registration_number,domain,listings\r\n"
        'c1,"One, Ltd",company,cn,,Uno|Eins,L,,d.example,military|sanction\r\n'
        "p1,Person,person,,,,,,,\r\n",
        encoding="utf-8",
    )
    stakes.write_text(
        "id,holder,held,share,share_min,share_max,since,until,source\ns1,c1,c2,,25,50.5,2020-01-01,,\n",
        encoding="utf-8",
    )
    assert rows_of(entities) == [
        Entity(
            "c1",
            "One, Ltd",
            "company",
            country="CN",
            aliases=("Uno", "Eins"),
            identifiers=Identifiers("L", None, "d.example"),
            listings=(Listing("military"), Listing("sanction")),
        ),
        Entity("p1", "Person", "person"),
    ]
    assert rows_of(stakes) == [Stake("s1", "c1", "c2", 25_000_000, 50_500_000, since="2020-01-01")]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"", "1: has neither"),
        (b"a,b\n1,2\n", "1: has neither"),
        (b"a\rb,c\n1,2\n", "1: has neither"),
        (b"id,holder,held,share\ns1,a,b,200\n", "2: field share: "),
        (b"id,holder,held,share\ns1,a,b,1\ns2,a,b\n", "3: does not have 4 columns"),
        (b"id,holder,held,share\ns1,a,b,1,2\n", "2: does not have 4 columns"),
        (b"id,name,type\nc1,\xff,company\n", "is not CSV in UTF-8"),
        (b'id,name,type\nc1,"open,company\n', "is not CSV in UTF-8"),
    ],
)
def test_a_bad_csv_file_names_its_place(tmp_path: Path, text: bytes, place: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(text)
    with pytest.raises(BadReference) as caught:
        rows_of(path)
    assert place in str(caught.value)


def test_a_float_is_not_an_exact_share() -> None:
    assert millionths(Decimal("0.1")) == 100_000
    with pytest.raises(ValueError, match="not a number"):
        millionths(0.1)
