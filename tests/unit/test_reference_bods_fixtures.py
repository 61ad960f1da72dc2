"""The conformance examples of BODS 0.4 that others publish: a person who owns, and two companies in a ring."""

import json
from pathlib import Path

import bods_fixtures
import pytest

from stream_enforcer.domain.ownership.graph import FULL, OwnershipGraph
from stream_enforcer.domain.ownership.semantics import Question, Reading, assess
from stream_enforcer.reference.ownership import read_ownership

DAY = "2026-05-01"
NOTHING, EVERYTHING = Reading("refuted", 0, 0), Reading("proved", FULL, FULL)


def graph(name: str, folder: Path) -> OwnershipGraph:
    path = folder / "statements.json"
    path.write_text(json.dumps(bods_fixtures.load(name).statements), encoding="utf-8")
    return read_ownership([path], strict=True).graph


def test_two_kinds_of_interest_in_one_relationship_are_one_holding_of_a_person(tmp_path: Path) -> None:
    found = graph("core/01-direct-ownership", tmp_path)
    (stake,) = found.stakes_in("rec-acme-holdings-ltd")
    assert (stake.holder, stake.min, stake.max) == ("rec-jane-smith-1975", 75_000_000, 75_000_000)
    finding = assess(found, "rec-acme-holdings-ltd", DAY, Question(frozenset({"GB"})))
    assert (finding.control, finding.effective, finding.coverage) == (NOTHING, NOTHING, 75_000_000)
    assert (finding.headquarters, finding.basis) == ("GB", "registration")


@pytest.mark.parametrize(("held", "holder"), [("alpha", "beta"), ("beta", "alpha")])
def test_a_ring_ends_and_is_worth_no_more_than_all(held: str, holder: str, tmp_path: Path) -> None:
    found = graph("edge-cases/10-circular-ownership", tmp_path)
    assert [stake.holder for stake in found.stakes_in(f"rec-{held}-corp")] == [f"rec-{holder}-corp"]
    for country, expected in (("GB", EVERYTHING), ("CN", NOTHING)):
        finding = assess(found, f"rec-{held}-corp", DAY, Question(frozenset({country})))
        assert (finding.control, finding.effective, finding.single_owner) == (expected,) * 3
        assert finding.coverage == FULL


@pytest.mark.parametrize("name", bods_fixtures.list_cases())
def test_every_example_is_read_without_a_fault(name: str, tmp_path: Path) -> None:
    assert graph(name, tmp_path).entities
