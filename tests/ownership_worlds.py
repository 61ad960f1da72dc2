"""Random ownership questions from a seed: small graphs with all that real registers contain."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stream_enforcer.domain.ownership.graph import FULL, Entity, EntityType, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.question import Question

TODAY: Final = "2026-05-01"
_BEFORE, _AFTER = "2020-01-01", "2030-01-01"
_PERIODS: Final = [
    *[(None, None)] * 24,
    (_BEFORE, _AFTER),
    (TODAY, None),
    (None, TODAY),
    (_AFTER, None),
    (_BEFORE, "2026-04-30"),
    (None, "2026-05-02"),
]
_COUNTRIES: Final = ["CN", "CN", "CN", "RU", "GB", "GB", "US", None]
_SHARES: Final = [0, 1, 5, 10, 20, 25, 30, 33, 40, 49, 50, 51, 60, 67, 75, 90, 100]
_THRESHOLDS: Final = [50, 50, 50, 50, 25, 40, 75, 10, 100, 0]


@dataclass(frozen=True, slots=True)
class Case:
    """A graph and what is asked of it.

    Attributes:
        entities: All that have a record; the company asked about is among them.
        stakes: Their holders and companies need not have one.
        company: Id of the company asked about.
    """

    entities: tuple[Entity, ...]
    stakes: tuple[Stake, ...]
    company: str
    question: Question

    @property
    def graph(self) -> OwnershipGraph:
        """Return the graph."""
        return OwnershipGraph.build(self.entities, self.stakes, hash="h")


def cases(seed: int, number: int) -> Iterator[Case]:
    """Draw cases; the same seed gives the same ones."""
    draw = random.Random(seed)
    return (_case(draw) for _ in range(number))


def _case(draw: random.Random) -> Case:
    ids = [f"e{n}" for n in range(draw.randint(3, 12))]
    layered = draw.random() < 0.5
    records = [_entity(draw, name, layered and 2 * place < len(ids)) for place, name in enumerate(ids)]
    entities = tuple(record for record in records if record.id == "e0" or draw.random() < 0.95)
    question = _question(draw, ids)
    stakes = _stakes(draw, ids, question.threshold, reach=3 if layered else len(ids))
    return Case(entities, tuple(stakes), "e0", question)


def _entity(draw: random.Random, name: str, between: bool) -> Entity:
    kind: EntityType = "company"
    if between and draw.random() < 0.8:
        return Entity(name, name, kind, "GB")
    if draw.random() < 0.25:
        kind = draw.choice(("unknown", "state", "person"))
    headquarters = draw.choice(_COUNTRIES) if draw.random() < 0.3 else None
    return Entity(name, name, kind, draw.choice(_COUNTRIES), headquarters)


def _question(draw: random.Random, ids: list[str]) -> Question:
    percent = draw.choice(_THRESHOLDS)
    exceptions = draw.sample(ids, draw.choice([0, 0, 1, 2]))
    restricted = draw.choice([{"CN"}, {"CN", "RU"}])
    return Question(
        frozenset(restricted),
        percent * FULL // 100,
        strict=percent == 0 or draw.random() < 0.7,
        exceptions=frozenset(exceptions),
    )


def _stakes(draw: random.Random, ids: list[str], threshold: int, reach: int) -> list[Stake]:
    """Draw stakes that lead to the first company; most of the graphs leave nobody more than 100 %.

    A holder stands up to `reach` places after what it holds, and sometimes anywhere, so that there are rings.
    """
    consistent, exact = draw.random() < 0.7, draw.random() < 0.4
    left: defaultdict[str, int] = defaultdict(lambda: FULL)
    found = []
    for number in range(draw.randint(len(ids), 2 * len(ids))):
        place = min(draw.randrange(len(ids)) for _ in range(2))
        above = ids[place + 1 : place + 1 + reach] if draw.random() < 0.8 else ids
        holder, held = draw.choice(above or ids), ids[place]
        least, greatest = _band(draw, threshold, exact=exact)
        if consistent:
            greatest = min(greatest, left[held])
            least = min(least, greatest)
            left[held] -= greatest
        since, until = draw.choice(_PERIODS)
        found.append(Stake(f"s{number}", holder, held, least, greatest, since, until))
    return found


def _band(draw: random.Random, threshold: int, *, exact: bool) -> tuple[int, int]:
    ends = sorted((_share(draw, threshold), _share(draw, threshold)))
    least = draw.choice(ends)
    return (least, least) if exact or draw.random() < 0.5 else (ends[0], ends[1])


def _share(draw: random.Random, threshold: int) -> int:
    """Draw a share; often one that is the threshold, or a millionth beside it, or a half of it."""
    near = [threshold, threshold, threshold + 1, threshold - 1, threshold // 2, threshold - threshold // 2]
    share = draw.choice(near) if draw.random() < 0.4 else draw.choice(_SHARES) * FULL // 100
    return min(max(share, 0), FULL)
