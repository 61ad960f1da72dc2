"""How the policies of both sides differ, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Literal

from stream_enforcer.replay.report.wording import visible

_LONGEST_LINE = 2000


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a unified diff."""

    kind: Literal["added", "removed", "place", "same"]
    text: str


@dataclass(frozen=True, slots=True)
class PolicyDiff:
    """What there is to say of two policies: lines, or a sentence in place of them; or both."""

    words: str
    lines: tuple[DiffLine, ...]
    added: int = 0
    removed: int = 0


def policy_diff(old: str | None, new: str | None) -> PolicyDiff:
    """Compare two policies as text; where one is missing, show the other."""
    if old is None and new is None:
        return PolicyDiff("The result holds the text of neither policy.", ())
    if old is None or new is None:
        known, side = (new, "new") if old is None else (old, "old")
        lines = tuple(DiffLine("same", _fit(line)) for line in str(known).splitlines())
        return PolicyDiff(f"Only the {side} side was judged by a policy whose text is known.", lines)
    lines = tuple(_lines(old, new))
    if not lines:
        return PolicyDiff("Both sides have the same policy.", ())
    added, removed = (sum(line.kind == kind for line in lines) for kind in ("added", "removed"))
    return PolicyDiff("", lines, added, removed)


def _lines(old: str, new: str) -> Iterator[DiffLine]:
    found = unified_diff(old.splitlines(), new.splitlines(), lineterm="")
    for number, line in enumerate(found):
        if number < 2:  # the names of the files, of which there are none
            continue
        if line.startswith("@@"):
            yield DiffLine("place", _fit(line))
        elif line.startswith("+"):
            yield DiffLine("added", _fit(line))
        elif line.startswith("-"):
            yield DiffLine("removed", _fit(line))
        else:
            yield DiffLine("same", _fit(line))


def _fit(line: str) -> str:
    return visible(line.expandtabs(4), _LONGEST_LINE)
