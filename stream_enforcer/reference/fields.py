"""Typed fields of one record of a reference file; every error names the file, the line and the field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from stream_enforcer.reference.country_names import COUNTRIES
from stream_enforcer.reference.errors import BadReference

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Fields:
    """One record and where it stands. Empty text counts as absent, as in CSV."""

    record: Mapping[str, Any]
    path: str
    line: int | None
    prefix: str = ""

    def fault(self, name: str, message: str) -> BadReference:
        """Return the error that blames a field."""
        return BadReference(self.path, message, line=self.line, field=f"{self.prefix}{name}")

    def text(self, name: str) -> str | None:
        """Return a text, trimmed, or None."""
        value = self.record.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.fault(name, f"{value!r} is not text")
        return value.strip() or None

    def required(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.text(name)
        if value is None:
            raise self.fault(name, "is missing")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, or nothing."""
        values = self.record.get(name) or []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.fault(name, f"{values!r} is not a list of texts")
        return tuple(value.strip() for value in values if value.strip())

    def parts(self, name: str) -> tuple["Fields", ...]:
        """Return a list of objects as fields of their own, or nothing."""
        values = self.record.get(name) or []
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.fault(name, f"{values!r} is not a list of objects")
        return tuple(
            Fields(value, self.path, self.line, f"{self.prefix}{name}[{place}].")
            for place, value in enumerate(values)
        )

    def part(self, name: str) -> "Fields":
        """Return an object as fields of its own; absent is empty."""
        value = self.record.get(name) or {}
        if not isinstance(value, dict):
            raise self.fault(name, f"{value!r} is not an object")
        return Fields(value, self.path, self.line, f"{self.prefix}{name}.")

    def country(self, name: str) -> str | None:
        """Return an ISO 3166-1 alpha-2 code, upper-cased, or None."""
        value = self.text(name)
        if value is not None and value.upper() not in COUNTRIES:
            raise self.fault(name, f"{value!r} is not a country code of ISO 3166-1")
        return value and value.upper()

    def day(self, name: str) -> str | None:
        """Return an ISO day, or None."""
        value = self.text(name)
        if value is None:
            return None
        if not is_day(value):
            raise self.fault(name, f"{value!r} is not a day such as 2024-06-30")
        return value

    def share(self, name: str) -> int | None:
        """Return a share given in per cent as millionths of a percent, exactly, or None."""
        value = self.record.get(name)
        if value is None or value == "":
            return None
        try:
            return millionths(value)
        except ValueError as error:
            raise self.fault(name, str(error)) from None


def is_day(value: str) -> bool:
    """Tell whether a text is a day of the calendar in the form 2024-06-30."""
    if not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def millionths(value: object) -> int:
    """Turn per cent, an integer, decimal or text, into millionths of a percent without rounding.

    Raises:
        ValueError: Not a number, not within 0..100, or finer than six decimals.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError(f"{value!r} is not a number of per cent")  # noqa: TRY004 - one kind for a bad value
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number of per cent") from None
    if not number.is_finite() or not 0 <= number <= 100:
        raise ValueError(f"{value} is not within 0 to 100 per cent")
    return _scaled(number)


def _scaled(number: Decimal) -> int:
    """Move the point by six places, on the digits themselves: decimal arithmetic would round a long number."""
    _, digits, exponent = number.as_tuple()
    places = int(exponent) + 6
    figures = "".join(map(str, digits))
    cut = len(figures) + min(0, places)
    if figures.strip("0") and (cut <= 0 or figures[cut:].strip("0")):
        raise ValueError(f"{number} has more than six decimals")
    return int((figures[: max(0, cut)] or "0") + "0" * max(0, min(places, 8)))
