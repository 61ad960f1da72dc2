"""What the charts of a report show: running totals by day, and cost by the rank of accounts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Any, Final

from markupsafe import Markup

from stream_enforcer.replay.report.charts import Chart, Line, Points, Write, drawings
from stream_enforcer.replay.report.wording import short_money, whole

_MOST: Final = 400
"""Points of a curve by rank; more could not be told apart."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with what says the same in words.

    Attributes:
        drawing: SVG; empty where there is nothing to draw.
        caption: What it comes to.
        names: Of its lines.
        head, rows: Its values as a table, the first column the axis.
    """

    title: str
    drawing: Markup
    caption: str
    names: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A running total by day: its fields in `by_day`, how its values are written, and its words."""

    fields: tuple[str, str]
    write: Write
    title: str
    what: str


_SUSPENDED: Final = _Kind(
    ("old", "new"), whole, "Suspended accounts", "Accounts suspended at the end, by the day it began"
)
_COST: Final = _Kind(
    ("old_cost_usd_micros_per_month", "new_cost_usd_micros_per_month"),
    short_money,
    "Monthly cost of suspended accounts",
    "What they cost in a month, by the day their suspension began",
)


def by_day(summary: Mapping[str, Any]) -> tuple[Figure, Figure]:
    """Return the running totals of suspended accounts and of their cost.

    Raises:
        ValueError: A day is no ISO date.
    """
    days, period = summary["by_day"], summary["run"]["period"]
    ends = [date.fromisoformat(period[end][:10]).toordinal() for end in ("from", "to") if period[end]]
    return _running(days, ends, _SUSPENDED), _running(days, ends, _COST)


def _running(days: Sequence[Mapping[str, Any]], ends: Sequence[int], kind: _Kind) -> Figure:
    at = [date.fromisoformat(row["day"]).toordinal() for row in days]
    totals = [list(accumulate(row[name] for row in days)) for name in kind.fields]
    if not days:
        return Figure(kind.title, Markup(""), "No account is suspended.", (), (), ())
    lines = tuple(
        Line(name, _held(list(zip(at, values, strict=True)), ends), steps=True)
        for name, values in zip(("old", "new"), totals, strict=True)
    )
    old, new = (kind.write(values[-1]) for values in totals)
    return Figure(
        kind.title,
        drawings(Chart(lines, _day, kind.write, round_x=False)),
        f"{kind.what}, as a running total: {old} for the old side and {new} for the new one.",
        ("old", "new"),
        ("Day", "Old", "New"),
        tuple((_day(day), kind.write(o), kind.write(n)) for day, o, n in zip(at, *totals, strict=True)),
    )


def _held(points: Points, ends: Sequence[int]) -> Points:
    """Let a running total begin at nothing with the period, and hold to its end."""
    first, last = min([points[0][0], *ends]), max([points[-1][0], *ends])
    return [(first, 0), *points, *([(last, points[-1][1])] if last > points[-1][0] else [])]


def _day(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def by_rank(suspended: Sequence[int], lifted: Sequence[int]) -> Figure:
    """Return what the dearest accounts cost together, of those newly suspended and those lifted.

    Args:
        suspended: Monthly costs of the accounts that only the new side suspends, in micro-dollars.
        lifted: Of those that only the old side suspends.
    """
    title = "Cost by rank of account"
    sides = {"suspended": _ranked(suspended), "lifted": _ranked(lifted)}
    lines = tuple(
        Line(name, _thinned(points), steps=False) for name, points in sides.items() if len(points) > 1
    )
    if not lines:
        return Figure(title, Markup(""), "No suspension is new or lifted.", (), (), ())
    ranks = _ranks(max(len(points) for points in sides.values()) - 1)
    return Figure(
        title,
        drawings(Chart(lines, whole, short_money, round_x=True)),
        _concentrated(sides["suspended"]) or "No suspension is new.",
        tuple(line.name for line in lines),
        ("Dearest accounts", *(_HEADS[line.name] for line in lines)),
        tuple((whole(rank), *(_at(sides[line.name], rank) for line in lines)) for rank in ranks),
    )


_HEADS: Final = {"suspended": "Newly suspended", "lifted": "Lifted"}


def _ranked(costs: Iterable[int]) -> Points:
    ordered = sorted(costs, reverse=True)
    return list(enumerate(accumulate(ordered, initial=0)))


def _thinned(points: Points) -> Points:
    """Keep the points at which a curve that flattens still bends, and its end."""
    last = len(points) - 1
    if last <= _MOST:
        return points
    kept = sorted({round(last * (n / _MOST) ** 2) for n in range(_MOST + 1)})
    return [points[rank] for rank in kept]


def _ranks(last: int) -> list[int]:
    steps = (step * 10**power for power in range(len(str(last))) for step in (1, 5))
    return sorted({*(rank for rank in steps if rank < last), last})


def _at(points: Points, rank: int) -> str:
    return short_money(points[min(rank, len(points) - 1)][1])


def _concentrated(points: Points) -> str:
    count, total = points[-1]
    if not count:
        return ""
    if not total:
        return f"The {whole(count)} newly suspended accounts cost nothing."
    half = next(rank for rank, cost in points if 2 * cost >= total)
    return (
        f"Accounts ranked by monthly cost, the dearest first, and what they cost together. Half of the "
        f"{short_money(total)} of newly suspended accounts is that of {whole(half)} of {whole(count)}."
    )
