"""Large networks: the answer must come, and be right. Each of these would hang or overflow if done naively."""

import random
from collections.abc import Iterable
from typing import Any

import pytest

from stream_enforcer.domain.ownership import control
from stream_enforcer.domain.ownership.ancestry import ancestry
from stream_enforcer.domain.ownership.graph import FULL, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.proof import check
from stream_enforcer.domain.ownership.semantics import Reading, assess
from stream_enforcer.domain.ownership.witness import MOST_EDGES
from tests.ownership_builders import CN, DAY, PERCENT, company, decision_object

Edge = tuple[str, str, int]


def large(edges: list[Edge]) -> OwnershipGraph:
    names = {name for holder, held, _ in edges for name in (holder, held)}
    stakes = (Stake(f"s{n:06}", holder, held, share, share) for n, (holder, held, share) in enumerate(edges))
    return OwnershipGraph.build(map(company, sorted(names)), stakes, hash="h")


def test_a_chain_of_thirty_levels() -> None:
    chain = [(f"c{n}", f"c{n + 1}", 60 * PERCENT) for n in range(29)]
    finding = assess(large([("CN", "c0", 60 * PERCENT), *chain]), "c29", DAY, CN)
    assert finding.control == Reading("proved", 60 * PERCENT, 60 * PERCENT)
    exact = 60**30 / 100**30 * 100 * PERCENT
    assert finding.effective.min <= exact <= finding.effective.max <= finding.effective.min + 1
    assert check(decision_object(finding)) is None


def test_a_ring_of_ten_thousand_companies() -> None:
    shares = random.Random(7)
    ring = [(f"c{n}", f"c{(n + 1) % 10_000}", shares.randint(51, 98) * PERCENT) for n in range(10_000)]
    into = [("CN", f"c{n}", 1 * PERCENT) for n in range(10_000)]
    finding = assess(large(ring + into), "c0", DAY, CN)
    assert finding.control == finding.single_owner == Reading("refuted", 1 * PERCENT, 1 * PERCENT)
    assert finding.effective.max - finding.effective.min == 1
    assert 2 * PERCENT < finding.effective.min < 10 * PERCENT


def test_a_controlled_ring_of_ten_thousand_companies_has_a_verdict_and_says_that_its_proof_is_too_long() -> (
    None
):
    ring = [(f"c{n}", f"c{(n + 1) % 10_000}", 60 * PERCENT) for n in range(10_000)]
    finding = assess(large([*ring, ("CN", "c1", 40 * PERCENT), ("CN2", "c1", 11 * PERCENT)]), "c0", DAY, CN)
    assert finding.control == Reading("proved", 60 * PERCENT, 60 * PERCENT)
    assert (finding.proof, finding.proof_complete) == ((), False)
    assert check(decision_object(finding)) == "control: is proved, but there is no proof"


def test_a_holder_with_two_hundred_thousand_holdings() -> None:
    finding = assess(large([("CN", f"h{n}", 60 * PERCENT) for n in range(200_000)]), "h77", DAY, CN)
    assert finding.control.verdict == "proved"
    assert len(finding.proof) == 1


def test_a_company_with_many_small_restricted_holders_gets_a_proof_that_suffices() -> None:
    many = [(f"CN{n:04}", "T", PERCENT // 20) for n in range(1_000)]
    finding = assess(large([*many, ("CN", "T", 40 * PERCENT)]), "T", DAY, CN)
    assert finding.control == Reading("proved", 90 * PERCENT, 90 * PERCENT)
    assert not finding.proof_complete
    assert 0 < len(finding.proof) <= MOST_EDGES
    assert check(decision_object(finding)) is None


@pytest.mark.parametrize(("share", "width"), [(700_000, 2), (833_000, 100 * PERCENT)])
def test_a_dense_network_is_bounded_when_it_cannot_be_solved(share: int, width: int) -> None:
    names = [f"c{n}" for n in range(120)]
    dense = [(a, b, share) for a in names for b in names]
    finding = assess(large([*dense, *(("CN", name, 20_000) for name in names)]), "c0", DAY, CN)
    exact = 20_000 / (1 - 120 * share / FULL)  # by symmetry: x = 0.0002 + 120 * share * x
    assert finding.effective.min <= exact <= finding.effective.max <= finding.effective.min + width


def test_a_sufficient_proof_does_not_lean_on_what_it_has_to_show() -> None:
    many = [(f"CN{n:04}", "T", PERCENT // 50) for n in range(1_000)]
    ring = [("A", "T", 30 * PERCENT), ("T", "A", 51 * PERCENT)]
    finding = assess(large([*many, *ring, ("CN", "T", 45 * PERCENT)]), "T", DAY, CN)
    assert finding.control == Reading("proved", 95 * PERCENT, 95 * PERCENT)
    assert finding.proof
    assert not finding.proof_complete
    assert check(decision_object(finding)) is None


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Record every search for what somebody controls."""
    made: list[object] = []
    search = control.controlled_by

    def recorded(holders: Iterable[int], *rest: Any, **options: Any) -> control.Group:
        made.append(holders)
        return search(holders, *rest, **options)

    monkeypatch.setattr(control, "controlled_by", recorded)
    return made


def test_who_is_controlled_by_a_restricted_holder_is_not_searched_again(searches: list[object]) -> None:
    chain = [(f"CN{n}", f"CN{n + 1}", 60 * PERCENT) for n in range(500)]
    data = large([*chain, ("CN500", "T", 60 * PERCENT), ("CN501", "T", 1 * PERCENT)])
    above = ancestry(data, "T", DAY, CN)
    assert control.best_single_owner(above, 1, CN, ceiling=61 * PERCENT).share == 60 * PERCENT
    assert len(searches) == 2


def test_nobody_is_searched_once_one_holder_has_all_that_there_is(searches: list[object]) -> None:
    data = large([("CN", "T", 60 * PERCENT), *((f"CN{n}", "X", 1) for n in range(50)), ("X", "T", 1)])
    above = ancestry(data, "T", DAY, CN)
    assert control.best_single_owner(above, 1, CN, ceiling=0).share == 0
    assert len(searches) == 1


@pytest.mark.parametrize("last", [30, 60])
def test_the_controllers_of_a_long_chain_are_found_in_few_searches(searches: list[object], last: int) -> None:
    chain = [(f"c{n}", f"c{n + 1}", 60 * PERCENT) for n in range(500)]
    data = large([*chain, ("c500", "T", last * PERCENT), ("X", "T", 30 * PERCENT)])
    found = control.controllers(ancestry(data, "T", DAY, CN), CN)
    assert len(found) == (501 if last == 60 else 0)
    assert len(searches) <= 12
