"""What an account's use costs, by day.

Costs are added, not joined: an event that its producer sends twice costs twice. The order does not matter.

What an account spent is kept as it is written: a JSON array of the format, then the latest day with a cost (epoch day),
what that day cost in micro-dollars, and the same of earlier days of the month, the latest first. Almost every event
changes one such text, and to find and read it costs less than five objects all over the memory.
"""

import re
from typing import Final

from stream_enforcer.domain.account_state import UnknownFormat

DAYS: Final = 30
"""A month, as costs are told: the thirty days that end with the account's latest use."""
FORMAT: Final = 1
Spent = bytes


BEGINS: Final = b"[%d," % FORMAT
"""What every cost of this format begins with."""


def spend(spent: Spent | None, day: int, micros: int) -> Spent:
    """Add the cost of one use to its own day; it counts for nothing where that is older than the month."""
    if spent is None:
        return b"[1,%d,%d]" % (day, micros)
    _, latest, rest = spent.split(b",", 2)
    newest = int(latest)
    if day == newest:  # most uses
        of_day, comma, earlier = rest.partition(b",")
        if comma:
            return b"[1,%b,%d,%b" % (latest, int(of_day) + micros, earlier)
        return b"[1,%b,%d]" % (latest, int(of_day[:-1]) + micros)
    if day > newest:
        return _since(day - DAYS, b"[1,%d,%d,%b,%b" % (day, micros, latest, rest))
    days = dict(_days(spent))
    days[day] = days.get(day, 0) + micros
    kept = sorted((one for one in days if one > newest - DAYS), reverse=True)
    return b"[1,%b]" % b",".join(b"%d,%d" % (one, days[one]) for one in kept)


def _since(end: int, spent: Spent) -> Spent:
    """Leave out days that are not later than a day; they stand at the end."""
    while True:
        rest, oldest, _ = spent.rsplit(b",", 2)
        if int(oldest) > end:
            return spent
        spent = rest + b"]"


def month(spent: Spent | None) -> int:
    """Return the cost of the month in micro-dollars."""
    return 0 if spent is None else sum(micros for _, micros in _days(spent))


def latest_day(spent: Spent) -> int:
    """Return the latest day with a cost, in epoch days."""
    return _days(spent)[0][0]


def _days(spent: Spent) -> list[tuple[int, int]]:
    try:
        numbers = [int(number) for number in spent[3:-1].split(b",")]
        return list(zip(numbers[::2], numbers[1::2], strict=True))
    except ValueError:
        raise UnknownFormat("a cost is not what its format says") from None


def checked(value: bytes) -> Spent:
    """Return a record's value, if it has the form that `spend` writes, looked at to the end.

    Raises:
        UnknownFormat: It is no such value. The text holds nothing of what it says.
    """
    if not _WRITTEN.fullmatch(value):
        raise UnknownFormat(f"this is no cost of format {FORMAT}, which this version reads")
    return value


_WRITTEN: Final = re.compile(rb"\[1(?:,(?:0|[1-9]\d{0,6}),(?:0|[1-9]\d{0,30}))+\]")
