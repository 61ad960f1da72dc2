"""Which records are of one company, and which of its holdings count."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.domain.ownership.graph import FULL, Entity, Identifiers
from stream_enforcer.domain.ownership.identity import BODS, GLEIF, Apart, Tied, ties_of
from stream_enforcer.domain.ownership.merging import Identity
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import Claim, Resolver
from stream_enforcer.domain.ownership.said_twice import NEVER, Told, heard
from stream_enforcer.domain.ownership.semantics import assess
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.ownership import OwnershipFiles, read_ownership
from stream_enforcer.snapshot.building import build
from tests import bods_builders as bods
from tests import gleif_builders as gleif
from tests.identity_builders import native_entity, native_stake, written
from tests.ownership_builders import DAY, PERCENT

P, Q = gleif.lei("P"), gleif.lei("Q")
CN = Question(frozenset({"CN"}))
LEI_P = {"identifiers": {"lei": P}}


def read(folder: Path, **said: list[Any]) -> OwnershipFiles:
    """Read what publications say, and see that a snapshot of it says the same."""
    paths = written(folder, said)
    memory = read_ownership(paths)
    build(paths, folder / "snapshot")
    mapped = read_ownership([folder / "snapshot"])
    assert dict(mapped.graph.entities) == dict(memory.graph.entities)
    assert set(mapped.graph.stakes()) == set(memory.graph.stakes())
    assert dict(mapped.graph.merged) == dict(memory.graph.merged)
    assert mapped.identity == memory.identity
    return memory


def company_of(id_: str, **more: Any) -> Mapping[str, Any]:
    return {"id": id_, "schema": "Company", "properties": {"name": [id_], **more}}


def test_a_record_with_an_lei_is_of_the_company_of_that_lei(tmp_path: Path) -> None:
    record = native_entity("n", country="US", **LEI_P)
    headquarters = gleif.company("P", "GB", HeadquartersAddress_Country="CN")
    graph = read(tmp_path, native=[record], lei=[headquarters]).graph
    assert dict(graph.entities) == {
        "n": Entity(
            "n",
            "n Ltd",
            "company",
            country="US",
            headquarters="CN",
            aliases=("P Ltd",),
            identifiers=Identifiers(P),
            same_as=(P,),
        )
    }
    assert dict(graph.merged) == {P: "n"}


def test_a_number_goes_with_its_jurisdiction(tmp_path: Path) -> None:
    ftm = company_of("f", registrationNumber=["7"], jurisdiction=["gb"])
    numbered = {"identifiers": {"registration_number": "7"}}
    for country, merged in (("GB", {"f": "n"}), ("IE", {}), (None, {})):
        record = native_entity("n", country=country, **numbered)
        assert dict(read(tmp_path, native=[record], ftm=[ftm]).graph.merged) == merged


def test_a_name_is_no_reason(tmp_path: Path) -> None:
    record = native_entity("n", name="P Ltd", country="GB")
    assert not read(tmp_path, native=[record], lei=[gleif.company("P", "GB")]).graph.merged


def test_a_number_that_two_companies_of_one_register_share_identifies_neither(tmp_path: Path) -> None:
    records = [native_entity(name, **LEI_P) for name in ("a", "b")]
    assert not read(tmp_path, native=records, lei=[gleif.company("P")]).graph.merged
    same = [native_entity("a", **LEI_P), native_entity("b", same_as=["a"], **LEI_P)]
    assert dict(read(tmp_path, native=same, lei=[gleif.company("P")]).graph.merged) == {"b": "a", P: "a"}


def test_persons_are_never_merged(tmp_path: Path) -> None:
    person = native_entity("n", type="person", same_as=["c", P], **LEI_P)
    records = [person, native_entity("c", same_as=["n"])]
    assert not read(tmp_path, native=records, lei=[gleif.company("P")]).graph.merged


@pytest.mark.parametrize(
    ("identifier", "named", "merged"),
    [
        ({"scheme": "XI-LEI", "id": P}, P, True),
        ({"scheme": "GB-COH", "id": "7"}, "GB-COH-7", True),
        ({"id": "https://register.example/7"}, "https://register.example/7", True),
        (
            {"scheme": "GB-COH", "id": "x", "uri": "https://register.example/7"},
            "https://register.example/7",
            True,
        ),
        ({"scheme": "GB-COH", "id": "7"}, "7", False),
        ({"id": "7"}, "7", False),
    ],
)
def test_an_identifier_of_bods_names_the_record_of_another_publication(
    tmp_path: Path, identifier: dict[str, str], named: str, merged: bool
) -> None:
    found = read(tmp_path, native=[native_entity(named)], bods=[bods.entity("b", identifiers=[identifier])])
    assert dict(found.graph.merged) == ({"b": named} if merged else {})


def test_an_identifier_that_several_companies_of_bods_have_names_none(tmp_path: Path) -> None:
    shared = [{"id": "x", "scheme": "GB-COH", "uri": "https://register.example"}]
    companies = [bods.entity(name, identifiers=shared) for name in ("b", "c")]
    assert not read(tmp_path, native=[native_entity("https://register.example")], bods=companies).graph.merged


def test_ids_that_followthemoney_has_merged_are_one_company_even_where_only_stakes_know_them(
    tmp_path: Path,
) -> None:
    company = {**company_of("f"), "referents": ["old", "n", "unheard of"]}
    stakes = [native_stake("cn", "old", 30), native_stake("cn", "f", 30)]
    records = [native_entity("cn", country="CN"), native_entity("n"), *stakes]
    graph = read(tmp_path, native=records, ftm=[company]).graph
    assert dict(graph.merged) == {"f": "n", "old": "n"}
    assert assess(graph, "n", DAY, CN).control.min == 60 * PERCENT


def test_ties_lead_on_from_one_to_the_next(tmp_path: Path) -> None:
    lei = gleif.company("P", "GB", RegistrationAuthority_RegistrationAuthorityEntityID="7")
    ftm = company_of("f", registrationNumber=["7"], jurisdiction=["gb"])
    graph = read(tmp_path, native=[native_entity("n", **LEI_P)], lei=[lei], ftm=[ftm]).graph
    assert dict(graph.merged) == {P: "n", "f": "n"}


def test_a_company_is_found_by_what_identifies_any_of_its_records(tmp_path: Path) -> None:
    ftm = company_of("f", leiCode=[P], registrationNumber=["7"], jurisdiction=["ie"])
    record = native_entity(
        "n", country="GB", identifiers={"lei": P, "registration_number": "1", "domain": "n.example"}
    )
    resolver = Resolver.build(read(tmp_path, native=[record], ftm=[ftm]).graph)
    claims = [
        Claim(lei=P),
        Claim(domain="n.example"),
        Claim(registration_number="1", registration_country="GB"),
        Claim(registration_number="7", registration_country="IE"),
        Claim(name="f", country="GB"),
    ]
    assert [match and match.entity for match in map(resolver.resolve, claims)] == ["n"] * 5
    assert resolver.resolve(Claim(registration_number="7", registration_country="GB")) is None


def test_a_number_of_another_jurisdiction_is_not_one_of_the_companys_own(tmp_path: Path) -> None:
    ftm = company_of("f", leiCode=[P], registrationNumber=["7"], jurisdiction=["ie"])
    graph = read(tmp_path, native=[native_entity("n", country="GB", **LEI_P)], ftm=[ftm]).graph
    found = graph.entities["n"].identifiers
    assert found == Identifiers(P, None, None, (("registration", "IE", "7"),))


def test_what_records_of_one_company_deny_each_other_is_counted(tmp_path: Path) -> None:
    record = native_entity("n", type="state", country="US", headquarters="US", same_as=[P])
    record["identifiers"] = {"lei": Q}
    other = gleif.company("P", "GB", HeadquartersAddress_Country="CN", EntityCategory="GENERAL")
    found = read(tmp_path, native=[record], lei=[other])
    contradictions = {"country": 1, "headquarters": 1, "lei": 1, "type": 1}
    assert found.identity == Identity(companies=1, records=2, conflicts=contradictions)
    assert (found.graph.entities["n"].country, found.graph.entities["n"].headquarters) == ("US", "US")


def test_a_holding_that_two_sources_state_is_held_once(tmp_path: Path) -> None:
    records = [native_entity("n", **LEI_P), native_entity("h", country="CN", identifiers={"lei": Q})]
    stakes = [native_stake("h", "n", 40), {**native_stake("h", "n", 5), "id": "s"}]
    parents = [gleif.parent("P", "Q")]
    found = read(
        tmp_path, native=[*records, *stakes], lei=[gleif.company("P"), gleif.company("Q")], parents=parents
    )
    finding = assess(found.graph, "n", DAY, CN)
    assert (finding.control.min, finding.control.max) == (45 * PERCENT, 45 * PERCENT)
    assert (found.identity.doubled, found.identity.disagreements) == (1, 1)
    assert {edge.source for edge in finding.proof} == set()


def test_a_holding_counts_as_its_other_source_says_on_the_days_of_which_only_that_speaks(
    tmp_path: Path,
) -> None:
    records = [native_entity("n", **LEI_P), native_entity("h", country="CN", identifiers={"lei": Q})]
    narrow = native_stake("h", "n", 60, since="2025-01-01", until="2026-01-01")
    wide = [gleif.parent("P", "Q", since="2020-01-01")]
    files: dict[str, list[Any]] = {
        "native": [*records, narrow],
        "lei": [gleif.company("P"), gleif.company("Q")],
        "parents": wide,
    }
    graph = read(tmp_path, **files).graph
    bands = {
        day: (reading.min, reading.max)
        for day in ("2024-12-31", "2025-01-01", "2025-12-31", "2026-01-01")
        for reading in [assess(graph, "n", day, CN).control]
    }
    consolidated, stated = (FULL // 2 + 1, FULL), (60 * PERCENT, 60 * PERCENT)
    assert list(bands.values()) == [consolidated, stated, stated, consolidated]
    ids = sorted(stake.id for stake in graph.stakes_in("n"))
    first = f"gleif:{P}:{gleif.DIRECT}:{Q}:2020-01-01"
    assert ids == [first, f"{first}@2026-01-01", "h>n"]


def test_stakes_of_one_source_are_summed_after_a_merge(tmp_path: Path) -> None:
    records = [native_entity("h", country="CN"), native_entity("n"), native_entity("m", same_as=["n"])]
    found = read(tmp_path, native=[*records, native_stake("h", "n", 30), native_stake("h", "m", 30)])
    assert assess(found.graph, "m", DAY, CN).control.min == 60 * PERCENT
    assert found.identity.doubled == 0


def test_a_stake_between_records_of_one_company_is_left_out(tmp_path: Path) -> None:
    records = [native_entity("a"), native_entity("b", same_as=["a"]), native_entity("h", country="CN")]
    stakes = [native_stake("a", "b", 100), native_stake("h", "b", 10), native_stake("a", "a", 5)]
    found = read(tmp_path, native=[*records, *stakes])
    assert [stake.id for stake in found.graph.stakes_in("a")] == ["a>a", "h>b"]
    assert found.identity.inner == 1


def test_an_exception_for_a_record_is_one_for_its_company(tmp_path: Path) -> None:
    records = [native_entity("h", country="CN", **LEI_P), native_entity("t"), native_stake("h", "t", 60)]
    graph = read(tmp_path, native=records, lei=[gleif.company("P", "CN")]).graph
    assert assess(graph, "t", DAY, CN).control.verdict == "proved"
    assert (
        assess(graph, "t", DAY, Question(CN.restricted, exceptions=frozenset({P}))).control.verdict
        == "refuted"
    )


@pytest.mark.parametrize(
    ("publications", "chosen"),
    [
        ([(50, 50), (25, 75)], 0),
        ([(25, 75), (50, 50)], 1),
        ([(25, 50), (50, 75)], 0),
        ([(0, 10), (0, 10), (5, 5)], 2),
    ],
)
def test_the_narrower_band_speaks(publications: list[tuple[int, int]], chosen: int) -> None:
    told = [Told(place, *band, (0, NEVER)) for place, band in enumerate(publications)]
    assert [place for place, days in enumerate(heard(told).days) if days] == [chosen]


def test_of_equally_narrow_bands_the_later_statement_speaks() -> None:
    told = [Told(0, 50, 50, (5, NEVER)), Told(1, 60, 60, (7, NEVER)), Told(2, 70, 70, (1, NEVER))]
    found = heard(told)
    assert found.days == [[(5, 7)], [(7, NEVER)], [(1, 5)]]
    assert found.disagree


def test_bands_that_touch_do_not_disagree() -> None:
    assert not heard([Told(0, 25, 50, (0, NEVER)), Told(1, 50, 75, (0, NEVER))]).disagree
    assert heard([Told(0, 25, 49, (0, NEVER)), Told(1, 50, 75, (0, NEVER))]).disagree
    assert not heard(
        [Told(0, FULL, FULL, (0, 9)), Told(0, 1, 1, (0, 9)), Told(1, FULL, FULL, (0, 9))]
    ).disagree


def test_of_very_many_stakes_in_one_company_the_publication_that_is_believed_first_speaks() -> None:
    told = [Told(1, 0, 0, (0, NEVER)), *(Told(0, 0, 9, (day, day + 2)) for day in range(1_000))]
    assert heard(told).days == [[], *([one.days] for one in told[1:])]


def test_ties_of_a_thousand_records_to_one_are_joined_at_once() -> None:
    names = [f"n{number}" for number in range(20_000)]
    (group,) = Tied(lambda _: 0, Apart()).groups([(("same as", "n0"), names)])
    assert len(group.members) == len(names)


def test_two_that_are_to_be_apart_are_not_brought_together_by_a_third() -> None:
    apart = Apart(pairs=frozenset({("a", "b"), ("b", "a")}))
    ties = [(("lei", "1"), ["a", "c"]), (("lei", "2"), ["b", "c"])]
    (group,) = Tied({"a": 0, "b": 1, "c": 2}.get, apart).groups(ties)
    assert group == (("a", "c"), ("lei 1",))


def test_who_has_joined_others_stays_apart_from_whom_it_was_to_be(tmp_path: Path) -> None:
    apart = Apart(pairs=frozenset({("a", "b"), ("b", "a")}))
    ties = [(("lei", "1"), ["c", "d"]), (("lei", "2"), ["a", "c"]), (("lei", "3"), ["b", "d"])]
    groups = Tied({"b": 0, "a": 1, "c": 2, "d": 3}.get, apart).groups(ties)
    assert [group.members for group in groups] == [("a", "c", "d")]


def test_identifiers_of_bods_are_no_word_that_two_records_are_one() -> None:
    entity = Entity("a", "A", "company", same_as=("b",))
    assert (ties_of(entity, BODS), ties_of(entity, GLEIF)) == ([("id", "b")], [("same as", "b")])


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_native_records_say_what_they_are_the_same_as(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"n.{form}"
    rows = "id,name,type,same_as\nb,B,company,a|c\na,A,company,\n"
    lines = [native_entity("b", same_as=["a", "c"]), native_entity("a")]
    path.write_text(rows if form == "csv" else "\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert dict(read_ownership([path]).graph.merged) == {"b": "a"}


@pytest.mark.parametrize("given", ["a", 7, [7], {"a": 1}])
def test_what_is_the_same_is_a_list_of_ids(tmp_path: Path, given: object) -> None:
    with pytest.raises(BadReference, match=r"native.jsonl:1: field same_as: .* is not a list of texts"):
        read(tmp_path, native=[native_entity("n", same_as=given)])
