"""Limits on what a policy may change, for those who let a policy in only if it keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MICROS: Decimal = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Gates:
    """Limits; None where there is none.

    Attributes:
        max_new_suspensions: Accounts that only the new side suspends.
        max_cost: What those cost in a month, in dollars.
        max_percent: Their share of all accounts, in per cent.
    """

    max_new_suspensions: int | None = None
    max_cost: Decimal | None = None
    max_percent: Decimal | None = None

    def judge(self, counts: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return each limit with its value, and whether it is kept; exact, and equal is kept.

        Args:
            counts: The counts of a summary.
        """
        totals, accounts = counts["totals"], counts["accounts"]
        added = totals["new_suspensions"]
        values = (
            ("max_new_suspensions", self.max_new_suspensions, Decimal(added)),
            ("max_cost", self.max_cost, totals["cost_at_stake_usd_micros_per_month"] / MICROS),
            ("max_percent", self.max_percent, Decimal(100 * added) / accounts if accounts else Decimal(0)),
        )
        return [
            {"name": name, "limit": _text(limit), "value": _text(value), "passed": value <= limit}
            for name, limit, value in values
            if limit is not None
        ]


def _text(number: Decimal | int) -> str:
    """Write a number with six decimals at most, and no more than it needs."""
    return f"{Decimal(number).quantize(Decimal('0.000001')).normalize():f}"
