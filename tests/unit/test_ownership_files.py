import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.ownership import load_ownership, read_ownership
from stream_enforcer.reference.report import Reason, Tally
from stream_enforcer.reference.world_files import load_world

NATIVE: list[dict[str, Any]] = [
    {"kind": "snapshot", "as_of": "2026-05-01"},
    {"kind": "entity", "id": "a", "name": "A", "type": "company"},
    {"kind": "stake", "id": "s", "holder": "x", "held": "a", "share": 10},
]
BODS: list[dict[str, Any]] = [
    {
        "recordId": "b",
        "recordType": "entity",
        "recordDetails": {"name": "B"},
        "publicationDetails": {"publicationDate": "2026-06-01"},
    },
    {
        "recordId": "r",
        "recordType": "relationship",
        "recordDetails": {"subject": "b", "interestedParty": "a", "interests": [{"type": "shareholding"}]},
    },
]


def lines(records: list[dict[str, Any]]) -> str:
    return "\n".join(map(json.dumps, records)) + "\n"


def written(folder: Path, **texts: str) -> list[Path]:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        (lines(NATIVE), "a"),
        ("\n\n" + lines(NATIVE), "a"),
        ("id,name,type\na,A,company\n", "a"),
        (lines(BODS), "b"),
        (json.dumps(BODS), "b"),
        (json.dumps(BODS, indent=2), "b"),
        (json.dumps(BODS[0], indent=2), "b"),
    ],
)
def test_the_format_is_told_by_the_content(tmp_path: Path, text: str, entity: str) -> None:
    assert set(load_ownership(written(tmp_path, data=text)).entities) == {entity}


def test_files_of_all_formats_make_one_graph(tmp_path: Path) -> None:
    files = written(tmp_path, native=lines(NATIVE), bods=lines(BODS), csv="id,holder,held,share\nt,b,c,5\n")
    graph = load_ownership(files)
    assert set(graph.entities) == {"a", "b"}
    assert [stake.id for held in ("a", "b", "c") for stake in graph.stakes_in(held)] == ["s", "r", "t"]
    assert graph.as_of == "2026-06-01"
    assert load_ownership(files[:1]).as_of == "2026-05-01"
    assert load_ownership(files[2:]).as_of is None


def test_the_hash_is_over_lengths_and_bytes_in_order(tmp_path: Path) -> None:
    one, two = written(tmp_path, one=lines(NATIVE), two=lines(BODS))
    expected = sha256()
    for path in (one, two):
        content = path.read_bytes()
        expected.update(len(content).to_bytes(8, "big") + content)
    assert load_ownership([one, two]).hash == expected.hexdigest()
    assert load_ownership([two, one]).hash != expected.hexdigest()


def test_what_was_skipped_is_reported(tmp_path: Path) -> None:
    useless = {"recordId": "q", "recordType": "other"}
    read = read_ownership(written(tmp_path, bods=lines([*BODS, useless])))
    assert read.skipped == {"statement of an unknown type": 1}


def test_an_object_of_no_known_format_is_refused_in_an_array_too(tmp_path: Path) -> None:
    with pytest.raises(BadReference, match="is neither native"):
        load_ownership(written(tmp_path, data='[{"name": "neither"}]'))


@pytest.mark.parametrize("version", ["0.1", "0.5", "1.0.0", "x" * 1000, 4])
def test_a_version_that_is_not_known_is_named(tmp_path: Path, version: object) -> None:
    later = {**BODS[0], "publicationDetails": {"bodsVersion": version}}
    with pytest.raises(BadReference) as caught:
        load_ownership(written(tmp_path, data=lines([*BODS, later])))
    place = "data:3: field publicationDetails.bodsVersion: is BODS of version "
    assert f"{place}{str(version)[:40]!r}; known are 0.2, 0.3, 0.4" in str(caught.value)


@pytest.mark.parametrize("version", ["0.2", "0.2.0", "0.3", "0.4", "", None])
def test_known_versions_and_none_are_read(tmp_path: Path, version: str | None) -> None:
    statement = {**BODS[0], "publicationDetails": {"bodsVersion": version}}
    assert set(load_ownership(written(tmp_path, data=lines([statement]))).entities) == {"b"}


def test_each_file_has_a_report_of_its_own(tmp_path: Path) -> None:
    useless = {"recordId": "q", "recordType": "other"}
    files = written(tmp_path, native=lines(NATIVE), bods=lines([*BODS, useless, useless]))
    native, bods = read_ownership(files).reports
    assert (native.format, native.read, native.used, native.reasons) == ("native JSON Lines", 3, 3, ())
    assert (bods.format, bods.read, bods.used, bods.faults) == ("BODS", 4, 2, 1)
    assert [(reason.text, reason.count, reason.first) for reason in bods.reasons] == [
        ("statement that a later one replaces", 1, 3),
        ("statement of an unknown type", 1, 4),
    ]


def test_a_statement_with_several_interests_is_used_once(tmp_path: Path) -> None:
    interests = [{"type": "shareholding", "share": {"exact": share}} for share in (10, 20)]
    twice = {**BODS[1], "recordDetails": {**BODS[1]["recordDetails"], "interests": interests}}
    read = read_ownership(written(tmp_path, bods=lines([BODS[0], twice])))
    assert (len(read.graph.stakes_in("b")), read.reports[0].used) == (2, 2)


def test_a_reason_names_the_first_place_whatever_the_order_of_counting() -> None:
    tally = Tally("f", "BODS")
    for place in (7, 3, 5):
        tally.pass_over("reason", place)
    assert tally.report().reasons == (Reason("passed over", "reason", 3, 3),)


def test_strict_refuses_the_first_fault_with_its_place(tmp_path: Path) -> None:
    useless = {"recordId": "q", "recordType": "other"}
    with pytest.raises(BadReference, match="bods:3: statement of an unknown type"):
        read_ownership(written(tmp_path, bods=lines([*BODS, useless])), strict=True)
    with pytest.raises(BadReference, match=r"array: field \[2\]: statement of an unknown type"):
        read_ownership(written(tmp_path, array=json.dumps([*BODS, useless])), strict=True)
    assert read_ownership(written(tmp_path, sound=lines(BODS)), strict=True).graph.entities


def test_a_world_is_loaded_with_the_reports_of_its_files(tmp_path: Path) -> None:
    files = written(tmp_path, bods=lines([*BODS, {"recordId": "q", "recordType": "other"}]))
    loaded = load_world(None, [], files)
    assert (loaded.skipped, loaded.dangling) == ({"statement of an unknown type": 1}, 1)
    assert [report.path for report in loaded.reports] == [str(files[0])]
    with pytest.raises(BadReference, match="bods:3: statement of an unknown type"):
        load_world(None, [], files, strict=True)


def test_parties_that_no_file_describes_are_counted_over_all_files(tmp_path: Path) -> None:
    files = written(tmp_path, native=lines(NATIVE), bods=lines(BODS))
    assert [read_ownership(chosen).dangling for chosen in (files[:1], files[1:], files)] == [1, 1, 1]


def test_a_share_of_an_unspecified_party_does_not_dangle(tmp_path: Path) -> None:
    nobody = {**BODS[1], "recordDetails": {"subject": "b", "interests": [{"type": "shareholding"}]}}
    read = read_ownership(written(tmp_path, bods=lines([BODS[0], nobody])))
    assert (read.dangling, len(read.graph.stakes_in("b"))) == (0, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": "neither"}\n', "is neither native"),
        ("{not json\n", "data:1: is not JSON"),
        ("", "has neither the columns"),
        (lines(NATIVE) + "{}\n", "data:4: field kind: is missing"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadReference) as caught:
        load_ownership(written(tmp_path, data=text))
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadReference, match="absent: can't be read: No such file"):
        load_ownership([tmp_path / "absent"])
