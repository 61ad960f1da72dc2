import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.ownership import load_ownership, read_ownership

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
