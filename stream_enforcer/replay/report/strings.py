"""What repeats in a report, each kept once."""

from collections.abc import Hashable
from typing import Any, Final

from stream_enforcer.replay.report.wording import visible

NONE: Final = -1
"""The place of what there is none of."""


class Distinct:
    """Different values, in the order in which they came."""

    def __init__(self) -> None:
        self._places: dict[Hashable, int] = {}

    def place(self, value: Hashable) -> int:
        """Return where a value stands, from 0."""
        return self._places.setdefault(value, len(self._places))

    @property
    def items(self) -> list[Any]:
        """Return the values."""
        return list(self._places)


class Strings:
    """Different texts, made fit to be shown; those that differ keep places of their own."""

    def __init__(self) -> None:
        self._texts = Distinct()

    def place(self, text: str | None) -> int:
        """Return where a text stands, or NONE."""
        return NONE if text is None else self._texts.place(text)

    @property
    def items(self) -> list[str]:
        """Return the texts, fit to be shown."""
        return [visible(text) for text in self._texts.items]
