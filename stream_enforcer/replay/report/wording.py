"""How a report writes numbers, money, times, and text that comes from registers and customers."""

import unicodedata
from datetime import datetime
from typing import Any, Final

import orjson

LONGEST: Final = 400
"""Characters of a text that are shown; event ids and account ids are shorter."""
_MINUS: Final = "\u2212"
_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_MICROS: Final = 1_000_000
_SCALES: Final = ((1_000_000_000, "B"), (1_000_000, "M"), (10_000, "k"))


def visible(text: str, longest: int = LONGEST) -> str:
    r"""Return the text with all that a reader can't see written out as \u{...}, and cut where it is too long.

    Marks of writing direction could make one account's id look like another's; a lone surrogate has no encoding.
    """
    cut = text if len(text) <= longest else text[:longest]
    if not cut.isprintable():
        cut = "".join(_shown(c) for c in cut)
    return cut if len(text) <= longest else f"{cut}\u2026 ({len(text):,} characters)"


def _shown(character: str) -> str:
    if unicodedata.category(character) in _UNSEEN:
        return f"\\u{{{ord(character):x}}}"
    return character


def told(value: Any) -> str:
    """Write the value of a fact, or of another field of JSON, in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return visible(", ".join(value)) or "none"
    if isinstance(value, str):
        return visible(value) or "none"
    if isinstance(value, int):
        return whole(value)
    return visible(orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode())


def whole(number: int) -> str:
    """Write a whole number: "12,345"."""
    return f"{number:,}".replace("-", _MINUS)


def change(old: int, new: int) -> str:
    """Write a difference with its sign: "+12"."""
    return f"+{whole(new - old)}" if new > old else whole(new - old)


def money(micros: int) -> str:
    """Write micro-dollars to the dollar, and less than a hundred of them to the cent: "$1,234", "$9.50"."""
    if 0 < micros < _MICROS // 100:
        return "< $0.01"
    dollars = micros / _MICROS
    return f"${dollars:,.2f}" if 0 < dollars < 100 else f"${dollars:,.0f}"


def short_money(micros: int) -> str:
    """Write micro-dollars in at most three digits: "$1.23 M"."""
    dollars = micros / _MICROS
    for scale, unit in _SCALES:
        if dollars >= scale:
            part = dollars / (1000 if unit == "k" else scale)
            decimals = 2 if part < 10 else 1 if part < 100 else 0
            number = f"{part:,.{decimals}f}"
            return f"${_trimmed(number)}\u00a0{unit}"
    return money(micros)


def percent(part: int, of: int) -> str:
    """Write a share of a whole in per cent, to two decimals."""
    if not of or not part:
        return "0\u00a0%"
    if part * 10_000 < of:
        return "<\u00a00.01\u00a0%"
    return _trimmed(f"{100 * part / of:.2f}") + "\u00a0%"


def _trimmed(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def milliseconds(instant: str, place: str) -> int:
    """Read a time of the result, as milliseconds since 1970.

    Raises:
        ValueError: It is not RFC 3339; the message names the place.
    """
    try:
        moment = datetime.fromisoformat(instant)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: {instant!r} is not an RFC 3339 time") from error
    if moment.tzinfo is None:
        raise ValueError(f"{place}: {instant!r} has no offset from UTC")
    return round(moment.timestamp() * 1000)


def day_of(instant: str | None) -> str:
    """Return the day of a time, or what to say where there is none."""
    return "no events" if instant is None else visible(instant[:10])
