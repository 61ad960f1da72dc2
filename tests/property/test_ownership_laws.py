"""Laws of the three readings on random small networks, against slow and obvious oracles."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.ownership.graph import FULL, Entity, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.proof import check
from stream_enforcer.domain.ownership.semantics import Finding, Question, Reading, assess
from tests.ownership_builders import CN, DAY, company, decision_object

PARTIES = ("T", "A", "B", "C", "CN1", "CN2", "CN3", "P")
RESTRICTED = ("CN1", "CN2", "CN3")
PERSON = Entity("P", "P", "person", country="CN")
SHARES = st.sampled_from([0, 1, 10, 25, 30, 33, 49, 50, 51, 60, 67, 75, 90, 100]).map(
    lambda s: s * FULL // 100
)
Links = list[tuple[str, str, int]]


def network(stakes: Iterable[Stake]) -> OwnershipGraph:
    return OwnershipGraph.build([*map(company, PARTIES[:-1]), PERSON], stakes, hash="h")


@st.composite
def bands(draw: st.DrawFn) -> list[Stake]:
    """Any stakes, consistent or not: sums over 100 %, rings, stakes in itself, several of one holder."""
    pairs = draw(st.lists(st.tuples(*[st.sampled_from(PARTIES)] * 2), max_size=12))
    ends = [sorted((draw(SHARES), draw(SHARES))) for _ in pairs]
    exact = draw(st.booleans())
    return [
        Stake(f"s{n}", holder, held, least, least if exact else greatest)
        for n, ((holder, held), (least, greatest)) in enumerate(zip(pairs, ends, strict=True))
    ]


@st.composite
def possible_worlds(draw: st.DrawFn) -> tuple[list[Stake], list[Stake]]:
    """Stakes with bands, and exact shares that lie in them."""
    wide = draw(bands())
    shares = [draw(st.integers(stake.min, stake.max)) for stake in wide]
    return wide, [replace(s, min=share, max=share) for s, share in zip(wide, shares, strict=True)]


@st.composite
def consistent(draw: st.DrawFn) -> list[Stake]:
    """Exact stakes that leave nobody more than 100 %."""
    left = dict.fromkeys(PARTIES, FULL)
    stakes = []
    for number, (holder, held) in enumerate(
        draw(st.lists(st.tuples(*[st.sampled_from(PARTIES)] * 2), max_size=14))
    ):
        share = min(draw(SHARES), left[held])
        left[held] -= share
        stakes.append(Stake(f"s{number}", holder, held, share, share))
    return stakes


def links(stakes: Iterable[Stake], end: Callable[[Stake], int]) -> Links:
    return [(stake.holder, stake.held, end(stake)) for stake in stakes if stake.held != "P"]


def held_together(owners: Iterable[str], found: Links, threshold: int = CN.threshold) -> int:
    """Add companies to the owners until none is left that they hold more than the threshold of."""
    members = set(owners)
    while True:
        sums = {name: sum(s for a, b, s in found if b == name and a in members) for name in PARTIES}
        new = {name for name in PARTIES if min(sums[name], FULL) > threshold} - members
        if not new:
            return min(sums["T"], FULL)
        members |= new


def least(stake: Stake) -> int:
    return stake.min


def greatest(stake: Stake) -> int:
    return stake.max


@given(bands())
def test_control_and_single_owner_are_what_the_definition_says(stakes: list[Stake]) -> None:
    finding = assess(network(stakes), "T", DAY, CN)
    low, high = links(stakes, least), links(stakes, greatest)
    together = (held_together(RESTRICTED, low), held_together(RESTRICTED, high))
    alone = [max(held_together([owner], found) for owner in RESTRICTED) for found in (low, high)]
    assert (finding.control.min, finding.control.max) == together
    assert (finding.single_owner.min, finding.single_owner.max) == tuple(alone)


def solved(found: Links) -> Fraction:
    """Solve (I - A) x = b for the companies that restricted holders reach, as one dense system."""
    companies = {b for a, b, s in found if a in RESTRICTED and s}
    for _ in PARTIES:
        companies |= {b for a, b, s in found if a in companies and a not in (*RESTRICTED, "P") and s}
    names = sorted(companies)
    if "T" not in names:
        return Fraction(0)
    matrix = [[Fraction(row == column) for column in names] + [Fraction(0)] for row in names]
    for a, b, s in found:
        if b in names and a in RESTRICTED:
            matrix[names.index(b)][-1] += Fraction(s, FULL)
        elif b in names and a in names:
            matrix[names.index(b)][names.index(a)] -= Fraction(s, FULL)
    for column in range(len(names)):
        pivot = next(row for row in range(column, len(names)) if matrix[row][column])
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        matrix[column] = [value / matrix[column][column] for value in matrix[column]]
        for row in range(len(names)):
            if row != column:
                weight = matrix[row][column]
                matrix[row] = [x - weight * y for x, y in zip(matrix[row], matrix[column], strict=True)]
    return matrix[names.index("T")][-1]


@given(consistent())
def test_effective_is_the_solution_of_the_linear_system(stakes: list[Stake]) -> None:
    reading = assess(network(stakes), "T", DAY, CN).effective
    exact = solved(links(stakes, least)) * FULL
    assert exact <= FULL
    assert reading.min <= exact <= reading.max <= reading.min + 1
    assert reading.verdict == ("proved" if exact > CN.threshold else "refuted")


@given(bands(), st.integers(1, 25))
def test_effective_lies_between_all_substitutions_from_below_and_from_above(
    stakes: list[Stake], rounds: int
) -> None:
    reading = assess(network(stakes), "T", DAY, CN).effective
    for end, start in ((least, 0), (greatest, 0), (least, 1), (greatest, 1)):
        found = links(stakes, end)
        reached = set(RESTRICTED)
        for _ in PARTIES:
            reached |= {b for a, b, s in found if a in reached - {"P"} and s}
        values = {name: Fraction(start if name in reached else 0) for name in PARTIES}
        for _ in range(rounds):
            worth = {**values, **dict.fromkeys(RESTRICTED, Fraction(1)), "P": Fraction(0)}
            values = {
                name: min(
                    Fraction(1),
                    sum((Fraction(s, FULL) * worth[a] for a, b, s in found if b == name), Fraction(0)),
                )
                for name in PARTIES
            }
        if start == 0:
            assert (reading.min if end is least else reading.max) >= int(values["T"] * FULL)
        else:
            assert (reading.min if end is least else reading.max) <= -int(-values["T"] * FULL // 1)


@given(possible_worlds())
def test_bands_contain_the_exact_value(world: tuple[list[Stake], list[Stake]]) -> None:
    wide, exact = (assess(network(stakes), "T", DAY, CN) for stakes in world)
    for band, point in zip(readings(wide), readings(exact), strict=True):
        assert band.min <= point.min <= point.max <= band.max
        allowed = {"proved": {"proved"}, "refuted": {"refuted"}, "possible": {"proved", "refuted"}}
        assert point.verdict in allowed[band.verdict]


@given(bands(), st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(stakes: list[Stake], order: random.Random) -> None:
    shuffled = order.sample(stakes, len(stakes))
    assert assess(network(stakes), "T", DAY, CN) == assess(network(shuffled), "T", DAY, CN)


@given(bands())
def test_what_one_restricted_holder_has_all_have_together(stakes: list[Stake]) -> None:
    finding = assess(network(stakes), "T", DAY, CN)
    assert finding.single_owner.min <= finding.control.min
    assert finding.single_owner.max <= finding.control.max


QUESTIONS = st.builds(
    Question,
    restricted=st.just(frozenset({"CN"})),
    threshold=st.sampled_from([10, 25, 50, 75, 100]).map(lambda s: s * FULL // 100),
    strict=st.booleans(),
    exceptions=st.sampled_from([frozenset(), frozenset({"CN2"})]),
)


@given(bands(), QUESTIONS, st.sampled_from(["T", "CN1", "A"]))
def test_the_checker_accepts_what_assess_proves(stakes: list[Stake], question: Question, entity: str) -> None:
    finding = assess(network(stakes), entity, DAY, question)
    assert check(decision_object(finding, question)) is None
    shown = any(reading.verdict in ("proved", "possible") for reading in readings(finding))
    assert bool(finding.proof) == shown


@given(bands(), st.data())
def test_a_changed_edge_is_found_unless_the_proof_still_shows_the_same(
    stakes: list[Stake], data: st.DataObject
) -> None:
    finding = assess(network(stakes), "T", DAY, CN)
    if not finding.proof:
        return
    claim: Any = decision_object(finding)
    place = data.draw(st.integers(0, len(finding.proof) - 1))
    change = data.draw(st.sampled_from(["min", "max", "holder", "held", "country", "remove", "double"]))
    tamper(claim["proof"], place, change, data.draw(SHARES))
    strongest, end = ("proved", least) if "proved" in verdicts(finding) else ("possible", greatest)
    expected = [r for r in readings(finding) if r.verdict == strongest]
    again = [
        r
        for r, old in zip(readings(reassessed(claim)), readings(finding), strict=True)
        if old.verdict == strongest
    ]
    same = all(
        (a.min if end is least else a.max) == (b.min if end is least else b.max)
        for a, b in zip(again, expected, strict=True)
    )
    assert same or check(claim) is not None


def tamper(proof: list[dict[str, Any]], place: int, change: str, share: int) -> None:
    edge = proof[place]
    if change == "remove":
        del proof[place]
    elif change == "double":
        proof.append(dict(edge))
    elif change == "country":
        for other in proof:
            if other["holder"] == edge["holder"]:
                other.pop("country", None)
    elif change in ("holder", "held"):
        edge[change] = "somebody else"
    else:
        edge[change] = share


def reassessed(claim: Any) -> Finding:
    """Assess again from the edges of a claim alone; an edge that is no band shows nothing."""
    proof = [edge for edge in claim["proof"] if edge["min"] <= edge["max"]]
    stakes = [Stake(f"s{n}", e["holder"], e["held"], e["min"], e["max"]) for n, e in enumerate(proof)]
    names = {"T", *(party for stake in stakes for party in (stake.holder, stake.held))}
    restricted = {edge["holder"] for edge in proof if "country" in edge}
    entities = [company(name, "CN" if name in restricted else "GB") for name in sorted(names)]
    return assess(OwnershipGraph.build(entities, stakes, hash="h"), "T", DAY, CN)


def readings(finding: Finding) -> tuple[Reading, Reading, Reading]:
    return finding.control, finding.effective, finding.single_owner


def verdicts(finding: Finding) -> set[str]:
    return {reading.verdict for reading in readings(finding)}
