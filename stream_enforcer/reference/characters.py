"""Text that could not be written again."""

import json
import re
from typing import Final

_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


class HalfCharacter(ValueError):
    """A text holds half of a character (a surrogate that stands alone)."""


def refuse_halves(found: object, text: str) -> None:
    r"""Refuse half of a character: an escape such as "\ud800" that stands alone could be put into no decision.

    Args:
        found: What was read.
        text: The JSON that it was read from.

    Raises:
        HalfCharacter: There is one.
    """
    if _HALF.search(text):
        try:
            json.dumps(found, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            raise HalfCharacter("it holds half of a character (a surrogate that stands alone)") from None
