from collections.abc import Callable
from pathlib import Path

import pytest

from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.formats import format_of
from stream_enforcer.reference.gleif_xml import LONGEST, GleifXml
from stream_enforcer.reference.ownership import load_ownership
from tests.gleif_builders import Columns, as_csv, as_xml, company, lei, read


def test_prefixes_are_the_publishers_choice(tmp_path: Path) -> None:
    plain = as_xml([company("A")])
    default = plain.replace(b"lei:", b"").replace(b"xmlns:lei", b"xmlns")
    other = plain.replace(b"lei:", b"x:").replace(b"xmlns:lei", b"xmlns:x")
    graphs = [read(tmp_path, content).graph.entities for content in (plain, default, other)]
    assert graphs[0] == graphs[1] == graphs[2]
    assert set(graphs[0]) == {lei("A")}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[:-40], ":14: is not XML: unclosed token"),
        (lambda text: text.replace(b"</lei:LegalName>", b"</lei:Legal>"), ":10: is not XML: mismatched tag"),
        (
            lambda text: text.replace(b"\n<lei:LEIData", b"\n<!DOCTYPE x [<!ENTITY a 'b'>]><lei:LEIData"),
            "refused",
        ),
        (lambda text: text.replace(b"A Ltd", b"&a;"), "undefined entity"),
        (lambda text: text.replace(b"A Ltd", b"\xff"), "is not XML: not well-formed"),
        (lambda text: text.replace(b"leidata/2016", b"leidata/2014"), "leidata/2014; known are"),
        (lambda text: text.replace(b"LEIData", b"Other"), "with the root Other"),
        (lambda text: text.replace(b"UTF-8", b"UTF-9"), "is not XML: unknown encoding: UTF-9"),
        (
            lambda text: text.replace(b"UTF-8", b"GB2312"),
            "is not XML: multi-byte encodings are not supported",
        ),
        (lambda _: b"<?xml version='1.0'?>", "is not XML: no element found"),
    ],
)
def test_broken_xml_is_refused_with_its_place(
    tmp_path: Path, spoil: Callable[[bytes], bytes], message: str
) -> None:
    with pytest.raises(BadReference) as caught:
        read(tmp_path, spoil(as_xml([company("A")])))
    assert message in str(caught.value)


def records(path: Path) -> list[tuple[int, Columns]]:
    with path.open("rb") as stream:
        return list(GleifXml(stream, str(path)).records())


@pytest.mark.parametrize("read_whole", [records, format_of])
def test_a_document_type_is_refused_by_all_that_read_xml(
    tmp_path: Path, read_whole: Callable[[Path], object]
) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + as_xml([company("A")]).partition(b"\n")[2])
    with pytest.raises(BadReference, match="has a document type definition; refused"):
        read_whole(path)


def test_columns_that_say_what_kind_a_name_is_are_no_names(tmp_path: Path) -> None:
    column = "Entity.OtherEntityNames.OtherEntityName.1"
    more = {column: "Alpha", f"{column}.type": "TRADING_OR_OPERATING_NAME", f"{column}.xmllang": "en"}
    files = read(tmp_path, [{**company("A"), **more}], form="csv")
    assert files.graph.entities[lei("A")].aliases == ("Alpha",)


def test_a_record_of_any_size_does_not_fill_the_memory(tmp_path: Path) -> None:
    content = as_xml([company("A")]).replace(b"A Ltd", b"A" * (LONGEST + (1 << 20)))
    with pytest.raises(BadReference, match=r":7: has a record of more than \d+ bytes"):
        read(tmp_path, content)


def test_a_row_that_has_not_a_cell_for_each_column_is_a_fault(tmp_path: Path) -> None:
    content = as_csv([company("A"), company("B")]) + b'"too","few"\r\n\r\n'
    files = read(tmp_path, content, form="csv")
    assert (set(files.graph.entities), files.reports[0].read) == ({lei("A"), lei("B")}, 3)
    assert files.reports[0].reasons[0].first == 4
    with pytest.raises(BadReference, match=r":4: row without a cell"):
        read(tmp_path, content, form="csv", strict=True)


def test_broken_csv_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(as_csv([company("A")]) + b'"open')
    with pytest.raises(BadReference, match=r"a\.csv:3: is not CSV"):
        load_ownership([path])
