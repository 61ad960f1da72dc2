from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_enforcer.domain.ownership.graph import FULL, Entity, Listing, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.proof import check
from stream_enforcer.domain.ownership.semantics import Question, Reading, assess
from tests.ownership_builders import CN, DAY, PERCENT, assessed, company, decision_object, graph, stakes

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "cases" / "ownership" / "readings.yaml").read_text(encoding="utf-8")
)


def reading(expected: list[Any]) -> Reading:
    verdict, share = expected
    least, greatest = share if isinstance(share, list) else (share, share)
    return Reading(verdict, least, greatest)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_three_readings_of_a_case(case: Mapping[str, Any]) -> None:
    finding = assessed(*case["holdings"])
    got = (finding.control, finding.effective, finding.single_owner)
    assert got == tuple(reading(case[name]) for name in ("control", "effective", "single_owner"))
    assert check(decision_object(finding)) is None


def test_one_millionth_over_the_threshold_is_over_it() -> None:
    stake = Stake("s", "CN", "T", 50 * PERCENT + 1, 50 * PERCENT + 1)
    assert assess(graph(extra=[stake]), "T", DAY, CN).control == Reading("proved", 50_000_001, 50_000_001)


def test_the_verdict_compares_the_exact_fraction_and_not_the_rounded_number() -> None:
    extra = [
        Stake("a", "CN", "A", 50_000_001, 50_000_001),
        Stake("b", "A", "T", 99_999_999, 99_999_999),
    ]
    finding = assess(graph(extra=extra), "T", DAY, CN)
    assert finding.effective == Reading("proved", 50_000_000, 50_000_001)
    assert check(decision_object(finding)) is None


def test_less_than_a_millionth_below_the_threshold_is_below_it() -> None:
    question = Question(frozenset({"CN"}), strict=False)
    extra = [
        Stake("a", "CN", "A", 50_000_001, 50_000_001),
        Stake("b", "A", "T", 99_999_997, 99_999_997),
    ]
    finding = assess(graph(extra=extra), "T", DAY, question)
    assert finding.effective == Reading("refuted", 49_999_999, 50_000_000)
    assert check(decision_object(finding, question)) is None


def test_the_threshold_itself_passes_when_the_question_is_not_strict() -> None:
    question = Question(frozenset({"CN"}), strict=False)
    finding = assessed("CN 50 -> T", question=question)
    assert finding.control.verdict == "proved"
    assert check(decision_object(finding, question)) is None


@pytest.mark.parametrize("threshold", [-1, FULL + 1])
def test_a_threshold_beyond_all_shares_is_refused(threshold: int) -> None:
    with pytest.raises(ValueError, match="threshold"):
        Question(frozenset({"CN"}), threshold)


def test_an_entity_that_is_not_in_the_data_is_unknown() -> None:
    finding = assessed("CN 60 -> A", entity="T")
    assert finding.control == finding.effective == finding.single_owner == Reading("unknown", 0, FULL)
    assert (finding.coverage, finding.headquarters, finding.proof) == (0, None, ())
    assert check(decision_object(finding)) is None


@pytest.mark.parametrize(
    ("day", "verdict"),
    [
        ("2019-12-31", "refuted"),
        ("2020-01-01", "proved"),
        ("2024-06-29", "proved"),
        ("2024-06-30", "refuted"),
    ],
)
def test_a_stake_counts_from_its_first_day_and_not_on_its_last(day: str, verdict: str) -> None:
    stake = Stake("s", "CN", "T", 60 * PERCENT, 60 * PERCENT, since="2020-01-01", until="2024-06-30")
    assert assess(graph(extra=[stake]), "T", day, CN).control.verdict == verdict


def test_ended_holdings_are_not_added_to_the_present_ones() -> None:
    ended = Stake("old", "CN", "T", 100 * PERCENT, 100 * PERCENT, until="2021-01-01")
    finding = assess(graph("CN 1 -> T", "US 99 -> T", extra=[ended]), "T", DAY, CN)
    assert finding.control == Reading("refuted", 1 * PERCENT, 1 * PERCENT)
    assert finding.coverage == FULL


def test_a_natural_person_never_counts_whatever_the_record_says_of_it() -> None:
    person = Entity("CN", "Person", "person", country="CN", headquarters="CN")
    finding = assess(graph("CN 100 -> T", others=[person]), "T", DAY, CN)
    assert finding.control == finding.effective == finding.single_owner == Reading("refuted", 0, 0)


def test_shares_do_not_pass_through_a_natural_person() -> None:
    person = Entity("P", "Person", "person")
    finding = assess(graph("CN 100 -> P", "P 100 -> T", others=[person]), "T", DAY, CN)
    assert (finding.control.max, finding.effective.max) == (0, 0)


def test_a_natural_person_has_no_headquarters() -> None:
    finding = assess(graph(others=[Entity("P", "Person", "person", country="CN")]), "P", DAY, CN)
    assert (finding.headquarters, finding.basis) == (None, "none")


def test_a_restricted_state_is_a_restricted_holder() -> None:
    state = Entity("S", "State", "state", country="CN")
    assert assess(graph("S 60 -> T", others=[state]), "T", DAY, CN).control.verdict == "proved"


@pytest.mark.parametrize(
    ("holder", "verdict"),
    [
        (Entity("H", "H", "company", country="GB", headquarters="CN"), "proved"),
        (Entity("H", "H", "company", country="CN", headquarters="GB"), "refuted"),
        (Entity("H", "H", "company", country="CN"), "proved"),
        (Entity("H", "H", "company"), "refuted"),
    ],
)
def test_the_headquarters_decide_and_registration_only_where_they_are_unknown(
    holder: Entity, verdict: str
) -> None:
    assert assess(graph("H 60 -> T", others=[holder]), "T", DAY, CN).control.verdict == verdict


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        (Entity("T", "T", "company", country="GB", headquarters="CN"), ("CN", "headquarters")),
        (Entity("T", "T", "company", country="GB"), ("GB", "registration")),
        (Entity("T", "T", "company"), (None, "none")),
    ],
)
def test_a_finding_says_where_the_company_sits_and_how_that_is_known(
    entity: Entity, expected: tuple[str | None, str]
) -> None:
    finding = assess(graph(others=[entity]), "T", DAY, CN)
    assert (finding.headquarters, finding.basis) == expected


def test_an_exception_is_no_restricted_holder_but_can_be_controlled_by_one() -> None:
    question = Question(frozenset({"CN"}), exceptions=frozenset({"CN1"}))
    assert assessed("CN1 60 -> T", question=question).control.verdict == "refuted"
    assert assessed("CN2 60 -> CN1", "CN1 60 -> T", question=question).control.verdict == "proved"


def test_a_holder_without_a_record_is_not_restricted_but_passes_control_on() -> None:
    data = OwnershipGraph.build([company("CN"), company("T")], stakes(["CN 60 -> X", "X 60 -> T"]), hash="h")
    assert assess(data, "T", DAY, CN).control == Reading("proved", 60 * PERCENT, 60 * PERCENT)
    alone = OwnershipGraph.build([company("T")], stakes(["CNX 60 -> T"]), hash="h")
    assert assess(alone, "T", DAY, CN).control == Reading("refuted", 0, 0)


def test_a_restricted_company_asked_about_counts_as_a_holder_of_what_it_holds() -> None:
    finding = assessed("CN 50 -> A", "A 80 -> CN", entity="CN")
    assert finding.headquarters == "CN"
    assert finding.effective == Reading("refuted", 40 * PERCENT, 40 * PERCENT)


def test_coverage_is_the_recorded_part_of_the_company_and_of_its_least_known_controller() -> None:
    finding = assessed("A 60-80 -> T", "B 10 -> T", "C 55 -> A")
    assert finding.coverage == 70 * PERCENT
    assert finding.chain_coverage == 0, "nothing is recorded of C"
    finding = assessed("A 60-80 -> T", "CN 55 -> A")
    assert finding.chain_coverage == 55 * PERCENT, "who owns CN does not matter"
    state = Entity("S", "S", "state", country="GB")
    finding = assess(graph("S 60 -> T", others=[state]), "T", DAY, CN)
    assert finding.chain_coverage == 60 * PERCENT, "nobody owns a state"
    finding = assessed("A 40 -> T", "B 40 -> T")
    assert finding.chain_coverage == finding.coverage == 80 * PERCENT


LISTED = tuple(
    Listing(topic, since=since, until=until)
    for topic, since, until in [("military", None, None), ("sanction", "2027-01-01", None)]
)


@pytest.mark.parametrize(
    ("holdings", "topics"),
    [
        (["L 60 -> T"], ("military",)),
        (["L 60 -> A", "A 51 -> T"], ("military",)),
        (["L 60 -> A", "A 30 -> T", "L 21 -> T"], ("military",)),
        (["L 50 -> T"], ()),
        (["L 40-70 -> T"], ()),
        (["L 30 -> A", "A 100 -> T"], ()),
    ],
)
def test_a_listing_reaches_what_the_listed_company_controls(
    holdings: list[str], topics: tuple[str, ...]
) -> None:
    listed = Entity("L", "L", "company", country="GB", listings=LISTED)
    assert assess(graph(*holdings, others=[listed]), "T", DAY, CN).listings == topics


@pytest.mark.parametrize("holdings", [["P 60 -> T"], ["P 60 -> A", "A 60 -> T"]])
def test_a_listing_of_a_natural_person_is_not_one_of_its_companies(holdings: list[str]) -> None:
    listed = Entity("P", "P", "person", listings=LISTED)
    assert assess(graph(*holdings, others=[listed]), "T", DAY, CN).listings == ()


def test_the_listings_of_the_company_itself_are_those_of_the_day() -> None:
    listed = Entity("T", "T", "company", listings=LISTED)
    assert assess(graph(others=[listed]), "T", DAY, CN).listings == ("military",)
    assert assess(graph(others=[listed]), "T", "2027-01-01", CN).listings == ("military", "sanction")


def test_a_later_record_replaces_an_earlier_one_with_its_id() -> None:
    first, second = Stake("s", "CN", "T", FULL, FULL), Stake("s", "CN", "T", 0, 1)
    data = OwnershipGraph.build([company("T", "GB"), company("T", "FR")], [first, second], hash="h")
    assert data.stakes_in("T") == data.stakes_of("CN") == (second,)
    assert data.entities["T"].country == "FR"


@pytest.mark.parametrize("band", [(-1, 5), (6, 5), (0, FULL + 1)])
def test_a_stake_outside_its_range_is_refused(band: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="band"):
        Stake("s", "A", "B", *band)
