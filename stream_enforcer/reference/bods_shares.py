"""The shares in a BODS relationship: which interests are ownership, their bands and their days."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Any, Final

from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.reference.fields import is_day

# Shares first; a partnership has no shares, and what its members own is the right to its surplus assets. The
# two are never added: they are the same ownership, said twice.
_OWNERSHIP: Final = ("shareholding", "rightstosurplusassetsondissolution")
_DATE: Final = re.compile(r"(\d{4})(-\d{2})?(-\d{2})?(T.*)?")


class SkippedError(ValueError):
    """Says why a record is not used."""


@dataclass(frozen=True, slots=True)
class Interest:
    """An ownership interest: a band in millionths of a percent, its days, and whether it is indirect."""

    min: int
    max: int
    since: str | None
    until: str | None
    indirect: bool


def interests_of(details: Mapping[str, Any]) -> list[Interest]:
    """Return the ownership interests of a relationship.

    Interests whose level is unknown count as direct.

    Raises:
        SkippedError: A share or a date of one of them can't be read.
    """
    interests = [item for item in _list(details.get("interests")) if isinstance(item, dict)]
    for kind in _OWNERSHIP:
        chosen = [item for item in interests if _folded(item.get("type")) == kind]
        if chosen:
            return [_interest(item) for item in chosen]
    return []


def _folded(kind: object) -> str:
    """Fold the spellings of a code: "voting-rights" in 0.2 is "votingRights" in 0.4."""
    return str(kind).replace("-", "").casefold()


def _interest(item: Mapping[str, Any]) -> Interest:
    least, greatest = _band(item.get("share"))
    since, until = (_day(item.get(key)) for key in ("startDate", "endDate"))
    if since is not None and until is not None and until < since:
        raise SkippedError("interest that ends before it begins")
    level = item.get("directOrIndirect") or item.get("interestLevel")
    return Interest(least, greatest, since, until, indirect=level == "indirect")


def _band(share: object) -> tuple[int, int]:
    """Return the band of a share object; what is missing is open.

    An exclusive bound moves inwards by one millionth of a percent. In versions before 0.4 exclusive bounds are
    flags, not numbers.
    """
    given = share if isinstance(share, dict) else {}
    exact = number_of(given.get("exact"))
    if exact is not None:
        return scaled(exact, up=False), scaled(exact, up=True)
    lows = [_bound(given, "minimum", up=False), _bound(given, "exclusiveMinimum", up=False, move=1)]
    highs = [_bound(given, "maximum", up=True), _bound(given, "exclusiveMaximum", up=True, move=-1)]
    least = max((low for low in lows if low is not None), default=0)
    greatest = min((high for high in highs if high is not None), default=FULL)
    if least > greatest:
        raise SkippedError("share with a minimum over its maximum")
    return least, greatest


def _bound(share: Mapping[str, Any], name: str, *, up: bool, move: int = 0) -> int | None:
    value = share.get(name)
    number = None if isinstance(value, bool) else number_of(value)
    return None if number is None else min(FULL, max(0, scaled(number, up=up) + move))


def number_of(value: object) -> Decimal | None:
    """Return a share in per cent, which may be text; empty is none.

    Raises:
        SkippedError: It is not a number, or not within 0 to 100.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = Decimal(value.strip() if isinstance(value, str) else str(value))
    except InvalidOperation:
        raise SkippedError("share that is not a number") from None
    if not number.is_finite() or not 0 <= number <= 100:
        raise SkippedError("share that is not within 0 to 100 per cent")
    return number


def scaled(per_cent: Decimal, *, up: bool) -> int:
    """Turn per cent into millionths of a percent; finer decimals are rounded outwards."""
    context = Context(rounding=ROUND_CEILING if up else ROUND_FLOOR)
    return int(context.multiply(per_cent, Decimal(1_000_000)).to_integral_value(context=context))


def _day(value: object) -> str | None:
    if value is None or value == "":
        return None
    day = day_of(value)
    if day is None:
        raise SkippedError("date that can't be read")
    return day


def day_of(value: object) -> str | None:
    """Return the ISO day of a date or a time; a year or month alone means its first day."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    day = f"{found[1]}{found[2] or '-01'}{found[3] or '-01'}"
    return day if is_day(day) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
