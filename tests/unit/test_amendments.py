"""Live statements about companies that several records tell of, and stakes of which another source has some days."""

from stream_enforcer.domain.ownership.amendments import Amendment, Amendments, Statement
from stream_enforcer.domain.ownership.graph import Entity, Identifiers, Listing, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.resolve import Claim, Resolver, indexed

LISTED = Listing("sanction")
COMPANY = Entity(
    "register:1", "Acme", "company", "SG", None, ("ACME",), Identifiers("LEI"), (LISTED,), ("list:9",)
)
BASE = indexed(
    OwnershipGraph.build(
        [COMPANY, Entity("h", "H", "company", "CN")],
        [
            Stake("s", "h", "register:1", 10, 10, None, "2020-01-01"),
            Stake("s@2022-01-01", "h", "register:1", 10, 10, "2022-01-01"),
            Stake("s@else", "h", "register:1", 7, 7),
        ],
        hash="base",
        merged={"list:9": "register:1"},
    )
)


def amended(*says: Statement | tuple[str, str]) -> OwnershipGraph:
    made = [
        Amendment(x.id, x, n) if not isinstance(x, tuple) else Amendment(x[0], "removed", n)
        for n, x in enumerate(says, start=1)
    ]
    return Amendments.none(BASE).amend(made)[0].graph


def test_news_of_one_record_come_before_what_the_files_say_and_take_nothing_off_another_source_s_list() -> (
    None
):
    for record in ("register:1", "list:9"):
        found = amended(Entity(record, "Acme renamed", "company", "MY", same_as=("h",))).entities[
            "register:1"
        ]
        assert (found.name, found.country, found.listings) == ("Acme renamed", "MY", (LISTED,))
        assert found.same_as == ("list:9",)
        assert "Acme" in found.aliases


def test_of_several_records_of_a_company_the_newest_statement_counts() -> None:
    first, second = Entity("register:1", "One", "company", "MY"), Entity("list:9", "Two", "company", "ID")
    graph = amended(first, second)
    assert graph.entities["register:1"].name == "Two"
    assert list(graph.entities) == ["h", "register:1"]
    for claim in (Claim(name="Two"), Claim(lei="LEI")):
        match = Resolver.build(graph).resolve(claim)
        assert match is not None
        assert match.entity == "register:1"


def test_one_record_less_is_not_a_company_less() -> None:
    assert amended(("list:9", "")) is BASE
    assert amended(("register:1", "")) is BASE
    back = amended(Entity("list:9", "Two", "company", "ID"), ("list:9", ""))
    assert back is BASE


def test_a_stake_between_records_is_one_between_companies() -> None:
    graph = amended(Stake("n", "list:9", "h", 5, 5))
    assert [stake.holder for stake in graph.stakes_in("h")] == ["register:1"]


def test_a_stake_of_which_another_source_has_some_days_is_removed_with_all_its_parts_and_no_others() -> None:
    assert [stake.id for stake in amended(("s", "")).stakes_in("register:1")] == ["s@else"]
    replaced = amended(Stake("s", "h", "register:1", 60, 60))
    assert [(s.id, s.min) for s in replaced.stakes_in("register:1")] == [("s", 60), ("s@else", 7)]
