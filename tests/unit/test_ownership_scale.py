"""Large networks: the answer must come, and be right. Each of these would hang or overflow if done naively."""

import random

from stream_enforcer.domain.ownership.graph import OwnershipGraph, Stake
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


def test_a_dense_network_is_bounded_when_it_cannot_be_solved() -> None:
    names = [f"c{n}" for n in range(120)]
    dense = [(a, b, 700_000) for a in names for b in names]
    finding = assess(large([*dense, *(("CN", name, 10 * PERCENT) for name in names)]), "c0", DAY, CN)
    exact = 10 * PERCENT / (1 - 120 * 0.007)  # by symmetry: x = 0.1 + 120 * 0.007 x
    assert finding.effective.min <= exact <= finding.effective.max <= finding.effective.min + 2
