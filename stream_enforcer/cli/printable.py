"""What comes from registers and customers, made fit for a terminal."""

from typing import Any


def printable(value: Any) -> Any:
    """Return the value with whatever a terminal would obey replaced, in every text of it.

    Escape sequences could hide or forge lines of an explanation, and marks of writing direction reorder it.

    Args:
        value: Text, or what JSON can hold.
    """
    if isinstance(value, str):
        return value if value.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in value)
    if isinstance(value, list):
        return [printable(item) for item in value]
    if isinstance(value, dict):
        return {printable(name): printable(item) for name, item in value.items()}
    return value
