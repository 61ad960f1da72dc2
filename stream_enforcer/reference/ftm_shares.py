"""The share of a FollowTheMoney ownership, which is free text."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.reference.bods_shares import SkippedError, number_of, scaled

_NUMBER: Final = r"(-?\d{1,15}(?:[.,]\d{1,15})?)"
_EXACT: Final = re.compile(rf"{_NUMBER}\s*(%?)")
_RANGE: Final = re.compile(rf"{_NUMBER}\s*%?\s*(?:-|\u2013|\bto\b)\s*{_NUMBER}\s*%?")
_BOUND: Final = re.compile(rf"(>=|<=|>|<|\u2265|\u2264)\s*{_NUMBER}\s*%?")


class Band(NamedTuple):
    """A band in millionths of a percent, and whether it covers both readings of a number below 1."""

    min: int
    max: int
    fraction: bool = False


def band_of(texts: Sequence[str]) -> Band:
    """Return the band that covers all values of a property; none at all is unknown.

    The text names no unit: a number between 0 and 1 without a percent sign may be per cent or a fraction of 1, so its
    band reaches from the one to the other.

    Raises:
        SkippedError: A value is not a share, or not within 0 to 100 per cent.
    """
    bands = [_band(text.strip()) for text in texts]
    if not bands:
        return Band(0, FULL)
    return Band(
        min(band.min for band in bands), max(band.max for band in bands), any(band.fraction for band in bands)
    )


def _band(text: str) -> Band:
    if exact := _EXACT.fullmatch(text):
        number = _share(exact[1])
        if 0 < number < 1 and not exact[2]:
            return Band(scaled(number, up=False), scaled(number * 100, up=True), fraction=True)
        return Band(scaled(number, up=False), scaled(number, up=True))
    if limits := _RANGE.fullmatch(text):
        least, greatest = _share(limits[1]), _share(limits[2])
        if least > greatest:
            raise SkippedError("share with a minimum over its maximum")
        return Band(scaled(least, up=False), scaled(greatest, up=True))
    if bound := _BOUND.fullmatch(text):
        return _bounded(bound[1], _share(bound[2]))
    raise SkippedError("share that is not a number")


def _bounded(sign: str, number: Decimal) -> Band:
    """Return the band on one side of a number; one that excludes it begins a millionth of a percent further."""
    if sign in {">", ">=", "\u2265"}:
        return Band(min(FULL, scaled(number, up=False) + (sign == ">")), FULL)
    return Band(0, max(0, scaled(number, up=True) - (sign == "<")))


def _share(text: str) -> Decimal:
    number = number_of(text.replace(",", "."))
    if number is None:
        raise SkippedError("share that is not a number")
    return number
