"""The standard's own examples and a real register. The shared data are not part of the project."""

import os
from pathlib import Path

import pytest

from stream_enforcer.domain.ownership.graph import FULL, Stake
from stream_enforcer.domain.ownership.semantics import Question, Reading, assess
from stream_enforcer.reference.ownership import load_ownership

SHARED = os.environ.get("STREAM_ENFORCER_SHARED_DATA")
DAY = "2026-05-01"


def shared(*parts: str) -> Path:
    if SHARED is None:
        pytest.skip("STREAM_ENFORCER_SHARED_DATA is not set")
    path = Path(SHARED).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"there is no {'/'.join(parts)} in the shared data")
    return path


def test_the_finnish_state_company_is_held_by_its_state_to_exactly_all() -> None:
    graph = load_ownership([shared("bods-0.4-examples", "examples", "bods-package-fi-soe.json")])
    finding = assess(graph, "19f1c5afe9d7", DAY, Question(frozenset({"FI"})))
    everything = Reading("proved", FULL, FULL)
    assert (finding.control, finding.effective, finding.single_owner) == (everything, everything, everything)
    assert finding.coverage == FULL
    assert graph.as_of == "2022-04-01"


def test_a_history_of_updates_leaves_the_last_state_of_each_record() -> None:
    graph = load_ownership([shared("bods-0.4-examples", "examples", "tecido.json")])
    stakes: list[Stake] = [stake for stake in graph.stakes_in("01B68D7633") if stake.active(DAY)]
    assert [(stake.holder, stake.min) for stake in stakes] == [("033E84672B", 80_000_000)]


def test_all_examples_of_the_standard_can_be_read() -> None:
    for path in sorted(shared("bods-0.4-examples").rglob("*.json")):
        assert load_ownership([path]).entities, path


def test_a_real_register_answers_for_every_company() -> None:
    graph = load_ownership([shared("bods-real-bp", "00102498.jsonl")])
    findings = [assess(graph, entity, DAY, Question(frozenset({"GB"}))) for entity in graph.entities]
    assert len(findings) == 136
    assert sum(finding.control.verdict == "proved" for finding in findings) > 60
