"""Live ownership: the amended graph is that of what is in force, and a change reaches no further than it says."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.ownership.amendments import Amendment, Amendments, Statement, below, digest_of
from stream_enforcer.domain.ownership.graph import Entity, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import Claim, Resolver, claim_keys, entity_keys, indexed
from stream_enforcer.domain.ownership.semantics import assess
from tests.snapshot_builders import DAYS, DOMAINS, NAMES, PARTIES, entities, snapshot_of, stakes

QUESTION = Question(frozenset({"CN"}))
CLAIMS = [
    *(Claim(domain=domain) for domain in DOMAINS),
    *(Claim(name=name, country=country) for name in NAMES for country in (None, "GB")),
]


def record(statement: Statement) -> Amendment:
    text = repr(statement).encode()
    return Amendment(statement.id, statement, digest_of(statement.id.encode(), text))


def removal(statement_id: str) -> Amendment:
    return Amendment(statement_id, "removed", digest_of(statement_id.encode(), None))


@st.composite
def amendments(draw: st.DrawFn) -> list[Amendment]:
    """Statements that replace, add, remove and cannot be read, of the ids that bases have and of others."""
    new: list[Statement] = [*draw(entities()), *draw(stakes())]
    ids = [statement.id for statement in new]
    drawn = draw(st.lists(st.sampled_from([*new, *ids, *(f"{id_}?" for id_ in ids)]), max_size=10))
    return [record(x) if not isinstance(x, str) else _without(x) for x in drawn]


def _without(statement_id: str) -> Amendment:
    if statement_id.endswith("?"):
        return Amendment(statement_id[:-1], "unreadable")
    return removal(statement_id)


@st.composite
def bases(draw: st.DrawFn) -> OwnershipGraph:
    return indexed(OwnershipGraph.build(draw(entities()), draw(stakes()), hash="base"))


def rebuilt(base: OwnershipGraph, made: Sequence[Amendment]) -> OwnershipGraph:
    """Build the graph anew from what is in force, by the definition: the newest record of each id."""
    companies, held = dict(base.entities), {stake.id: stake for stake in base.stakes()}
    for newest in {amendment.id: amendment for amendment in made}.values():
        if newest.says == "removed":
            companies.pop(newest.id, None)
            held.pop(newest.id, None)
        elif isinstance(newest.says, Entity):
            companies[newest.id] = newest.says
        elif isinstance(newest.says, Stake):
            held[newest.id] = newest.says
    return indexed(OwnershipGraph.build(companies.values(), held.values(), hash="rebuilt"))


def assert_same(amended: OwnershipGraph, expected: OwnershipGraph) -> None:
    assert dict(amended.entities) == dict(expected.entities)
    assert len(amended.entities) == len(expected.entities)
    for party in PARTIES:
        assert amended.stakes_in(party) == expected.stakes_in(party)
        assert amended.stakes_of(party) == expected.stakes_of(party)
    assert {s.id: s for s in amended.stakes()} == {s.id: s for s in expected.stakes()}
    for entity in expected.entities.values():
        for key in entity_keys(entity):
            assert ids(amended, key) == ids(expected, key)
            assert len(candidates(amended, key, 1)) == 1


def candidates(graph: OwnershipGraph, key: tuple[str, ...], limit: int) -> Sequence[Entity]:
    assert graph.index is not None
    return graph.index.candidates(key, limit)


def ids(graph: OwnershipGraph, key: tuple[str, ...]) -> list[str]:
    return sorted(entity.id for entity in candidates(graph, key, 100))


@given(bases(), amendments(), amendments())
def test_the_amended_graph_is_that_of_the_statements_in_force(
    base: OwnershipGraph, first: list[Amendment], second: list[Amendment]
) -> None:
    once, _ = Amendments.none(base).amend(first)
    before = {party: once.graph.stakes_in(party) for party in PARTIES}
    twice, _ = once.amend(second)
    assert_same(twice.graph, rebuilt(base, [*first, *second]))
    assert before == {party: once.graph.stakes_in(party) for party in PARTIES}


@given(amended=amendments(), companies=entities(), held=stakes())
def test_a_snapshot_is_amended_as_a_graph_in_memory(
    tmp_path_factory: pytest.TempPathFactory,
    amended: list[Amendment],
    companies: list[Entity],
    held: list[Stake],
) -> None:
    folder = tmp_path_factory.mktemp("amended")
    base = snapshot_of(folder, companies, held).graph
    assert_same(Amendments.none(base).amend(amended)[0].graph, rebuilt(base, amended))


@given(bases(), amendments(), st.integers(0, 10), st.randoms())
def test_the_hash_is_that_of_the_newest_records_however_they_came(
    base: OwnershipGraph, made: list[Amendment], cut: int, order: random.Random
) -> None:
    newest = [*{amendment.id: amendment for amendment in made}.values()]
    order.shuffle(newest)
    whole, touched = Amendments.none(base).amend(made)
    halves = Amendments.none(base).amend(made[:cut])[0].amend(made[cut:])[0]
    compacted = Amendments.none(base).amend(newest)[0]
    assert whole.graph.hash == halves.graph.hash == compacted.graph.hash
    assert [t.hash for t in touched[-1:]] == [whole.graph.hash for _ in touched[-1:]]
    assert whole.over(base).graph.hash == whole.graph.hash


@given(bases(), amendments())
def test_different_statements_in_force_have_different_hashes(
    base: OwnershipGraph, made: list[Amendment]
) -> None:
    amended, _ = Amendments.none(base).amend(made)
    assert (amended.graph.hash == base.hash) is (not amended.live)


@given(bases(), amendments(), amendments())
def test_a_change_reaches_no_company_and_no_claim_beyond_what_it_touched(
    base: OwnershipGraph, first: list[Amendment], second: list[Amendment]
) -> None:
    before, _ = Amendments.none(base).amend(first)
    after, touched = before.amend(second)
    reached = below(after.graph, {entity for each in touched for entity in each.entities})
    keys = {key for each in touched for key in each.keys}
    for party in PARTIES:
        for day in DAYS:
            if assess(before.graph, party, day, QUESTION) != assess(after.graph, party, day, QUESTION):
                assert party in reached
                keys.update(entity_keys(after.graph.entities[party]) if party in after.graph.entities else ())
    old, new = Resolver.build(before.graph), Resolver.build(after.graph)
    for claim in CLAIMS:
        if old.resolve(claim) != new.resolve(claim):
            assert not keys.isdisjoint(claim_keys(claim))
