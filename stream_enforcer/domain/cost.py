"""What an account's use costs, by day.

Costs are added, not joined: an event that its producer sends twice costs twice. The order does not matter.
"""

import re
from typing import Final, NamedTuple

from stream_enforcer.domain.account_state import UnknownFormat

DAYS: Final = 30
"""A month, as costs are told: the thirty days that end with the account's latest use."""
FORMAT: Final = 1


class Spent(NamedTuple):
    """What an account spent.

    Attributes:
        day: The latest day with a cost, in epoch days.
        micros: What that day cost, in micro-dollars.
        before: The earlier days of the month with their costs, the latest first, as they are written: most uses
            fall on the latest day, and a text takes a tenth of the memory of numbers.
    """

    day: int
    micros: int
    before: bytes = b""


def spend(spent: Spent | None, day: int, micros: int) -> Spent:
    """Add the cost of one use to its own day; it counts for nothing where that is older than the month."""
    if spent is None:
        return Spent(day, micros)
    latest, so_far, before = spent
    if day == latest:
        # Most uses come here; the constructor of a named tuple would take twice the time.
        return tuple.__new__(Spent, (day, so_far + micros, before))
    days = dict(_days(spent))
    days[day] = days.get(day, 0) + micros
    newest = max(days)
    earlier = sorted((one for one in days if newest - DAYS < one < newest), reverse=True)
    return Spent(newest, days[newest], b"".join(b",%d,%d" % (one, days[one]) for one in earlier))


def month(spent: Spent | None) -> int:
    """Return the cost of the month in micro-dollars."""
    return 0 if spent is None else sum(micros for _, micros in _days(spent))


def _days(spent: Spent) -> list[tuple[int, int]]:
    numbers = [int(number) for number in spent.before.split(b",")[1:]]
    return [(spent.day, spent.micros), *zip(numbers[::2], numbers[1::2], strict=True)]


def encode(spent: Spent) -> bytes:
    """Encode it for the changelog: a JSON array of the format, then days and costs, the latest day first."""
    return b"[1,%d,%d%b]" % spent


def decode(value: bytes) -> Spent:
    """Decode what `encode` wrote.

    Raises:
        UnknownFormat: It is no such value. The text holds nothing of what it says.
    """
    found = _WRITTEN.fullmatch(value)
    if found is None:
        raise UnknownFormat(f"this is no cost of format {FORMAT}, which this version reads")
    spent = Spent(int(found[1]), int(found[2]), found[3])
    days = [day for day, _ in _days(spent)]
    if days != sorted(set(days), reverse=True) or days[-1] <= days[0] - DAYS:
        raise UnknownFormat("the days of a cost are not those of one month, the latest first")
    return spent


_NUMBERS: Final = rb"(0|[1-9]\d{0,6}),(0|[1-9]\d{0,30})"
_WRITTEN: Final = re.compile(rb"\[1,%b((?:,(?:0|[1-9]\d{0,6}),(?:0|[1-9]\d{0,30}))*)\]" % _NUMBERS)
