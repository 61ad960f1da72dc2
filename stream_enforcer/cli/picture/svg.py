"""A picture of a proof as SVG: nothing in it runs or is fetched, and it reads on light and on dark ground."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from html import escape
from itertools import pairwise
from typing import Final

from stream_enforcer.cli.picture.layout import BOLD, LINE, NAME, ROOM, TEXT, Arrow, Item, Layout, layout
from stream_enforcer.cli.picture.parts import Party, Picture
from stream_enforcer.cli.picture.sizes import shortened, width

_MARGIN: Final = 24
_CORNER: Final = 10
_STYLE: Final = f"""\
text {{ font-family: Helvetica, Arial, "Liberation Sans", sans-serif; font-size: {TEXT}px; fill: #1f2328; }}
.name {{ font-size: {NAME}px; font-weight: 600; }}
.ground {{ fill: #ffffff; }}
.box {{ fill: #f6f8fa; stroke: #59636e; }}
.restricted {{ fill: #ffebe9; stroke: #cf222e; stroke-width: 2.5; }}
.asked {{ stroke-width: 3; }}
.arrow {{ fill: none; stroke: #59636e; stroke-width: 1.5; }}
.head {{ fill: #59636e; }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #f0f6fc; }}
.ground {{ fill: #0d1117; }}
.box {{ fill: #151b23; stroke: #9198a1; }}
.restricted {{ fill: #3c1618; stroke: #f85149; }}
.arrow {{ stroke: #9198a1; }}
.head {{ fill: #9198a1; }}
}}"""


def svg(picture: Picture) -> str:
    """Write a picture as SVG; the same picture gives the same text."""
    return "\n".join(_lines(picture, layout(picture))) + "\n"


def _lines(picture: Picture, found: Layout) -> Iterator[str]:
    heading = (shortened(picture.title, BOLD, 3 * ROOM), *picture.caption)
    wide = max(found.width, *(width(line, BOLD) for line in heading)) + 2 * _MARGIN
    top = _MARGIN + LINE * (len(heading) + 1)
    high = top + found.height + _MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" '
        f'width="{_n(wide)}" height="{_n(high)}" viewBox="0 0 {_n(wide)} {_n(high)}">'
    )
    yield f'<title id="title">{escape(picture.title)}</title>'
    yield f'<desc id="desc">{escape(_described(picture))}</desc>'
    yield f"<style>{_STYLE}</style>"
    yield (
        '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto"><path class="head" d="M0 0L10 5L0 10z"/></marker></defs>'
    )
    yield f'<rect class="ground" width="{_n(wide)}" height="{_n(high)}"/>'
    for number, line in enumerate(heading):
        yield _text(line, _MARGIN, _MARGIN + LINE * number + 8, "name" if number == 0 else "")
    yield f'<g transform="translate({_n((wide - found.width) / 2)} {_n(top)})">'
    ports = _ports(found)
    for number, arrow in enumerate(found.arrows):
        yield from _arrow(arrow, ports[number])
    for item in found.items:
        yield from _item(item, picture.parties)
    yield "</g>"
    yield "</svg>"


def _described(picture: Picture) -> str:
    """Say the picture in sentences, for those who do not see it."""
    parties = picture.parties
    own = (f"{p.name} holds {share} of itself" for p in parties.values() for share in p.own)
    held = (
        f"{_who(parties[h.holder])} holds {' and '.join(h.stakes)} of {parties[h.held].name}"
        for h in picture.holdings
    )
    return ". ".join((*picture.caption, *held, *own)) + "."


def _who(party: Party) -> str:
    return f"{party.name} ({party.country}, restricted)" if party.restricted else party.name


def _n(number: float) -> str:
    """Write a coordinate, to a tenth."""
    return f"{number:.1f}".removesuffix(".0")


def _text(line: str, x: float, y: float, name: str = "", middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    of_class = f' class="{name}"' if name else ""
    return f'<text{of_class} x="{_n(x)}" y="{_n(y)}"{anchor}>{escape(line)}</text>'


def _item(item: Item, parties: Mapping[str, Party]) -> Iterator[str]:
    party = None if item.party is None else parties[item.party]
    if party is not None:
        yield "<g>"
        yield f"<title>{escape(', '.join((party.name, *party.lines)))}</title>"
        yield _shape(item, party)
    first = item.y - LINE * len(item.lines) / 2 + LINE * 0.75
    names = 0 if party is None else len(item.lines) - len(party.lines)
    for number, line in enumerate(item.lines):
        yield _text(line, item.x, first + LINE * number, "name" if number < names else "", middle=True)
    if party is not None:
        yield "</g>"


def _shape(item: Item, party: Party) -> str:
    """Draw a box; that of a restricted holder has its corners cut off, which shows without colour."""
    left, top = item.x - item.width / 2, item.y - item.height / 2
    asked = " asked" if party.asked else ""
    if not party.restricted:
        where = f'x="{_n(left)}" y="{_n(top)}" width="{_n(item.width)}" height="{_n(item.height)}" rx="4"'
        return f'<rect class="box{asked}" {where}/>'
    right, bottom, cut = item.x + item.width / 2, item.y + item.height / 2, _CORNER
    corners = [
        (left + cut, top),
        (right - cut, top),
        (right, top + cut),
        (right, bottom - cut),
        (right - cut, bottom),
        (left + cut, bottom),
        (left, bottom - cut),
        (left, top + cut),
    ]
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in corners)
    return f'<polygon class="box restricted{asked}" points="{points}"/>'


Ports = tuple[float, float]
"""Where an arrow leaves its upper box, and where it enters its lower one."""


def _ports(found: Layout) -> list[Ports]:
    """Spread the arrows of a box along its edge, in the order in which they come."""
    ends: defaultdict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
    for number, arrow in enumerate(found.arrows):
        ends[id(arrow.way[0]), 0].append((arrow.way[1].x, number))
        ends[id(arrow.way[-1]), 1].append((arrow.way[-2].x, number))
    boxes = {id(item): item for item in found.items}
    ports: dict[tuple[int, int], float] = {}
    for (box_id, end), arrows in ends.items():
        box = boxes[box_id]
        usable = box.width - 2 * _CORNER
        for place, (_, number) in enumerate(sorted(arrows)):
            ports[number, end] = box.x + usable * ((place + 1) / (len(arrows) + 1) - 0.5)
    return [(ports[number, 0], ports[number, 1]) for number in range(len(found.arrows))]


def _arrow(arrow: Arrow, ports: Ports) -> Iterator[str]:
    """Draw an arrow, with a break where its label stands."""
    upper, *between, lower = arrow.way
    label = between.pop()
    above = [(ports[0], upper.y + upper.height / 2)]
    for point in between:
        above += [(point.x, point.y - point.height / 2), (point.x, point.y + point.height / 2)]
    above.append((label.x, label.y - label.height / 2))
    below = [(label.x, label.y + label.height / 2), (ports[1], lower.y - lower.height / 2)]
    yield _curve(above[::-1] if arrow.upwards else above, head=arrow.upwards)
    yield _curve(below[::-1] if arrow.upwards else below, head=not arrow.upwards)


def _curve(points: list[tuple[float, float]], *, head: bool) -> str:
    path = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        half = (y + to_y) / 2
        path.append(f"C{_n(x)} {_n(half)} {_n(to_x)} {_n(half)} {_n(to_x)} {_n(to_y)}")
    end = ' marker-end="url(#head)"' if head else ""
    return f'<path class="arrow" d="{"".join(path)}"{end}/>'
