"""The page on capacity: its figures are those that were measured, and its example is what its formulas give."""

import math
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "capacity.md").read_text(encoding="utf-8")
MEASURED = (DOCS / "performance.md").read_text(encoding="utf-8")
DERIVED = {"company", "account"}
"""Said in other words on the page of figures, and looked at one by one below."""
UNITS = {"": 1.0, "bytes": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "s": 1}
NUMBER = re.compile(r"([\d,.]+)(?: (\w+))?")


def rows_of(heading: str) -> list[list[str]]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def amount(cell: str) -> float:
    match = NUMBER.fullmatch(cell)
    assert match is not None, cell
    return float(match[1].replace(",", "")) * UNITS[match[2] or ""]


def given() -> dict[str, float]:
    rows = rows_of("What was measured") + rows_of("What you know")
    return {row[0].strip("`"): amount(row[1]) for row in rows}


@pytest.mark.parametrize("row", rows_of("What was measured"), ids=lambda row: row[0].strip("`"))
def test_a_measured_figure_stands_on_the_page_of_figures(row: list[str]) -> None:
    assert row[0].strip("`") in DERIVED or row[1] in MEASURED


def test_what_is_said_in_other_words_follows_from_the_figures() -> None:
    assert "take 690 bytes" in MEASURED
    assert "takes 610 bytes" in MEASURED
    assert "ten million companies" in MEASURED
    assert "| file | 2.0 GB |" in MEASURED
    assert given()["company"] == 2.0e9 / 10e6


def test_the_machine_and_the_day_are_those_of_the_page_of_figures() -> None:
    machine = MEASURED.split("## Machine")[1]
    for part in ("2 virtual cores", "24 GiB", "CPython 3.11.7", "2026-11-24"):
        assert part in machine
        assert part in PAGE


def test_the_example_is_what_the_formulas_give() -> None:
    names = given()
    for name, formula, shown, _what in rows_of("What follows"):
        value = eval(formula.strip("`"), {"__builtins__": {}, "ceil": math.ceil}, names)  # noqa: S307 - of the page
        assert amount(shown) == pytest.approx(value, rel=0.005), name
        names[name.strip("`")] = value
