"""One holding that several publications state: on each day, the stakes of one of them count.

Adding them up would make 120 % of 60 % that a company register and an LEI parent both report. The publication with the
narrower band knows more; of equally narrow ones the later statement counts, then the one that is believed first.
Where there are more than 1,000 stakes of one holder in one company, the publication that is believed first speaks.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from stream_enforcer.domain.ownership.graph import FULL

ALWAYS: Final = 0
"""The beginning of a stake that has none."""
NEVER: Final = 1 << 24
"""The end of a stake that has none; after every day."""

_MOST: Final = 1_000
"""The work grows with the square of the stakes."""

Days = tuple[int, int]
"""From a day's number to before another's."""


class Told(NamedTuple):
    """A stake of one holder in one company, as a publication states it.

    Attributes:
        publication: Its rank, see `identity`.
        days: When it is held.
    """

    publication: int
    min: int
    max: int
    days: Days


class Heard(NamedTuple):
    """What counts of several stakes.

    Attributes:
        days: Of each stake, the days on which it counts: all of its own, fewer, or none. In order, apart.
        disagree: Whether there is a day on which two publications exclude each other.
    """

    days: list[list[Days]]
    disagree: bool


def heard(told: Sequence[Told]) -> Heard:
    """Find out which stakes of one holder in one company count, and when.

    Args:
        told: All of them. Those of one publication are summed, as always.
    """
    if len(told) > _MOST:
        first = min(one.publication for one in told)
        return Heard([[one.days] if one.publication == first else [] for one in told], disagree=True)
    counting: list[list[Days]] = [[] for _ in told]
    disagree = False
    cuts = sorted({day for one in told for day in one.days})
    for since, until in pairwise(cuts):
        held = [place for place, one in enumerate(told) if one.days[0] <= since and until <= one.days[1]]
        bands = _bands([told[place] for place in held])
        disagree = disagree or _exclude(list(bands.values()))
        chosen = _chosen(bands)
        for place in held:
            if told[place].publication == chosen:
                _add(counting[place], (since, until))
    return Heard(counting, disagree)


class _Band(NamedTuple):
    """The sum of a publication's stakes on a day, and when the latest of them began."""

    min: int
    max: int
    since: int


def _bands(held: Sequence[Told]) -> dict[int, _Band]:
    bands: dict[int, _Band] = {}
    for one in held:
        least, greatest, since = bands.get(one.publication, _Band(0, 0, ALWAYS))
        bands[one.publication] = _Band(least + one.min, greatest + one.max, max(since, one.days[0]))
    return bands


def _exclude(bands: Sequence[_Band]) -> bool:
    """Tell whether no share is in all bands; sums over 100 % are 100 %."""
    least = max((min(band.min, FULL) for band in bands), default=0)
    return any(min(band.max, FULL) < least for band in bands)


def _chosen(bands: dict[int, _Band]) -> int | None:
    def weight(publication: int) -> tuple[int, int, int]:
        band = bands[publication]
        return band.max - band.min, -band.since, publication

    return min(bands, key=weight, default=None)


def _add(days: list[Days], more: Days) -> None:
    if days and days[-1][1] == more[0]:
        days[-1] = (days[-1][0], more[1])
    else:
        days.append(more)
