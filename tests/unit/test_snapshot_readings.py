"""The readings of all companies at once, on cases that take each of their ways."""

import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stream_enforcer.domain.ownership.graph import FULL, Entity, Identifiers, Stake
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import Claim, Resolver
from stream_enforcer.snapshot import columns, graph
from stream_enforcer.snapshot.building import Ask, build
from stream_enforcer.snapshot.graph import Snapshot, Verdicts
from stream_enforcer.snapshot.readings import effective, exact, single_owner
from stream_enforcer.snapshot.readings.network import Network, Shares
from tests.ownership_builders import CN, DAY, PERCENT, company, stakes
from tests.snapshot_builders import native, snapshot, snapshot_of

PROVED, REFUTED = "proved", "refuted"


@pytest.mark.parametrize(
    ("notation", "verdicts"),
    [
        (["CN 60 -> A", "A 60 -> T"], (PROVED, REFUTED, PROVED)),
        (["CN 50 -> T"], (REFUTED, REFUTED, REFUTED)),
        (["CN1 30 -> T", "CN2 25 -> T"], (PROVED, PROVED, REFUTED)),
        (["CN 51 -> H", "H 30 -> T", "CN 25 -> T"], (PROVED, REFUTED, PROVED)),
        (["CN 80 -> A", "CN 80 -> B", "A 30 -> T", "B 30 -> T"], (PROVED, REFUTED, PROVED)),
        (["CN 49 -> A", "A 100 -> T"], (REFUTED, REFUTED, REFUTED)),
        (["CN 100 -> A", "A 50 -> T"], (REFUTED, REFUTED, REFUTED)),
        (["CN 100 -> A", "A 50 -> T", "A 100 -> B", "B 1 -> T"], (PROVED, PROVED, PROVED)),
        (["CN 40 -> T", "T 60 -> T"], (REFUTED, PROVED, REFUTED)),
        (
            ["CN1 60 -> A", "CN1 10 -> CN2", "CN2 60 -> B", "B 30 -> T", "CN2 25 -> T"],
            (PROVED, REFUTED, PROVED),
        ),
        (["CN1 30 -> A", "CN2 30 -> A", "A 60 -> T"], (PROVED, REFUTED, REFUTED)),
        (["CN 90 -> A", "A 90 -> B", "B 90 -> A", "B 60 -> T"], (PROVED, PROVED, PROVED)),
    ],
)
def test_the_cases_that_tell_the_readings_apart(
    tmp_path: Path, notation: list[str], verdicts: tuple[str, ...]
) -> None:
    assert snapshot(tmp_path, stakes(notation)).verdicts("T", DAY, CN) == verdicts


def test_a_restricted_company_is_held_by_what_it_controls(tmp_path: Path) -> None:
    held = stakes(["CN 60 -> A", "A 30 -> CN", "CN 25 -> CN"])
    assert snapshot(tmp_path, held).verdicts("CN", DAY, CN) == Verdicts("proved", "refuted", "proved")


def test_a_long_ring_that_floats_approach_too_slowly_is_solved_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effective, "_ROUNDS", 20)
    alone: list[int] = []
    monkeypatch.setattr(exact.Chains, "alone", lambda _, one: alone.append(one))
    ring = [Stake(f"r{n}", f"c{n}", f"c{(n + 1) % 200}", 99 * PERCENT, 99 * PERCENT) for n in range(200)]
    into = [Stake(f"i{n}", f"CN{n % 3}", f"c{n}", PERCENT * 6 // 10, PERCENT * 6 // 10) for n in range(200)]
    held = [*ring, *into]
    found = snapshot_of(
        tmp_path,
        [company(f"c{n}") for n in range(200)] + [company(f"CN{n}") for n in range(3)],
        held,
        Ask(CN, DAY),
    )
    assert found.verdicts("c7", DAY, CN) == Verdicts("refuted", "proved", "refuted")
    assert alone == []


def test_what_passes_100_per_cent_on_the_way_counts_as_100(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effective, "_ROUNDS", 0)
    monkeypatch.setattr(exact, "_TOGETHER", 1)
    held = stakes(["CN1 100 -> A", "CN2 100 -> A", "A 60 -> B", "B 60 -> C", "C 100 -> T"])
    assert snapshot(tmp_path, held).verdicts("T", DAY, CN) == Verdicts("proved", "refuted", "proved")


@pytest.mark.parametrize("rounds", [2_000, 0])
@pytest.mark.parametrize(
    ("notation", "threshold", "verdict"),
    [
        (["CN 95 -> A", "A 52 -> T"], 49_400_000, "refuted"),
        (["CN 95 -> A", "A 52 -> T"], 49_399_999, "proved"),
        (["CN 100 -> A", "A 100 -> B", "B 100 -> C", "C 50 -> T"], 50_000_000, "refuted"),
        (["CN 100 -> A", "A 100 -> B", "B 100 -> C", "C 50 -> T"], 49_999_999, "proved"),
    ],
)
def test_a_share_of_exactly_the_threshold_does_not_pass_and_the_next_does(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    notation: list[str],
    threshold: int,
    verdict: str,
    rounds: int,
) -> None:
    monkeypatch.setattr(effective, "_ROUNDS", rounds)
    question = Question(frozenset({"CN"}), threshold)
    found = snapshot(tmp_path, stakes(notation), question).verdicts("T", DAY, question)
    assert found is not None
    assert found.effective == verdict


@pytest.mark.parametrize("threshold", [11_111_110, 11_111_111])
def test_a_share_that_is_no_whole_number_is_not_rounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threshold: int
) -> None:
    monkeypatch.setattr(effective, "_ROUNDS", 0)
    third, full = 33_333_333, 100 * PERCENT
    shares = [("CN", "A", third), ("A", "B", third), ("B", "C", full), ("C", "T", full)]
    held = [Stake(f"s{n}", holder, held, share, share) for n, (holder, held, share) in enumerate(shares)]
    snapshot(tmp_path, held, Question(frozenset({"CN"}), threshold))


def test_a_sum_that_outgrows_63_bits_is_a_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effective, "_ROUNDS", 0)
    held = stakes([*(f"CN 100 -> A{n}" for n in range(1_000)), *(f"A{n} 100 -> T" for n in range(1_000))])
    snapshot(tmp_path, held)


@pytest.mark.parametrize("seed", range(20))
def test_the_truth_lies_between_the_two_sums_of_floats(seed: int) -> None:
    draw = random.Random(seed)
    count = draw.choice([1, 3, 500])
    shares = np.array([draw.randrange(1, 100 * PERCENT) for _ in range(count)])
    value = np.array([0.0, *(draw.random() for _ in range(count))])
    start = np.array([0, count, *[count] * count])
    holders = np.arange(1, count + 1)
    both = Shares(shares, shares)
    net = Network(np.zeros(count + 1, bool), start, holders, start, holders, both, both)
    exactly = sum(
        Fraction(int(share)) * Fraction(float(v)) for share, v in zip(shares, value[1:], strict=True)
    )
    low, high = (
        float(effective._right_side(net, both, np.array([0]), value, up=up)[0]) for up in (False, True)
    )
    assert Fraction(low) < exactly / FULL < Fraction(high)
    assert high - low < 1e-12 * high * count


@pytest.mark.parametrize("rounds", [2_000, 3])
@pytest.mark.parametrize("seed", range(4))
def test_larger_worlds_have_the_verdicts_of_the_exact_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, rounds: int
) -> None:
    monkeypatch.setattr(effective, "_ROUNDS", rounds)
    draw = random.Random(seed)
    names = [("CN" if draw.random() < 0.2 else "c") + str(n) for n in range(60)]
    held = []
    for number in range(100):
        least, greatest = sorted(draw.choice([10, 25, 49, 50, 51, 60, 100]) * PERCENT for _ in range(2))
        least = greatest if draw.random() < 0.6 else least
        held.append(Stake(f"s{number}", draw.choice(names), draw.choice(names), least, greatest))
    snapshot(tmp_path, held, Question(frozenset({"CN"}), draw.choice([25, 50, 75]) * PERCENT))


def test_nobody_is_searched_where_majorities_tell_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(*_: object) -> None:
        raise AssertionError("a search")

    monkeypatch.setattr(single_owner, "_search", search)
    snapshot(tmp_path, stakes(["CN 60 -> A", "A 60 -> B", "B 60 -> T", "T 51 -> X"]))


HOME = Entity("a", "ACME Ltd", "company", "GB", "IE", ("Acme Group",), Identifiers("LEI1", "7", "a.example"))


@pytest.mark.parametrize(
    ("claim", "match"),
    [
        (Claim(name="acme", country="GB"), ("name", 100)),
        (Claim(name="acme", country="IE"), ("name", 100)),
        (Claim(name="acme group"), ("name", 95)),
        (Claim(name="acme", country="US"), None),
        (Claim(registration_number="7", registration_country="GB"), ("identifier", 100)),
        (Claim(registration_number="7", registration_country="IE"), None),
        (Claim(lei="lei1"), ("identifier", 100)),
        (Claim(domain="www.a.example"), ("identifier", 100)),
    ],
)
def test_a_claim_finds_an_entity_by_each_of_its_names_and_countries(
    tmp_path: Path, claim: Claim, match: tuple[str, int] | None
) -> None:
    found = Resolver.build(snapshot_of(tmp_path, [HOME, company("b")], []).graph).resolve(claim)
    assert (found and (found.kind, found.score)) == match


def test_keys_whose_hashes_meet_are_told_apart_by_their_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (columns, graph):
        monkeypatch.setattr(module, "digest_of_key", lambda _: bytes(16))
    resolver = Resolver.build(snapshot_of(tmp_path, [HOME, company("b")], []).graph)
    found = [Claim(lei="LEI1"), Claim(name="acme", country="GB"), Claim(name="b works", country="GB")]
    assert [match and match.entity for match in map(resolver.resolve, found)] == ["a", "a", None]
    assert resolver.resolve(Claim(lei="LEI2")) is None


def test_nothing_is_found_by_what_a_replaced_record_said(tmp_path: Path) -> None:
    source = tmp_path / "o.jsonl"
    renamed = Entity("a", "New", "company", "FR", identifiers=Identifiers("LEI2"))
    heir = Entity("b", "B", "company", "GB", identifiers=Identifiers(domain="a.example"))
    source.write_text(native([HOME, heir, renamed], []), encoding="utf-8")
    build([source], tmp_path / "s")
    resolver = Resolver.build(Snapshot(tmp_path / "s").graph)
    old = [
        Claim(name="acme", country="GB"),
        Claim(lei="LEI1"),
        Claim(name="acme group"),
    ]
    assert [resolver.resolve(claim) for claim in old] == [None] * 3
    new = [Claim(name="new", country="FR"), Claim(lei="LEI2"), Claim(domain="a.example")]
    assert [match and match.entity for match in map(resolver.resolve, new)] == ["a", "a", "b"]
