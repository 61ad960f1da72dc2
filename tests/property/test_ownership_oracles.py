"""The three readings on 3,000 random graphs, against an answer set program and an exact linear solver."""

from collections import Counter
from collections.abc import Iterator
from math import ceil, floor
from typing import Final

import pytest

from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.domain.ownership.semantics import Finding, Reading, assess
from tests.ownership_oracles import Expected, Name, by_answer_set, by_elimination
from tests.ownership_worlds import TODAY, Case, cases

SEED: Final = 20_260_501
CASES: Final = 3_000
AT_ONCE: Final = 250
"""Cases of one answer set: more are solved faster, fewer fail more readably."""


@pytest.fixture(scope="module")
def assessed() -> list[tuple[Case, Finding]]:
    return [(case, assess(case.graph, case.company, TODAY, case.question)) for case in cases(SEED, CASES)]


def batches(found: list[tuple[Case, Finding]]) -> Iterator[list[tuple[Case, Finding]]]:
    return (found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE))


def rounded(expected: Expected) -> Reading:
    """Return what is reported: the verdict of the exact shares, and these rounded outwards."""
    return Reading(expected.verdict, floor(expected.min), ceil(expected.max))


@pytest.mark.parametrize("name", ["control", "single_owner"])
def test_control_and_single_owner_are_what_an_answer_set_program_derives(
    assessed: list[tuple[Case, Finding]], name: Name
) -> None:
    for batch in batches(assessed):
        expected = by_answer_set([case for case, _ in batch])
        for (case, finding), readings in zip(batch, expected, strict=True):
            assert getattr(finding, name) == rounded(readings[name]), case


def test_effective_is_the_exact_least_solution_of_its_equations(
    assessed: list[tuple[Case, Finding]],
) -> None:
    for case, finding in assessed:
        assert finding.effective == rounded(by_elimination(case)), case


def test_the_cases_are_worth_asking(assessed: list[tuple[Case, Finding]]) -> None:
    """Each verdict of each reading, each pair of readings that differ, and each trap is there often enough."""
    seen: Counter[str] = Counter()
    for case, finding in assessed:
        control, effective, single = finding.control, finding.effective, finding.single_owner
        threshold, strict = case.question.threshold, case.question.strict
        seen.update(
            {f"control {control.verdict}", f"effective {effective.verdict}", f"single {single.verdict}"}
        )
        seen["control without a single owner"] += control.verdict != single.verdict
        seen["control without effective"] += (control.verdict, effective.verdict) == ("proved", "refuted")
        seen["effective without control"] += (control.verdict, effective.verdict) == ("refuted", "proved")
        seen["at the threshold, strict"] += strict and 0 < threshold == control.min
        seen["at the threshold, not strict"] += not strict and threshold == control.min
        seen["effective at the threshold"] += 0 < threshold == effective.min
        seen["no whole millionth"] += effective.min % 1_000_000 != 0 and effective.min + 1 == effective.max
        held = sum(stake.max for stake in case.stakes if stake.held == case.company and stake.active(TODAY))
        seen["more than all"] += held > FULL
        seen["itself"] += any(stake.holder == stake.held for stake in case.stakes)
        seen["not today"] += any(not stake.active(TODAY) for stake in case.stakes)
        seen["exception"] += bool(case.question.exceptions)
    assert all(seen[f"{reading} proved"] > 200 for reading in ("control", "effective", "single"))
    assert {name: count for name, count in seen.items() if count < 25} == {}
    assert len(seen) == 20
