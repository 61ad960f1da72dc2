"""Charts of lines as inline SVG. Colours are the page's: a chart has classes only, so it follows light and dark."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from markupsafe import Markup, escape

Write = Callable[[int], str]
Points = Sequence[tuple[int, int]]

_LINE: Final = 15
_STEPS: Final = (1, 2, 5, 10)


class Size(NamedTuple):
    """The size of a drawing, in pixels, and about how many ticks its axis has room for."""

    name: str
    width: int
    height: int
    ticks: int


SIZES: Final = (Size("desk", 560, 270, 4), Size("phone", 300, 230, 2))
"""For a desk and for a phone: one drawing scaled down would have text too small to read."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 58, 16, 28


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart.

    Attributes:
        name: In the legend and for its class.
        points: In order of x.
        steps: Whether a value holds until the next point.
    """

    name: str
    points: Points
    steps: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over one axis, and how to write both axes. Some line has a point.

    Attributes:
        lines: Names differ.
        write_x, write_y: Give the label of a value.
        round_x: Whether labels of the axis below stand at round numbers; else at both of its ends.
    """

    lines: tuple[Line, ...]
    write_x: Write
    write_y: Write
    round_x: bool


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where values stand in a drawing."""

    size: Size
    first: int
    last: int
    top: int

    def x(self, value: int) -> float:
        room = self.size.width - _LEFT - _RIGHT
        return _LEFT + room * (
            (value - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        )

    def y(self, value: int) -> float:
        room = self.size.height - _TOP - _BOTTOM
        return _TOP + room * (1 - value / self.top)


def drawings(chart: Chart) -> Markup:
    """Draw a chart in every size; the page shows the one that fits."""
    return Markup("\n").join(Markup("").join(_drawing(chart, size)) for size in SIZES)


def step_of(greatest: int, ticks: int) -> int:
    """Return a round distance (1, 2 or 5 times a power of ten) of at most so many ticks up to a number."""
    least = max(1, -(-greatest // ticks))
    power = int(10 ** (len(str(least)) - 1))
    return next(power * step for step in _STEPS if power * step >= least)


def _drawing(chart: Chart, size: Size) -> Iterator[Markup]:
    xs = [x for line in chart.lines for x, _ in line.points]
    greatest = max(y for line in chart.lines for _, y in line.points)
    step = step_of(max(1, greatest), size.ticks)
    frame = _Frame(size, min(xs), max(xs), step * max(1, -(-greatest // step)))
    yield Markup('<svg class="chart {}" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">').format(
        size.name, size.width, size.height
    )
    for value in range(0, frame.top + 1, step):
        yield _rule(frame, value, chart.write_y(value))
    yield from _below(frame, chart)
    for line in chart.lines:
        yield Markup('<path class="line {}" d="{}"/>').format(line.name, _path(frame, line))
    yield from _ends(frame, chart)
    yield Markup("</svg>")


def _rule(frame: _Frame, value: int, label: str) -> Markup:
    y = _n(frame.y(value))
    return Markup(
        '<path class="rule" d="M{} {}H{}"/><text class="tick" x="{}" y="{}" text-anchor="end">{}</text>'
    ).format(_LEFT, y, frame.size.width - _RIGHT, _LEFT - 8, _n(frame.y(value) + 4), label)


def _below(frame: _Frame, chart: Chart) -> Iterator[Markup]:
    """Label as many values of the axis below as there is room for."""
    span = frame.last - frame.first
    parts = max(1, min(span, frame.size.ticks - 1))
    values = {frame.first + span * part // parts for part in range(parts + 1)}
    if chart.round_x:
        values = set(range(frame.first, frame.last + 1, step_of(max(1, span), frame.size.ticks + 1)))
    for value in sorted(values):
        yield Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            _n(frame.x(value)), frame.size.height - 8, chart.write_x(value)
        )


def _path(frame: _Frame, line: Line) -> str:
    parts: list[str] = []
    for x, y in line.points:
        at, high = _n(frame.x(x)), _n(frame.y(y))
        if not parts:
            parts.append(f"M{at} {high}")
        else:
            parts.append(f"H{at}V{high}" if line.steps else f"L{at} {high}")
    return "".join(parts)


def _ends(frame: _Frame, chart: Chart) -> Iterator[Markup]:
    """Write at each line's end what it comes to, the labels kept apart."""
    floor = float("inf")
    ended = [(line.name, *line.points[-1]) for line in chart.lines if line.points]
    for name, x, y in sorted(ended, key=lambda end: end[2]):
        high = frame.y(y)
        floor = min(high + 4, floor - _LINE)
        yield Markup('<circle class="end {}" cx="{}" cy="{}" r="3.5"/>').format(
            name, _n(frame.x(x)), _n(high)
        )
        yield Markup('<text class="value {}" x="{}" y="{}">{}</text>').format(
            name, _n(frame.x(x) + 8), _n(floor), escape(chart.write_y(y))
        )


def _n(number: float) -> str:
    """Write a coordinate, to a tenth."""
    return f"{number:.1f}".removesuffix(".0")
