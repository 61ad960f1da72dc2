from pathlib import Path

import pytest

from stream_enforcer.domain.ownership.graph import FULL, Entity, Identifiers, OwnershipGraph
from stream_enforcer.domain.ownership.semantics import Question, assess
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.ownership import OwnershipFiles
from tests.gleif_builders import BRANCH, DIRECT, ULTIMATE, Columns, company, lei, parent, read

DAY = "2026-05-01"
CN = Question(frozenset({"CN"}))
OVER_HALF = (50_000_001, FULL)
NAMES = "OtherEntityNames_OtherEntityName_{}"
IN_ASCII = "TransliteratedOtherEntityNames_TransliteratedOtherEntityName_1"


def held(graph: OwnershipGraph, name: str) -> list[tuple[str, int, int]]:
    return [(stake.holder.rstrip("0"), stake.min, stake.max) for stake in graph.stakes_in(lei(name))]


def kinds(files: OwnershipFiles) -> dict[str, str]:
    return {reason.text: reason.kind for report in files.reports for reason in report.reasons}


@pytest.mark.parametrize("form", ["xml", "csv"])
def test_an_entity_has_its_seat_names_and_identifiers(tmp_path: Path, form: str) -> None:
    more = {
        NAMES.format(1): "Alpha & Sons",
        NAMES.format(2): "A Ltd",
        IN_ASCII: "Alfa",
        "HeadquartersAddress_Country": "CN",
        "LegalAddress_Country": "IE",
        "RegistrationAuthority_RegistrationAuthorityEntityID": " 0231 ",
        "EntityCategory": "GENERAL",
    }
    files = read(tmp_path, [company("A", "US-DE", **more)], form=form)
    assert files.graph.entities[lei("A")] == Entity(
        lei("A"),
        "A Ltd",
        "company",
        country="US",
        headquarters="CN",
        aliases=("Alpha & Sons", "Alfa"),
        identifiers=Identifiers(lei=lei("A"), registration_number="0231"),
    )
    assert (files.reports[0].read, files.reports[0].used, files.reports[0].reasons) == (1, 1, ())
    assert files.reports[0].format == f"GLEIF level 1 {form.upper()}"


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("GENERAL", "company"),
        ("FUND", "company"),
        ("BRANCH", "company"),
        ("RESIDENT_GOVERNMENT_ENTITY", "state"),
        ("SOLE_PROPRIETOR", "person"),
        ("INTERNATIONAL_ORGANIZATION", "unknown"),
        ("SOMETHING_NEW", "unknown"),
    ],
)
def test_categories_are_types(tmp_path: Path, category: str, kind: str) -> None:
    files = read(tmp_path, [company("A", EntityCategory=category)])
    assert files.graph.entities[lei("A")].type == kind


def test_an_entity_that_no_longer_operates_is_kept_and_that_is_said(tmp_path: Path) -> None:
    files = read(tmp_path, [company("A"), company("B", EntityStatus="INACTIVE")])
    assert lei("B") in files.graph.entities
    assert kinds(files) == {"entity that no longer operates, kept": "remark"}
    assert files.skipped == {}


@pytest.mark.parametrize("kind", [DIRECT, ULTIMATE])
@pytest.mark.parametrize("form", ["xml", "csv"])
def test_consolidation_is_over_half_and_up_to_all(tmp_path: Path, kind: str, form: str) -> None:
    rows = [parent("T", "C", kind, "2019-03-01", "2021-01-01")]
    graph = read(tmp_path, [company("C", "CN"), company("T")], rows, form=form).graph
    (stake,) = graph.stakes_in(lei("T"))
    assert (stake.holder, stake.min, stake.max) == (lei("C"), *OVER_HALF)
    assert (stake.since, stake.until) == ("2019-03-01", "2021-01-01")
    assert stake.source == f"GLEIF level 2, {kind}"
    finding = assess(graph, lei("T"), "2020-01-01", CN)
    assert (finding.control.verdict, finding.effective.verdict) == ("proved", "proved")
    assert assess(graph, lei("T"), DAY, CN).control.verdict == "refuted"


def test_two_consolidations_in_a_row_prove_control_and_leave_the_effective_share_open(tmp_path: Path) -> None:
    rows = [parent("M", "C"), parent("T", "M")]
    graph = read(tmp_path, [company("C", "CN"), company("M"), company("T")], rows).graph
    finding = assess(graph, lei("T"), DAY, CN)
    assert (finding.control.verdict, finding.effective.verdict) == ("proved", "possible")


def test_a_branch_is_its_head_office(tmp_path: Path) -> None:
    assert held(read(tmp_path, [parent("B", "H", BRANCH)]).graph, "B") == [("H", FULL, FULL)]


def test_an_ultimate_row_is_not_added_to_the_rows_that_it_sums_up(tmp_path: Path) -> None:
    files = read(tmp_path, [parent("T", "C", ULTIMATE), parent("T", "M"), parent("M", "C")])
    assert held(files.graph, "T") == [("M", *OVER_HALF)]
    assert files.skipped == {"indirect row that sums up others": 1}
    assert kinds(files) == {"indirect row that sums up others": "passed over"}
    assert (files.reports[0].read, files.reports[0].used) == (3, 2)


def test_an_ultimate_parent_that_is_the_direct_parent_too_counts_once(tmp_path: Path) -> None:
    files = read(tmp_path, [parent("T", "C", ULTIMATE), parent("T", "C")])
    assert held(files.graph, "T") == [("C", *OVER_HALF)]
    assert files.skipped == {"ultimate parent that is the direct parent too": 1}


def test_an_ultimate_row_through_an_unknown_chain_proves_nothing(tmp_path: Path) -> None:
    graph = read(tmp_path, [parent("T", "C", ULTIMATE), parent("T", "M")]).graph
    assert sorted(held(graph, "T")) == [("C", 0, FULL), ("M", *OVER_HALF)]


def test_an_ultimate_row_that_is_all_there_is_counts(tmp_path: Path) -> None:
    assert held(read(tmp_path, [parent("T", "C", ULTIMATE)]).graph, "T") == [("C", *OVER_HALF)]


@pytest.mark.parametrize(
    ("row", "reason", "kind"),
    [
        (
            parent("T", "C", "IS_FUND-MANAGED_BY"),
            "relationship of a fund, which is not ownership",
            "passed over",
        ),
        (parent("T", "C", "IS_SUBFUND_OF"), "relationship of a fund, which is not ownership", "passed over"),
        (parent("T", "C", "IS_FEEDER_TO"), "relationship of a fund, which is not ownership", "passed over"),
        (parent("T", "C", "IS_FRIEND_OF"), "relationship of an unknown type", "fault"),
        (parent("T", "C", status="INACTIVE"), "relationship that has ended, without a date", "passed over"),
        (parent("T", "C", status="NULL"), "relationship that has ended, without a date", "passed over"),
        (
            parent("T", "C", registration="ANNULLED"),
            "record that is annulled, a duplicate or not yet validated",
            "passed over",
        ),
        (
            parent("T", "C", DIRECT, "2020-01-02", "2020-01-01"),
            "relationship that ends before it begins",
            "fault",
        ),
        (parent("T", "C", DIRECT, "soon"), "date that can't be read", "fault"),
        ({**parent("T", "C"), "Relationship.EndNode.NodeID": "5"}, "relationship without two LEIs", "fault"),
    ],
)
@pytest.mark.parametrize("form", ["xml", "csv"])
def test_what_is_not_ownership_is_counted_by_reason(
    tmp_path: Path, row: Columns, reason: str, kind: str, form: str
) -> None:
    files = read(tmp_path, [parent("T", "X"), row], form=form)
    assert held(files.graph, "T") == [("X", *OVER_HALF)]
    assert (files.skipped, kinds(files)) == ({reason: 1}, {reason: kind})
    assert (files.reports[0].read, files.reports[0].used) == (2, 1)


def test_an_ended_relationship_with_a_date_holds_until_then(tmp_path: Path) -> None:
    row = parent("T", "C", DIRECT, "2019-01-01", "2021-01-01", status="INACTIVE")
    (stake,) = read(tmp_path, [row]).graph.stakes_in(lei("T"))
    assert (stake.since, stake.until) == ("2019-01-01", "2021-01-01")


def test_a_later_file_ends_what_an_earlier_one_said(tmp_path: Path) -> None:
    since = parent("T", "C", DIRECT, "2019-01-01")
    ended = parent("T", "C", DIRECT, "2019-01-01", status="INACTIVE")
    assert held(read(tmp_path, [since], [ended]).graph, "T") == []
    assert held(read(tmp_path, [ended], [since]).graph, "T") == [("C", *OVER_HALF)]


def test_a_later_level_1_record_replaces_or_withdraws_an_earlier_one(tmp_path: Path) -> None:
    newer = company("A", "CN")
    files = read(tmp_path, [company("A")], [newer])
    assert files.graph.entities[lei("A")].country == "CN"
    withdrawn = company("A", Registration_RegistrationStatus="ANNULLED")
    assert lei("A") not in read(tmp_path, [company("A")], [withdrawn]).graph.entities


def test_parties_that_no_file_describes_are_counted_and_kept(tmp_path: Path) -> None:
    files = read(tmp_path, [company("T")], [parent("T", "C"), parent("X", "C")])
    assert files.dangling == 2
    assert held(files.graph, "T") == [("C", *OVER_HALF)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({**company("A"), "LEI": "too short"}, "record without an LEI of 20 characters"),
        ({**company("A"), "Entity.LegalName": " "}, "record without a legal name"),
        (company("A", "Atlantis"), "country that is not known"),
    ],
)
def test_strict_refuses_the_first_fault_with_its_line(tmp_path: Path, record: Columns, reason: str) -> None:
    files = read(tmp_path, [company("B"), record])
    (found,) = files.reports[0].reasons
    assert (found.text, found.kind, found.count, files.reports[0].faults) == (reason, "fault", 1, 1)
    with pytest.raises(BadReference, match=reason) as caught:
        read(tmp_path, [company("B"), record], strict=True)
    assert caught.value.line == found.first
    content = (tmp_path / "0.xml").read_text().splitlines()
    assert content[found.first - 1] == "<lei:LEIRecord>"


def test_without_a_jurisdiction_the_legal_address_says_the_country(tmp_path: Path) -> None:
    files = read(tmp_path, [company("A", "", LegalAddress_Country="IR")])
    assert files.graph.entities[lei("A")].country == "IR"


def test_the_content_dates_the_graph(tmp_path: Path) -> None:
    assert read(tmp_path, [company("A")]).graph.as_of == "2026-05-01"
    updated = [company(n, Registration_LastUpdateDate=f"2026-0{n}-03T00:00:00Z") for n in "12"]
    assert read(tmp_path, updated, form="csv").graph.as_of == "2026-02-03"
