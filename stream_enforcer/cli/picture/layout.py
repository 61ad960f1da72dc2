"""Where everything of a picture stands: rows of boxes, labels between them, and arrows that pass no box.

A layered drawing after Sugiyama, Tagawa and Toda (IEEE Trans. SMC 11, 1981). Rows with an even number hold
parties. Every arrow has its label in the row above its lower end, and a point to pass in every other row on its
way, so neither labels nor arrows run into a box.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from stream_enforcer.cli.picture.layers import heights
from stream_enforcer.cli.picture.parts import Holding, Picture
from stream_enforcer.cli.picture.sizes import shortened, width, wrapped

NAME: Final = 14
BOLD: Final = NAME * 1.13
TEXT: Final = 12
LINE: Final = 17
"""Font sizes of names, of bold names as they turn out, and of other text; and the distance between lines."""
ROOM: Final = 210
"""Greatest width of text in a box."""
_PADDING: Final = 12
_SWEEPS: Final = 8


@dataclass(slots=True, eq=False)
class Item:
    """Something that has its place in a row: a box, a label, or a point that an arrow passes.

    Attributes:
        lines: Text; nothing for a point.
        party: Id of the party; None for a label or a point.
        x, y: Its centre; `y` grows downwards.
        up, down: What it is joined with in the rows above and below.
    """

    lines: Sequence[str]
    width: float
    height: float
    party: str | None = None
    x: float = 0.0
    y: float = 0.0
    up: list["Item"] = field(default_factory=list)
    down: list["Item"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Arrow:
    """The way of an arrow, from its upper end to its lower; `upwards` where it points from the lower to the upper."""

    way: tuple[Item, ...]
    upwards: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture with a place for everything."""

    items: tuple[Item, ...]
    arrows: tuple[Arrow, ...]
    width: float
    height: float


def layout(picture: Picture) -> Layout:
    """Lay a picture out; the same picture is always laid out alike."""
    high = heights(picture)
    rows: defaultdict[int, list[Item]] = defaultdict(list)
    ends = Counter(party for holding in picture.holdings for party in (holding.holder, holding.held))
    boxes = {party: _box(picture, party, ends[party]) for party in picture.parties}
    for party, box in boxes.items():
        rows[2 * high[party]].append(box)
    arrows = tuple(_arrow(holding, boxes, high, rows) for holding in picture.holdings)
    ordered = [rows[row] for row in sorted(rows, reverse=True)]
    _order(ordered)
    _place(ordered)
    return _framed(ordered, arrows)


def _box(picture: Picture, party_id: str, arrows: int) -> Item:
    party = picture.parties[party_id]
    names = wrapped(party.name, BOLD, ROOM, most=2)
    lines = [*names, *(shortened(line, TEXT, ROOM) for line in party.lines)]
    widest = max([width(name, BOLD) for name in names] + [width(line, TEXT) for line in lines[len(names) :]])
    return Item(lines, max(widest, 70, 13 * arrows) + 2 * _PADDING, LINE * len(lines) + _PADDING, party_id)


def _arrow(
    holding: Holding,
    boxes: Mapping[str, Item],
    high: Mapping[str, int],
    rows: Mapping[int, list[Item]],
) -> Arrow:
    upwards = high[holding.holder] < high[holding.held]
    lower, upper = (holding.holder, holding.held) if upwards else (holding.held, holding.holder)
    label = Item(
        holding.stakes, max(width(line, TEXT) for line in holding.stakes) + 8, LINE * len(holding.stakes)
    )
    way = [boxes[lower]]
    for row in range(2 * high[lower] + 1, 2 * high[upper]):
        way.append(label if len(way) == 1 else Item((), 6, 0))
        rows[row].append(way[-1])
    way.append(boxes[upper])
    for below, above in pairwise(way):
        below.up.append(above)
        above.down.append(below)
    return Arrow(tuple(reversed(way)), upwards)


def _order(rows: Sequence[list[Item]]) -> None:
    """Order every row by the mean place of what its items are joined with, down and up in turn."""
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        for before, row in _neighbours(rows, downwards=downwards):
            place = {id(item): float(number) for number, item in enumerate(before)}
            own = {id(item): number / max(1, len(row)) for number, item in enumerate(row)}
            mean = {
                id(item): _mean(
                    (place[id(other)] for other in (item.up if downwards else item.down)), own[id(item)]
                )
                for item in row
            }
            row.sort(key=lambda item: mean[id(item)])


def _neighbours(rows: Sequence[list[Item]], *, downwards: bool) -> Iterable[tuple[list[Item], list[Item]]]:
    ordered = rows if downwards else rows[::-1]
    return pairwise(ordered)


def _mean(values: Iterable[float], otherwise: float) -> float:
    found = list(values)
    return sum(found) / len(found) if found else otherwise


def _place(rows: Sequence[list[Item]]) -> None:
    """Set every `x`: in each row as near as can be to what the items are joined with, and nothing overlapping."""
    for row in rows:
        _spread(row, [0.0] * len(row))
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        for _, row in _neighbours(rows, downwards=downwards):
            _spread(
                row,
                [_mean((other.x for other in (item.up if downwards else item.down)), item.x) for item in row],
            )


def _spread(row: Sequence[Item], wishes: Sequence[float]) -> None:
    """Place a row by least squares: items that would overlap become a block, which takes the mean wish."""
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(
            offsets[-1] + (left.width + right.width) / 2 + (24 if left.lines and right.lines else 12)
        )
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wishes, offsets, strict=True):
        total, count = wish - offset, 1
        while blocks and blocks[-1][0] * count >= total * blocks[-1][1]:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    starts = [total / count for total, count in blocks for _ in range(count)]
    for item, start, offset in zip(row, starts, offsets, strict=True):
        item.x = start + offset


def _framed(rows: Sequence[Sequence[Item]], arrows: tuple[Arrow, ...]) -> Layout:
    """Set every `y`, and move all so that the left and upper ends are at 0."""
    y = 0.0
    for number, row in enumerate(rows):
        if number:
            y += _gap(row)
        tallest = max((item.height for item in row), default=0.0)
        for item in row:
            item.y = y + tallest / 2
            if not item.lines:
                item.height = tallest  # the arrow goes straight through the whole row
        y += tallest
    items = [item for row in rows for item in row]
    left = min(item.x - item.width / 2 for item in items)
    for item in items:
        item.x -= left
    return Layout(tuple(items), arrows, max(item.x + item.width / 2 for item in items), y)


def _gap(row: Iterable[Item]) -> float:
    """Return the distance to the row above: more where arrows go far to the side."""
    far = max((abs(item.x - other.x) for item in row for other in item.up), default=0.0)
    return min(18 + far / 8, 70)
