"""A picture of a proof in DOT, the language of Graphviz."""

from collections.abc import Iterator
from typing import Final

from stream_enforcer.cli.picture.parts import Party, Picture

_LEFT: Final = "\\l"
_CENTRE: Final = "\\n"
"""What ends a line that begins on the left, and what stands between lines that are centred."""


def dot(picture: Picture) -> str:
    """Write a picture in DOT; the same picture gives the same text.

    Nodes have numbers for names, and all that comes from data stands in quoted labels.
    """
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    numbers = {party: f"n{number}" for number, party in enumerate(picture.parties)}
    yield "digraph ownership {"
    yield f"  graph [rankdir=TB, labelloc=b, labeljust=l, label={_quoted(picture.title, *picture.caption, left=True)}];"
    yield '  node [shape=box, fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif"];'
    for party_id, party in picture.parties.items():
        yield f"  {numbers[party_id]} [label={_quoted(party.name, *party.lines)}{_look(party)}];"
    for holding in picture.holdings:
        label = _quoted(*holding.stakes)
        yield f"  {numbers[holding.holder]} -> {numbers[holding.held]} [label={label}];"
    yield "}"


def _look(party: Party) -> str:
    asked = ", penwidth=3" if party.asked else ""
    return f"{', shape=octagon, peripheries=2, color=firebrick' if party.restricted else ''}{asked}"


def _quoted(*lines: str, left: bool = False) -> str:
    """Quote lines of text. A backslash would begin an escape of Graphviz's own, such as the graph's name."""
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return f'"{"".join(f"{line}{_LEFT}" for line in escaped) if left else _CENTRE.join(escaped)}"'
