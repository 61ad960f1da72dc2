"""What an account's usage costs, by day."""

from collections.abc import Mapping
from typing import Final, Self

DAYS: Final = 30
"""A month, as costs are told: the account's last thirty days of use."""
_PRUNED_AT: Final = 2 * DAYS


class DailyCost:
    """Costs in micro-dollars, by day since 1970. Late usage counts on its own day; the order does not matter."""

    __slots__ = ("_day", "_days", "_micros")

    def __init__(self) -> None:
        self._days: dict[int, int] = {}
        self._day = 0
        self._micros = 0

    @classmethod
    def of(cls, days: Mapping[int, int]) -> Self:
        """Go on from what `days` returned."""
        cost = cls()
        cost._days = dict(days)
        return cost

    def days(self) -> dict[int, int]:
        """Return the cost of each day that may still count."""
        self._put_away()
        self._micros = 0
        return dict(self._days)

    def add(self, day: int, micros: int) -> None:
        """Add the cost of one use."""
        if day != self._day:  # most uses follow one of the same day
            self._put_away()
            self._day, self._micros = day, 0
        self._micros += micros

    def month(self) -> int:
        """Return the cost of the thirty days that end with the latest use."""
        self.days()
        return sum(self._last_days().values())

    def _put_away(self) -> None:
        self._days[self._day] = self._days.get(self._day, 0) + self._micros
        if len(self._days) > _PRUNED_AT:
            self._days = self._last_days()

    def _last_days(self) -> dict[int, int]:
        newest = max(self._days)
        return {day: micros for day, micros in self._days.items() if day > newest - DAYS}
