"""How well names of organisations are told apart, against a plain ratio of letters, and how fast; `make bench-names`.

The labelled pairs are `name_bench.csv` in the folder that STREAM_ENFORCER_SHARED_DATA names: all that are not of
persons.
"""

import argparse
import csv
import os
import random
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from rapidfuzz import fuzz

from benchmarks.service import machine
from stream_enforcer.domain.ownership.likeness import FoldedName, compare
from stream_enforcer.domain.ownership.names import name_keys
from stream_enforcer.domain.ownership.resolve import NAME_SCORE_AT_LEAST

RECALLS: Final = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
_WORDS: Final = ["north", "star", "blue", "river", "trade", "capital", "global", "energy", "pacific", "union"]

Score = Callable[[str, str], float]


class Pair(NamedTuple):
    """Two names, and whether whoever labelled them means the same by both."""

    one: str
    other: str
    same: bool


class Found(NamedTuple):
    """What taking all pairs from a score on finds."""

    score: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def organization_pairs(shared: Path) -> list[Pair]:
    """Read the labelled pairs that are not of persons.

    Raises:
        OSError: They can't be read.
    """
    with (shared / "name_bench.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["schema"] != "Person"]
    return [Pair(row["name1"], row["name2"], row["is_match"] == "true") for row in rows]


def likeness(one: str, other: str) -> float:
    """Score as the project does."""
    return compare(FoldedName.of(one), FoldedName.of(other)).score


def likeness_by_key(one: str, other: str) -> float:
    """Score as a resolver can: nothing for names that share no key."""
    return likeness(one, other) if set(name_keys(one)) & set(name_keys(other)) else -1


def found_from(pairs: Sequence[Pair], score: Score, least: float) -> Found:
    """Return what is found at one score."""
    taken = [pair.same for pair in pairs if score(pair.one, pair.other) >= least]
    right = sum(taken)
    return Found(least, right / len(taken) if taken else 1.0, right / sum(pair.same for pair in pairs))


def curve(pairs: Sequence[Pair], score: Score) -> list[Found]:
    """Return what is found at each score that a pair has."""
    scores = sorted({score(pair.one, pair.other) for pair in pairs})
    return [found_from(pairs, score, least) for least in scores if least >= 0]


def best_at(found: Iterable[Found], recall: float) -> Found | None:
    """Return the most precise of what finds at least so much."""
    return max((f for f in found if f.recall >= recall), key=lambda f: f.precision, default=None)


def _shown(found: Found | None) -> str:
    return f"{found.precision:.3f} (from {found.score:5.1f})" if found else "not reached"


def _quality(pairs: Sequence[Pair]) -> None:
    ours, plain, by_key = (curve(pairs, score) for score in (likeness, fuzz.ratio, likeness_by_key))
    print(f"{len(pairs)} pairs, {sum(pair.same for pair in pairs)} of them the same")
    print(f"{'recall at least':<18}{'precision, ours':<24}{'fuzz.ratio':<24}{'ours, by shared key':<24}")
    for recall in RECALLS:
        row = [_shown(best_at(found, recall)) for found in (ours, plain, by_key)]
        print(f"{recall:<18}" + "".join(f"{cell:<24}" for cell in row))
    for name, found in {"ours": ours, "fuzz.ratio": plain}.items():
        best = max(found, key=lambda f: f.f1)
        print(
            f"{name}, best F1: {best.f1:.3f} from {best.score:.1f}: {best.precision:.3f}, {best.recall:.3f}"
        )
    default = found_from(pairs, likeness, NAME_SCORE_AT_LEAST)
    print(f"at the default of {NAME_SCORE_AT_LEAST}: {default.precision:.3f}, {default.recall:.3f}")
    default = found_from(pairs, likeness_by_key, NAME_SCORE_AT_LEAST)
    print(f"the same by shared key: {default.precision:.3f}, {default.recall:.3f}")


def _speed(names: int) -> None:
    draw = random.Random(1)
    made = [f"{draw.choice(_WORDS)} {draw.choice(_WORDS)} {draw.randrange(names)} Ltd" for _ in range(names)]
    cyrillic = [
        f"\u041e\u041e\u041e \u00ab\u0420\u043e\u0433\u0430 {draw.randrange(names)}\u00bb"
        for _ in range(names // 10)
    ]
    for kind, some in {"plain": made, "Cyrillic": cyrillic}.items():
        began = time.process_time()
        keys = sum(len(name_keys(name)) for name in some)
        spent = time.process_time() - began
        print(
            f"keys of {kind} names: {spent / len(some) * 1e6:.1f} us of CPU each, {keys / len(some):.1f} keys"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=200_000, help="how many names to make keys of")
    arguments = parser.parse_args()
    print(machine())
    shared = os.environ.get("STREAM_ENFORCER_SHARED_DATA")
    if shared is None:
        print("STREAM_ENFORCER_SHARED_DATA is not set: no labelled pairs")
    else:
        _quality(organization_pairs(Path(shared)))
    _speed(arguments.names)


if __name__ == "__main__":
    main()
