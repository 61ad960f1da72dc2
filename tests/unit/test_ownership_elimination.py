import random
from fractions import Fraction

import pytest

from stream_enforcer.domain.ownership.elimination import Equations, TooCostly, solve


def chain(length: int) -> tuple[Equations, Fraction]:
    """Return x0 = a1 * x1, x1 = a2 * x2 and so on, and what x0 is."""
    draw = random.Random(3)
    shares = [Fraction(draw.randint(90_000_000, 99_999_999), 100_000_000) for _ in range(length)]
    rows = {place: {place + 1: share} for place, share in enumerate(shares)}
    constants = {place: Fraction(0) for place in range(length)}
    exact = Fraction(1)
    for share in shares:
        exact *= share
    return Equations({**rows, length: {}}, {**constants, length: Fraction(1)}), exact


def test_short_numbers_stay_exact() -> None:
    equations, exact = chain(20)
    assert solve(equations, frozenset(), up=False, only=0)[0] == exact


def test_long_numbers_are_rounded_outwards() -> None:
    equations, exact = chain(300)
    down, up = (solve(equations, frozenset(), up=up, only=0)[0] for up in (False, True))
    assert down < exact < up
    assert up - down < Fraction(1, 1 << 200)


def test_the_way_back_gives_all_unknowns() -> None:
    """x = 1/2 y + 1/4 and y = 1/2 x make x = 1/3 and y = 1/6."""
    half = Fraction(1, 2)
    equations = Equations({0: {1: half}, 1: {0: half}}, {0: Fraction(1, 4), 1: Fraction(0)})
    assert solve(equations, frozenset(), up=False) == {0: Fraction(1, 3), 1: Fraction(1, 6)}


def test_fixed_unknowns_are_worth_one() -> None:
    half = Fraction(1, 2)
    equations = Equations({0: {1: half, 0: half}, 1: {0: half}}, {0: Fraction(0), 1: Fraction(0)})
    assert solve(equations, frozenset({1}), up=False) == {0: Fraction(1), 1: Fraction(1)}
    assert solve(equations, frozenset({0, 1}), up=False) == {0: Fraction(1), 1: Fraction(1)}


def test_an_unbounded_unknown_is_worth_the_cap() -> None:
    equations = Equations(
        {0: {1: Fraction(1, 2)}, 1: {1: Fraction(1), 0: Fraction(1)}}, {0: Fraction(0), 1: Fraction(1)}
    )
    assert solve(equations, frozenset(), up=True)[1] == 1


def test_a_network_that_is_too_dense_is_refused() -> None:
    share = Fraction(1, 200)
    rows = {row: dict.fromkeys(range(150), share) for row in range(150)}
    with pytest.raises(TooCostly):
        solve(Equations(rows, dict.fromkeys(rows, Fraction(0))), frozenset(), up=False)
