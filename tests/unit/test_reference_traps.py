"""What real ownership feeds contain, each trap from the file to the answer. Others stand with their reader's tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.domain.ownership.resolve import Claim, Resolver
from stream_enforcer.domain.ownership.semantics import Finding, Question, assess
from stream_enforcer.reference.ownership import OwnershipFiles, read_ownership
from tests.bods_builders import entity, relationship, shareholding

DAY = "2026-05-01"
CN = Question(frozenset({"CN"}))
CHINESE = entity("cn", jurisdiction={"code": "CN"})
STATE = entity("cn", entityType={"type": "state"}, jurisdiction={"name": "China", "code": "CN"})
PERSON = {"recordId": "cn", "recordType": "person", "recordDetails": {"nationalities": [{"code": "CN"}]}}


def read(folder: Path, *statements: dict[str, Any]) -> OwnershipFiles:
    path = folder / "bods.jsonl"
    path.write_text("\n".join(map(json.dumps, [entity("t"), *statements])), encoding="utf-8")
    return read_ownership([path])


def judged(folder: Path, *statements: dict[str, Any]) -> Finding:
    return assess(read(folder, *statements).graph, "t", DAY, CN)


def owns(holder: str, share: object, held: str = "t", **more: Any) -> dict[str, Any]:
    return relationship(holder, held, shareholding(share, **more))


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        ({"minimum": 33, "maximum": 50}, "refuted"),
        ({"minimum": 25, "maximum": 50}, "refuted"),
        ({"minimum": 50, "maximum": 67}, "possible"),
        ({"exclusiveMinimum": 50, "maximum": 67}, "proved"),
        ({"minimum": 25, "maximum": 75}, "possible"),
        ({"exact": 50}, "refuted"),
        ({"exact": "50"}, "refuted"),
        ({"exact": "50.000001"}, "proved"),
        ({"exact": ""}, "possible"),
        ({"minimum": "", "maximum": ""}, "possible"),
        (None, "possible"),
    ],
)
def test_ranges_that_straddle_half_and_missing_shares_prove_nothing(
    tmp_path: Path, share: object, verdict: str
) -> None:
    assert judged(tmp_path, CHINESE, owns("cn", share)).control.verdict == verdict


def test_a_fraction_where_per_cent_is_meant_stands_as_it_is_written(tmp_path: Path) -> None:
    finding = judged(tmp_path, CHINESE, owns("cn", {"exact": 0.9}))
    assert (finding.control.verdict, finding.control.max) == ("refuted", 900_000)


def test_ended_holdings_that_were_left_in_are_not_added(tmp_path: Path) -> None:
    """With them the shares add up to 201 %."""
    ended = [
        {**owns("cn", {"exact": 67}, endDate=f"201{year}-01-01"), "recordId": f"r{year}"} for year in (1, 2)
    ]
    finding = judged(tmp_path, CHINESE, *ended, owns("other", {"exact": 67}), entity("other"))
    assert (finding.control.verdict, finding.coverage) == ("refuted", 67_000_000)


def test_an_interest_that_ends_before_it_begins_is_a_fault(tmp_path: Path) -> None:
    upside_down = owns("cn", {"exact": 60}, startDate="2021-01-01", endDate="2020-12-31")
    files = read(tmp_path, CHINESE, upside_down)
    assert files.skipped == {"interest that ends before it begins": 1}
    assert files.reports[0].reasons[0].first == 3
    assert not files.graph.stakes_in("t")


@pytest.mark.parametrize("share", [{"exact": 101}, {"exact": -1}, {"minimum": "-5"}, {"maximum": 150}])
def test_shares_outside_of_0_to_100_are_faults(tmp_path: Path, share: object) -> None:
    files = read(tmp_path, CHINESE, owns("cn", share))
    assert files.skipped == {"share that is not within 0 to 100 per cent": 1}
    assert files.reports[0].faults == 1


@pytest.mark.parametrize(("holder", "verdict"), [(STATE, "proved"), (PERSON, "refuted"), (CHINESE, "proved")])
def test_a_state_is_a_holder_and_a_natural_person_is_not(
    tmp_path: Path, holder: dict[str, Any], verdict: str
) -> None:
    assert judged(tmp_path, holder, owns("cn", {"exact": 60})).control.verdict == verdict


def test_a_company_may_hold_itself_and_stand_in_a_ring(tmp_path: Path) -> None:
    ring = [owns("t", {"exact": 40}), owns("m", {"exact": 20}), owns("t", {"exact": 100}, "m"), entity("m")]
    finding = judged(tmp_path, CHINESE, owns("cn", {"exact": 40}), *ring)
    assert finding.effective.verdict == "proved"
    assert judged(tmp_path, CHINESE, *ring).control.verdict == "refuted"


def test_an_owner_without_jurisdiction_is_where_its_address_says_in_words(tmp_path: Path) -> None:
    iranian = entity("ir", addresses=[{"type": "registered", "country": "Islamic Republic Of Iran"}])
    graph = read(tmp_path, iranian, owns("ir", {"exact": 60})).graph
    assert assess(graph, "t", DAY, Question(frozenset({"IR"}))).control.verdict == "proved"


def test_names_in_arabic_and_in_persian_letters_are_one_name(tmp_path: Path) -> None:
    arabic, persian = (
        "\u0634\u0631\u0643\u0629 \u0639\u0644\u064a",
        "\u0634\u0631\u06a9\u0629 \u0639\u0644\u06cc",
    )
    resolver = Resolver.build(read(tmp_path, entity("ir", name=persian)).graph)
    found = resolver.resolve(Claim(name=arabic))
    assert found is not None
    assert (found.entity, found.kind) == ("ir", "name")


ODD: list[Any] = [None, "", 7, [], {}, "x", [None], [7], {"x": 1}]


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_values_of_the_wrong_kind_never_break_the_reading(tmp_path: Path, odd: Any) -> None:
    sound = relationship("cn", "t", shareholding({"exact": 60}))
    spoiled = [{**sound, key: odd, "recordId": f"x{key}"} for key in (*sound, "publicationDetails", "source")]
    details = [
        {**sound, "recordId": f"d{key}", "recordDetails": {**sound["recordDetails"], key: odd}}
        for key in sound["recordDetails"]
    ]
    interests = [
        {**relationship("cn", "t", {**shareholding({"exact": 1}), key: odd}), "recordId": f"i{key}"}
        for key in ("share", "type", "startDate", "endDate", "directOrIndirect")
    ]
    parties = [
        {**entity(f"e{key}", **{key: odd}), "replacesStatements": odd}
        for key in ("name", "entityType", "jurisdiction", "addresses", "identifiers", "alternateNames")
    ]
    assert read(tmp_path, *spoiled, *details, *interests, *parties, sound).graph.stakes_in("t")


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_odd_properties_never_break_the_reading_of_followthemoney(tmp_path: Path, odd: Any) -> None:
    keys = (
        "name",
        "jurisdiction",
        "country",
        "topics",
        "leiCode",
        "owner",
        "asset",
        "percentage",
        "startDate",
    )
    objects = [
        {"id": f"{schema}{key}", "schema": schema, "caption": odd, "last_seen": odd, "properties": {key: odd}}
        for schema in ("Company", "Person", "Ownership")
        for key in keys
    ]
    path = tmp_path / "ftm.json"
    path.write_text(
        "\n".join(map(json.dumps, [*objects, {"id": "p", "schema": "Company", "properties": odd}]))
    )
    assert len(read_ownership([path]).graph.entities) == 2 * len(keys) + 1
