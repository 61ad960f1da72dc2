"""How much room text takes, estimated: what draws the picture later has fonts of its own."""

from typing import Final
from unicodedata import combining, east_asian_width

_NARROW: Final = frozenset("iljtfrI.,:;'|!()[]{} -\u00b7")
_WIDE: Final = frozenset("mwMW@%\u2026\u2014")


def width(text: str, size: float) -> float:
    """Estimate the width of a line in a common sans-serif font, in the unit of the font's size; rather too much."""
    return size * sum(map(_em, text))


def _em(character: str) -> float:
    if combining(character):
        return 0.0
    if east_asian_width(character) in "WF":
        return 1.05
    if character in _NARROW:
        return 0.38
    if character in _WIDE:
        return 0.98
    return 0.72 if character.isupper() else 0.6


def shortened(text: str, size: float, room: float) -> str:
    """Return text that fits, with an ellipsis where something was cut off."""
    if width(text, size) <= room:
        return text
    used, kept = width("\u2026", size), 0
    for character in text:
        used += width(character, size)
        if used > room:
            break
        kept += 1
    return text[:kept].rstrip() + "\u2026"


def wrapped(text: str, size: float, room: float, most: int) -> list[str]:
    """Break text at blanks into at most so many lines that fit; the last is shortened."""
    lines: list[str] = []
    words = text.split(" ")
    while words and len(lines) < most - 1:
        count = 1
        while count < len(words) and width(" ".join(words[: count + 1]), size) <= room:
            count += 1
        lines.append(shortened(" ".join(words[:count]), size, room))
        words = words[count:]
    return [*lines, shortened(" ".join(words), size, room)] if words else lines
