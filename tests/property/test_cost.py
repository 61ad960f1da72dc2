"""Laws of costs by day: late usage counts on its own day, in whatever order it comes."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.account_state import UnknownFormat
from stream_enforcer.domain.cost import DAYS, Spent, checked, month, spend

Use = tuple[int, int]
uses = st.lists(st.tuples(st.integers(20_000, 20_100), st.integers(0, 10**15)), min_size=1, max_size=60)


def folded(history: list[Use]) -> Spent:
    spent = None
    for day, micros in history:
        spent = spend(spent, day, micros)
    assert spent is not None
    return spent


@given(uses)
def test_a_month_is_the_sum_over_the_thirty_days_that_end_with_the_latest_use(history: list[Use]) -> None:
    days: Counter[int] = Counter()
    for day, micros in history:
        days[day] += micros
    newest = max(days)
    assert month(folded(history)) == sum(micros for day, micros in days.items() if newest - DAYS < day)


@given(uses, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(history: list[Use], random: Random) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    assert folded(shuffled) == folded(history)


@given(uses)
def test_what_is_written_is_known_again(history: list[Use]) -> None:
    spent = folded(history)
    assert checked(spent) == spent


def test_an_account_without_use_costs_nothing() -> None:
    assert month(None) == 0


@pytest.mark.parametrize(
    "value",
    [
        *(
            b"",
            b"[]",
            b"[1]",
            b"[1,1]",
            b"[2,1,1]",
            b"[1,1,1",
            b"[1,1,1]x",
            b"[1,-1,1]",
            b"[1,1,-1]",
            b"[1,01,1]",
        ),
        *(
            b"[1,20,1,19]",
            b"[1,20,1.5]",
            b"[1,99999999,1]",
        ),
    ],
)
def test_what_is_no_cost_is_refused(value: bytes) -> None:
    with pytest.raises(UnknownFormat):
        checked(value)
