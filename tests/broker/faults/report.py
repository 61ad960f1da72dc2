"""The report of a run: a Markdown table with totals, and JSON."""

import dataclasses
import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

from tests.broker.faults.scenario import Outcome

COUNTED = (
    "faults", "events", "decisions", "dead_letters", "lost", "repeated", "fenced", "resets", "ended", "seconds",
)  # fmt: skip
COLUMNS = ("fault", "injected", *COUNTED, "kept")


def table(outcomes: Sequence[Outcome]) -> str:
    """Give the outcomes as a Markdown table, the totals last."""
    head = "| " + " | ".join(name.replace("_", " ") for name in COLUMNS) + " |"
    return "\n".join([head, "|" + "---|" * len(COLUMNS), *map(row, outcomes), _totals(outcomes)])


def row(outcome: Outcome) -> str:
    """Give one outcome as a row of the table."""
    if outcome.skipped is not None:
        return _line([outcome.fault, f"skipped: {outcome.skipped}", *[""] * len(COUNTED), ""])
    counts = [getattr(outcome, name) for name in COUNTED]
    return _line([outcome.fault, outcome.injected, *counts, "no" if outcome.failures else "yes"])


def _totals(outcomes: Sequence[Outcome]) -> str:
    counts = [sum(getattr(outcome, name) for outcome in outcomes) for name in COUNTED]
    return _line(["all", "", *counts, "no" if any(o.failures for o in outcomes) else "yes"])


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def write(outcomes: Sequence[Outcome], seed: int, file: Path) -> None:
    """Write the report as JSON, and the table beside it."""
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }
    data = {
        "machine": machine,
        "seed": seed,
        "outcomes": [dataclasses.asdict(outcome) for outcome in outcomes],
    }
    file.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    file.with_suffix(".md").write_text(table(outcomes) + "\n", "utf-8")
