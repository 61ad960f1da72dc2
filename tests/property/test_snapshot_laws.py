"""A snapshot gives the same answers as the same data in memory, and its verdicts are those of the exact code."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.ownership import to_json
from stream_enforcer.domain.ownership.graph import FULL, Entity, Stake
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import Claim, Match, Resolver, claim_keys, entity_keys
from stream_enforcer.domain.ownership.semantics import assess
from stream_enforcer.snapshot.building import Ask
from stream_enforcer.snapshot.readings import effective, exact
from tests.snapshot_builders import (
    DAYS,
    DOMAINS,
    NAMES,
    PARTIES,
    RECORDED,
    entities,
    in_memory,
    snapshot_of,
    stakes,
)

QUESTIONS = st.builds(
    Question,
    restricted=st.sampled_from([frozenset({"CN"}), frozenset({"CN", "GB"}), frozenset({"RU"})]),
    threshold=st.sampled_from([1, 10, 25, 50, 75, 100]).map(lambda share: share * FULL // 100)
    | st.integers(1, FULL),
    strict=st.booleans(),
    exceptions=st.sampled_from([frozenset(), frozenset({"CN2"}), frozenset({"CN2", "nobody"})]),
)
CLAIMS = st.builds(
    Claim,
    name=st.none() | st.sampled_from([*NAMES, "acme", "Goodwill", "Roga", "Merkury", "nobody"]),
    country=st.sampled_from([None, "CN", "GB", "US", "FR", "Nowhere", "\0\0"]),
    lei=st.sampled_from([None, None, "lei1", "LEI2", "LEI3"]),
    registration_number=st.sampled_from([None, None, "7", "8"]),
    domain=st.sampled_from([None, None, *DOMAINS]),
)


@given(entities(), stakes(), QUESTIONS, st.sampled_from(DAYS))
def test_a_snapshot_answers_as_the_graph_in_memory(
    recorded: list[Entity], held: list[Stake], question: Question, day: str
) -> None:
    memory = in_memory(recorded, held)
    with TemporaryDirectory() as folder:
        graph = snapshot_of(Path(folder), recorded, held).graph
        assert list(graph.entities.items()) == list(memory.entities.items())
        for party in (*PARTIES, "nobody", "\ud800"):
            assert graph.stakes_in(party) == memory.stakes_in(party)
            assert graph.stakes_of(party) == memory.stakes_of(party)
            finding = assess(graph, party, day, question)
            assert finding == assess(memory, party, day, question)
            match = Match(party, "identifier", 100)
            assert to_json(finding, match, question) == to_json(
                assess(memory, party, day, question), match, question
            )


@given(entities(), st.lists(CLAIMS, min_size=1, max_size=8))
def test_a_snapshot_finds_whom_a_claim_means_as_memory_does(
    recorded: list[Entity], claims: list[Claim]
) -> None:
    memory = Resolver.build(in_memory(recorded, []))
    with TemporaryDirectory() as folder:
        graph = snapshot_of(Path(folder), recorded, []).graph
        resolver = Resolver.build(graph)
        assert [resolver.resolve(claim) for claim in claims] == [memory.resolve(claim) for claim in claims]
        assert graph.index is not None
        for key in {key for claim in claims for key in claim_keys(claim)}:
            having = {entity.id for entity in recorded if key in entity_keys(entity)}
            found = [entity.id for entity in graph.index.candidates(key, 20)]
            assert len(found) == len(having)
            assert set(found) == having
            assert len(graph.index.candidates(key, 1)) == min(1, len(having))


@pytest.mark.parametrize(("rounds", "together"), [(2_000, 4), (0, 4), (0, 1)])
@given(entities(), stakes(max_size=24), QUESTIONS, st.sampled_from(DAYS))
def test_the_verdicts_of_all_are_the_verdicts_of_each(
    rounds: int, together: int, recorded: list[Entity], held: list[Stake], question: Question, day: str
) -> None:
    memory = in_memory(recorded, held)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(effective, "_ROUNDS", rounds)  # without any, floats decide nothing
        patch.setattr(exact, "_TOGETHER", together)
        snapshot = snapshot_of(Path(folder), recorded, held, Ask(question, day))
        for party in RECORDED:
            finding = assess(memory, party, day, question)
            expected = tuple(r.verdict for r in (finding.control, finding.effective, finding.single_owner))
            assert snapshot.verdicts(party, day, question) == expected, party


@given(stakes(), st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_verdicts_hold_on_a_day_on_which_the_same_stakes_do_and_on_no_other(
    held: list[Stake], day: str, other: str
) -> None:
    question = Question(frozenset({"CN"}))
    recorded = [Entity(name, name, "company", "CN" if name.startswith("CN") else "GB") for name in RECORDED]
    with TemporaryDirectory() as folder:
        snapshot = snapshot_of(Path(folder), recorded, held, Ask(question, day))
        edges = {d for s in held for d in (s.since, s.until) if d is not None}
        same = not any(min(day, other) < edge <= max(day, other) for edge in edges)
        assert (snapshot.verdicts("T", other, question) is not None) == same
        assert snapshot.verdicts("T", day, replace(question, strict=False)) is None
        assert snapshot.verdicts("nobody", day, question) is None
