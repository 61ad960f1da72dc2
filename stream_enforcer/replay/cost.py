"""What an account's usage costs, by day."""

from typing import Final

DAYS: Final = 30
"""A month, as costs are told: the account's last thirty days of use."""
_PRUNED_AT: Final = 2 * DAYS


class DailyCost:
    """Costs in micro-dollars, by day since 1970. Late usage counts on its own day; the order does not matter."""

    __slots__ = ("_days", "_newest")

    def __init__(self) -> None:
        self._days: dict[int, int] = {}
        self._newest = 0

    def add(self, day: int, micros: int) -> None:
        """Add the cost of one use."""
        self._newest = max(self._newest, day)
        self._days[day] = self._days.get(day, 0) + micros
        if len(self._days) > _PRUNED_AT:
            self._days = dict(self._last_days())

    def month(self) -> int:
        """Return the cost of the thirty days that end with the latest use."""
        return sum(micros for _, micros in self._last_days())

    def _last_days(self) -> list[tuple[int, int]]:
        return [(day, micros) for day, micros in self._days.items() if day > self._newest - DAYS]
