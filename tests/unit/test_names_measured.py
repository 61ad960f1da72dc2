"""How well names are told apart on labelled pairs. The shared data are not part of the project."""

import os
from pathlib import Path

import pytest
from rapidfuzz import fuzz

from benchmarks.names import (
    RECALLS,
    Pair,
    best_at,
    curve,
    found_from,
    likeness,
    likeness_by_key,
    organization_pairs,
)
from stream_enforcer.domain.ownership.resolve import NAME_SCORE_AT_LEAST

SHARED = os.environ.get("STREAM_ENFORCER_SHARED_DATA")


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    if SHARED is None:
        pytest.skip("STREAM_ENFORCER_SHARED_DATA is not set")
    if not Path(SHARED, "name_bench.csv").exists():
        pytest.skip("there is no name_bench.csv in the shared data")
    return organization_pairs(Path(SHARED))


def test_at_the_default_score_names_are_told_apart_as_the_page_on_ownership_says(pairs: list[Pair]) -> None:
    found = found_from(pairs, likeness, NAME_SCORE_AT_LEAST)
    assert found.precision >= 0.938
    assert found.recall >= 0.859
    by_key = found_from(pairs, likeness_by_key, NAME_SCORE_AT_LEAST)
    assert by_key.precision >= 0.990
    assert by_key.recall >= 0.606


def test_no_other_score_has_a_greater_f1(pairs: list[Pair]) -> None:
    assert max(curve(pairs, likeness), key=lambda found: found.f1).score == NAME_SCORE_AT_LEAST


@pytest.mark.parametrize("recall", RECALLS)
def test_at_each_recall_likeness_is_more_precise_than_a_ratio_of_letters(
    pairs: list[Pair], recall: float
) -> None:
    ours, plain = (best_at(curve(pairs, score), recall) for score in (likeness, fuzz.ratio))
    assert ours is not None
    assert plain is not None
    assert ours.precision > plain.precision


def test_what_is_found_is_counted_right() -> None:
    made = [Pair("a", "a", same=True), Pair("b", "c", same=True), Pair("d", "d", same=False)]
    score = {"a": 90.0, "b": 50.0, "d": 90.0}
    (low, high) = curve(made, lambda one, _: score[one])
    assert (low.score, low.precision, low.recall) == (50.0, 2 / 3, 1.0)
    assert (high.score, high.precision, high.recall, high.f1) == (90.0, 0.5, 0.5, 0.5)
    assert best_at([low, high], 0.4) == low
    assert best_at([high], 0.9) is None
