import json
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.domain.ownership.graph import FULL, OwnershipGraph
from stream_enforcer.domain.ownership.semantics import Question, assess
from stream_enforcer.reference.errors import BadReference
from tests.bods_builders import Read, bands, entity, read_bods, reader, relationship, shareholding

DAY = "2026-05-01"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path)


@pytest.mark.parametrize(
    ("share", "band"),
    [
        ({"exact": 60}, (60_000_000, 60_000_000)),
        ({"exact": "49.95"}, (49_950_000, 49_950_000)),
        ({"exact": 0.1234567}, (123_456, 123_457)),
        ({"exact": "49." + "9" * 40}, (49_999_999, 50_000_000)),
        ({"exact": "1e-999999999"}, (0, 1)),
        ({"exact": 100, "minimum": 100, "maximum": 100}, (FULL, FULL)),
        ({"minimum": 25, "maximum": 50}, (25_000_000, 50_000_000)),
        ({"exclusiveMinimum": 25, "exclusiveMaximum": 50}, (25_000_001, 49_999_999)),
        ({"minimum": 75, "exclusiveMaximum": 100}, (75_000_000, 99_999_999)),
        ({"exclusiveMinimum": 50}, (50_000_001, FULL)),
        ({"minimum": "25", "maximum": "", "exclusiveMaximum": True}, (25_000_000, FULL)),
        ({"exact": "", "minimum": ""}, (0, FULL)),
        ({}, (0, FULL)),
        (None, (0, FULL)),
    ],
)
def test_a_share_becomes_a_band(read: Read, share: object, band: tuple[int, int]) -> None:
    assert bands(read(relationship("a", "b", shareholding(share)))) == [("a", "b", *band)]


@pytest.mark.parametrize(
    ("interest", "reason"),
    [
        (shareholding({"exact": 5000}), "share that is not within 0 to 100 per cent"),
        (shareholding({"exact": "most"}), "share that is not a number"),
        (shareholding({"minimum": 60, "maximum": 50}), "share with a minimum over its maximum"),
        (shareholding({"exact": 5}, endDate="soon"), "date that can't be read"),
        ({"type": "votingRights", "share": {"exact": 60}}, "relationship without a shareholding"),
        ({"directOrIndirect": "unknown"}, "relationship without a shareholding"),
    ],
)
def test_what_cannot_be_used_is_skipped_and_counted(
    read: Read, interest: dict[str, Any], reason: str
) -> None:
    reading = read(relationship("a", "b", interest), relationship("c", "b", shareholding({"exact": 1})))
    assert bands(reading) == [("c", "b", 1_000_000, 1_000_000)]
    assert reading.skipped == {reason: 1}
    assert reading.statements == 2


def test_statements_that_say_nothing_are_counted(read: Read) -> None:
    no_subject = relationship("a", {}, shareholding({"exact": 5}))
    assert read({"recordType": "entity"}, {"recordId": "x"}, no_subject).skipped == {
        "statement without a record id": 1,
        "statement of an unknown type": 1,
        "relationship without a subject": 1,
    }


def test_a_later_statement_of_a_record_replaces_an_earlier_one(read: Read) -> None:
    new = relationship("a", "b", shareholding({"exact": 60}), statementDate="2023-01-01")
    old = relationship("a", "b", shareholding({"exact": 70}), statementDate="2022-01-01")
    same_day = relationship("a", "b", shareholding({"exact": 50}), statementDate="2023-01-01")
    assert bands(read(new, old)) == [("a", "b", 60_000_000, 60_000_000)]
    assert bands(read(new, old, same_day)) == [("a", "b", 50_000_000, 50_000_000)]


def test_a_closed_record_ends_with_its_interest_or_with_its_statement(read: Read) -> None:
    closed = {"recordStatus": "closed", "statementDate": "2023-03-03T10:00:00Z"}
    ended = shareholding({"exact": 60}, endDate="2023-01-01")
    assert read(relationship("a", "b", ended, **closed)).stakes[0].until == "2023-01-01"
    assert read(relationship("a", "b", shareholding({"exact": 60}), **closed)).stakes[0].until == "2023-03-03"
    undated = read(relationship("a", "b", shareholding({"exact": 60}), recordStatus="closed"))
    assert (undated.stakes, undated.skipped) == ((), {"closed relationship without a date": 1})


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("", None),
        (None, None),
        ("2021-04-03", "2021-04-03"),
        ("2021-04", "2021-04-01"),
        ("2021", "2021-01-01"),
    ],
)
def test_an_end_date_counts_whatever_the_status_and_an_empty_one_does_not(
    read: Read, given: str | None, day: str | None
) -> None:
    new = relationship("a", "b", shareholding({"exact": 60}, endDate=given), recordStatus="new")
    assert read(new).stakes[0].until == day


@pytest.mark.parametrize(
    "party",
    ["a", {"describedByEntityStatement": "a"}, {"describedByPersonStatement": "a"}, {"recordId": "a"}],
)
def test_parties_are_ids_or_objects_with_one(read: Read, party: Any) -> None:
    reading = read(
        {**relationship(party, {"describedByEntityStatement": "b"}, shareholding()), "recordId": "r"}
    )
    assert bands(reading) == [("a", "b", 0, FULL)]


@pytest.mark.parametrize("party", [{"reason": "noBeneficialOwners"}, {"unspecified": {"reason": "x"}}, None])
def test_a_share_of_an_unspecified_party_counts_for_coverage_alone(read: Read, party: Any) -> None:
    reading = read({**relationship(party, "b", shareholding({"exact": 60})), "recordId": "r"}, entity("b"))
    assert bands(reading) == [("unspecified:r", "b", 60_000_000, 60_000_000)]
    finding = assess(
        OwnershipGraph.build(reading.entities, reading.stakes, hash="h"),
        "b",
        DAY,
        Question(frozenset({"CN"})),
    )
    assert (finding.coverage, finding.control.max) == (60_000_000, 0)


def test_surplus_assets_are_ownership_only_where_there_are_no_shares(read: Read) -> None:
    surplus = {"type": "rightsToSurplusAssetsOnDissolution", "share": {"minimum": 75}}
    old_spelling = {"type": "rights-to-surplus-assets-on-dissolution", "share": {"minimum": 75}}
    for interest in (surplus, old_spelling):
        assert bands(read(relationship("a", "b", interest))) == [("a", "b", 75_000_000, FULL)]
    both = read(relationship("a", "b", surplus, shareholding({"exact": 10})))
    assert bands(both) == [("a", "b", 10_000_000, 10_000_000)]


def test_old_versions_are_read_in_the_terms_of_the_new(read: Read) -> None:
    reading = read(
        {
            "statementID": "e1",
            "statementType": "entityStatement",
            "entityType": "registeredEntity",
            "incorporatedInJurisdiction": {"code": "CN"},
        },
        {"statementID": "p1", "statementType": "personStatement", "names": []},
        {
            "statementID": "r1",
            "statementType": "ownershipOrControlStatement",
            "subject": {"describedByEntityStatement": "e1"},
            "interestedParty": {"describedByPersonStatement": "p1"},
            "interests": [shareholding({"exact": 40}, interestLevel="direct")],
        },
        {
            "statementID": "r2",
            "statementType": "ownershipOrControlStatement",
            "replacesStatements": ["r1"],
            "subject": {"describedByEntityStatement": "e1"},
            "interestedParty": {"describedByPersonStatement": "p1"},
            "interests": [shareholding({"exact": 30})],
        },
    )
    assert [(e.id, e.type, e.country) for e in reading.entities] == [
        ("e1", "company", "CN"),
        ("p1", "person", None),
    ]
    assert bands(reading) == [("p1", "e1", 30_000_000, 30_000_000)]


def test_the_source_is_the_publishers_or_the_statement(read: Read) -> None:
    url = {"url": "https://register.example"}
    assert read(relationship("a", "b", shareholding(), source=url)).stakes[0].source == url["url"]
    assert read(relationship("a", "b", shareholding())).stakes[0].source == "bods:st-a-b"


def test_the_newest_publication_dates_the_reading(read: Read) -> None:
    dates = ("2024-05-06T00:00:00Z", "2023-01-01")
    statements = [{**entity(f"e{d}"), "publicationDetails": {"publicationDate": d}} for d in dates]
    assert read(*statements).as_of == "2024-05-06"
    assert read(entity("a")).as_of is None


def test_json_lines_and_arrays_say_the_same(tmp_path: Path, read: Read) -> None:
    statements = [entity("a"), entity("b"), relationship("a", "b", shareholding({"exact": 12.5}))]
    path = tmp_path / "bods.jsonl"
    path.write_text("\n".join(map(json.dumps, statements)), encoding="utf-8")
    assert read_bods([path]) == read(*statements)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[", "bad.json:1: is not JSON"),
        ("[1]", "bad.json:1: field [0]: is not a JSON object"),
        ('{"recordId": "a"}\n{"recordId"', "bad.json:2: is not JSON"),
    ],
)
def test_a_bad_file_names_its_place(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadReference) as caught:
        read_bods([path])
    assert place in str(caught.value)
