"""The page about ownership says what the code does."""

import re
from pathlib import Path
from typing import Final

import pytest

from stream_enforcer.cli.drawing import described
from stream_enforcer.cli.ownership_tree import READINGS, percent_band
from stream_enforcer.cli.picture import picture, svg
from stream_enforcer.domain.ownership.semantics import assess
from stream_enforcer.reference.ownership import load_ownership
from tests.ownership_builders import CN, assessed, decision_object

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = (DOCS / "ownership.md").read_text(encoding="utf-8")
ROWS: Final = re.findall(r"^\| `([^`]*->[^`]*)` \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
TOLD_APART: Final = {
    "CN 60 -> A, A 60 -> T": (True, "36 %", True),
    "CN 50 -> T": (False, "50 %", False),
    "CN1 30 -> T, CN2 25 -> T": (True, "55 %", False),
    "CN 51 -> H, H 30 -> T, CN 25 -> T": (True, "40.3 %", True),
    "CN 80 -> A, CN 80 -> B, A 30 -> T, B 30 -> T": (True, "48 %", True),
    "CN 49 -> A, A 100 -> T": (False, "49 %", False),
}
"""The cases that tell the readings apart: control, effective share, single owner."""


def test_the_page_has_the_cases_that_tell_the_readings_apart() -> None:
    said = {
        holdings: (control.startswith("proved"), effective.partition(", ")[2], single.startswith("proved"))
        for holdings, control, effective, single in ROWS
    }
    assert TOLD_APART.items() <= said.items()
    assert len(ROWS) == len(said) == 18


@pytest.mark.parametrize(("holdings", "control", "effective", "single"), ROWS)
def test_a_row_of_the_page_is_what_is_computed(
    holdings: str, control: str, effective: str, single: str
) -> None:
    found = decision_object(assessed(*holdings.split(", ")))
    readings = [found[name] for name in READINGS]
    said = [f"{r['verdict']}, {percent_band(r['min'], r['max'])}" for r in readings]  # type: ignore[index]  # each is an object
    assert said == [control, effective, single]


def test_the_picture_of_the_page_is_what_the_command_draws() -> None:
    graph = load_ownership([DOCS / "examples" / "group.jsonl"])
    found = decision_object(assess(graph, "ex:lantern", "2026-11-01", CN))
    drawn = svg(picture(found, described(found, graph.entities), "2026-11-01"))
    assert (DOCS / "images" / "ownership.svg").read_text(encoding="utf-8") == drawn, "run the page's command"
