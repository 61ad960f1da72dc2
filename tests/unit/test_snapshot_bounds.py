"""What takes too long to work out for all companies is left open, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from stream_enforcer.domain.ownership.graph import Stake
from stream_enforcer.snapshot import readings
from stream_enforcer.snapshot.building import Ask
from stream_enforcer.snapshot.graph import Verdicts
from stream_enforcer.snapshot.readings import effective, exact, single_owner
from stream_enforcer.snapshot.readings.network import Network
from stream_enforcer.snapshot.summary import summary
from tests.ownership_builders import CN, DAY, PERCENT, company, stakes
from tests.snapshot_builders import snapshot, snapshot_of


def everyone_holds_everyone(companies: int, prefix: str = "") -> list[Stake]:
    """Return stakes of which each company's effective share is exactly 50 %, and one company below them."""
    share = 50 * PERCENT // (companies - 1)
    direct = 25 * PERCENT + (50 * PERCENT - share * (companies - 1)) // 2
    names = [f"{prefix}c{number}" for number in range(companies)]
    inside = [(holder, held, share) for holder in names for held in names if holder != held]
    pairs = [*inside, *(("CN", name, direct) for name in names), (names[0], f"{prefix}T", 100 * PERCENT)]
    return [Stake(f"{prefix}s{n}", holder, held, part, part) for n, (holder, held, part) in enumerate(pairs)]


@pytest.mark.parametrize(("bound", "most"), [("_MOST_OF_ONE", 100), ("_MOST_WORK", 10), ("_MOST_WORK", 700)])
def test_what_would_take_too_long_is_not_worked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    held = everyone_holds_everyone(11)
    names = sorted({party for stake in held for party in (stake.holder, stake.held)} | {"U"})
    held.append(Stake("u", "CN", "U", 60 * PERCENT, 60 * PERCENT))
    monkeypatch.setattr(exact, bound, most)
    found = snapshot_of(tmp_path, list(map(company, names)), held, Ask(CN, DAY))
    assert (found.verdicts("c0", DAY, CN), found.verdicts("T", DAY, CN)) == (None, None)
    assert found.verdicts("U", DAY, CN) == Verdicts("proved", "proved", "proved")
    assert found.verdicts("CN", DAY, CN) == Verdicts("refuted", "refuted", "refuted")
    counts = summary(found)["verdicts"]["effective"]
    assert counts == {"refuted": 1, "possible": 0, "proved": 1, "not_worked_out": 12}


def test_companies_that_hold_each_other_are_solved_where_that_does_not_take_long(tmp_path: Path) -> None:
    found = snapshot(tmp_path, everyone_holds_everyone(11))
    assert found.verdicts("T", DAY, CN) == Verdicts("refuted", "refuted", "refuted")


def test_one_end_of_a_band_that_decides_alone_does_not_need_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = iter([(False, True), (False, True)])

    def passes(network: Network, *_: object, least: bool) -> exact.Decided:
        passing, too_costly = next(ends)
        size = len(network.restricted)
        return exact.Decided(np.full(size, passing), np.full(size, too_costly and least))

    monkeypatch.setattr(readings, "effective_passes", passes)
    found = snapshot_of(tmp_path, [company("CN"), company("T")], stakes(["CN 60 -> T"]), Ask(CN, DAY))
    assert found.verdicts("T", DAY, CN) == Verdicts("proved", "refuted", "proved")


def test_single_owners_that_would_take_too_long_to_find_are_not_worked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = stakes(["CN1 60 -> A", "CN1 60 -> B", "A 30 -> T", "B 30 -> T", "CN2 60 -> U"])
    assert snapshot(tmp_path, held).verdicts("T", DAY, CN) == Verdicts("proved", "refuted", "proved")
    monkeypatch.setattr(single_owner, "_MOST_HOLDINGS", 3)
    names = sorted({party for stake in held for party in (stake.holder, stake.held)})
    found = snapshot_of(tmp_path, list(map(company, names)), held, Ask(CN, DAY))
    assert found.verdicts("T", DAY, CN) is None
    assert found.verdicts("U", DAY, CN) == Verdicts("proved", "proved", "proved")


def test_floats_that_approach_for_too_long_are_left_to_the_exact_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effective, "_MOST_STEPS", 10)
    snapshot(tmp_path, everyone_holds_everyone(5))
    monkeypatch.setattr(effective, "_MOST_STEPS", 0)
    monkeypatch.setattr(effective, "_right_side", lambda *_, **__: np.empty(0))
    snapshot(tmp_path, everyone_holds_everyone(5))


@pytest.mark.parametrize(
    ("least", "greatest", "verdict"),
    [
        ((True, False), (True, False), 2),
        ((True, False), (False, True), 2),
        ((False, True), (True, False), 3),
        ((False, True), (False, True), 3),
        ((False, True), (False, False), 0),
        ((False, False), (True, False), 1),
        ((False, False), (False, True), 3),
        ((False, False), (False, False), 0),
    ],
)
def test_a_verdict_takes_what_each_end_of_a_band_tells(
    least: tuple[bool, bool], greatest: tuple[bool, bool], verdict: int
) -> None:
    ends = [exact.Decided(*(np.array([part]) for part in end)) for end in (least, greatest)]
    assert readings._verdict(*ends).tolist() == [verdict]


def test_the_work_of_all_companies_together_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = everyone_holds_everyone(11, "a") + everyone_holds_everyone(11, "b")
    names = sorted({party for stake in groups for party in (stake.holder, stake.held)})
    monkeypatch.setattr(exact, "_MOST_WORK", 1_100)
    found = snapshot_of(tmp_path, list(map(company, names)), groups, Ask(CN, DAY))
    assert [found.verdicts(name, DAY, CN) is None for name in ("ac0", "bc0")] == [False, True]
