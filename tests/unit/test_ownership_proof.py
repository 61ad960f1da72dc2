import ast
import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.domain.ownership import proof
from stream_enforcer.domain.ownership.graph import Entity, Stake
from stream_enforcer.domain.ownership.proof import check
from stream_enforcer.domain.ownership.semantics import assess
from tests.ownership_builders import CN, DAY, PERCENT, assessed, decision_object, graph

Change = Callable[[Any], None]


def edge(place: int, **values: object) -> Change:
    return lambda claim: claim["proof"][place].update(values)


def stated(name: str, **values: object) -> Change:
    return lambda claim: claim[name].update(values)


def whole(**values: object) -> Change:
    return lambda claim: claim.update(values)


@pytest.fixture
def claim() -> Any:
    """CN 60 -> A, A 60 -> T: control and single owner are proved with 60 %, effective is refuted with 36 %."""
    return copy.deepcopy(decision_object(assessed("A 60 -> T", "CN 60 -> A")))


def test_an_untouched_proof_holds(claim: Any) -> None:
    assert check(claim) is None
    assert [(e["holder"], e["held"], e.get("country")) for e in claim["proof"]] == [
        ("A", "T", None),
        ("CN", "A", "CN"),
    ]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (edge(0, min=59 * PERCENT), "control"),
        (edge(0, min=61 * PERCENT, max=61 * PERCENT), "control"),
        (edge(1, min=50 * PERCENT), "control"),
        (edge(0, max=70 * PERCENT), "control: max"),
        (edge(0, holder="B"), "control"),
        (edge(0, held="B"), "control"),
        (edge(1, country=None), "control"),
        (edge(0, min=60.0), "proof[0]: min"),
        (edge(0, min=True), "proof[0]: min"),
        (edge(0, min=-1), "proof[0]: min"),
        (edge(0, max=100 * PERCENT + 1), "proof[0]: max"),
        (edge(0, max=1), "proof[0]: min"),
        (edge(0, holder=7), "proof[0]: holder"),
        (edge(0, source=7), "proof[0]: since, source"),
        (edge(1, holder="A"), "disagree"),
        (whole(proof=[]), "there is no proof"),
        (whole(proof=None), "proof: is not a list"),
        (whole(proof=["edge"]), "proof[0]: is not an object"),
        (whole(entity="A"), "effective: min"),
        (whole(entity=""), "entity"),
        (whole(threshold=60 * PERCENT), "control"),
        (whole(threshold=50.0), "threshold"),
        (whole(strict="no"), "strict"),
        (whole(control="proved"), "control: is not an object"),
        (stated("control", min=61 * PERCENT, max=61 * PERCENT), "control: min"),
        (stated("control", min=59 * PERCENT), "control: min"),
        (stated("control", verdict="possible"), "control"),
        (stated("control", verdict="refuted"), "control"),
        (stated("control", verdict="certain"), "control: verdict 'certain'"),
        (stated("control", min=70 * PERCENT), "control: min"),
        (stated("effective", verdict="proved", min=60 * PERCENT, max=60 * PERCENT), "effective: the proof"),
        (stated("effective", min=0, max=0), "effective: min"),
        (stated("effective", verdict="unknown"), "effective"),
        (stated("single_owner", min=55 * PERCENT), "single_owner: min"),
    ],
)
def test_a_change_is_found_and_named(claim: Any, change: Change, named: str) -> None:
    change(claim)
    fault = check(claim)
    assert fault is not None
    assert named in fault


def test_the_whole_share_of_a_proved_reading_is_in_its_proof() -> None:
    claim: Any = decision_object(assessed("CN1 60 -> T", "CN2 20 -> T", "GB 20 -> T"))
    assert [e["holder"] for e in claim["proof"]] == ["CN1", "CN2"]
    del claim["proof"][1]
    assert check(claim) == "control: min is 80000000, but the proof shows 60000000"


def test_all_proved_readings_stand_on_one_proof() -> None:
    """Control comes from A and CN, effective also from B, which nobody controls."""
    claim: Any = decision_object(assessed("CN 51 -> T", "CN 40 -> B", "B 20 -> T"))
    assert check(claim) is None
    assert claim["effective"] == {"verdict": "proved", "min": 59 * PERCENT, "max": 59 * PERCENT}
    claim["proof"] = [e for e in claim["proof"] if "B" not in (e["holder"], e["held"])]
    assert check(claim) == "effective: min is 59000000, but the proof shows 51000000"


def test_what_is_possible_is_shown_where_nothing_is_proved() -> None:
    claim: Any = decision_object(assessed("CN 0-60 -> T", "GB 0-100 -> T"))
    assert [(e["holder"], e["min"], e["max"]) for e in claim["proof"]] == [("CN", 0, 60 * PERCENT)]
    assert check(claim) is None
    claim["proof"][0]["max"] = 55 * PERCENT
    assert check(claim) == "control: max is 60000000, but the proof shows 55000000"


def test_who_holds_a_restricted_holder_is_not_part_of_the_proof() -> None:
    finding = assessed("CN1 30 -> CN2", "CN2 60 -> T")
    assert [(e.holder, e.held) for e in finding.proof] == [("CN2", "T")]


def test_what_is_refuted_has_no_proof() -> None:
    assert assessed("CN 40 -> T").proof == ()


def test_an_edge_says_since_when_by_whom_and_why_its_holder_counts() -> None:
    stake = Stake("s", "H", "T", 60 * PERCENT, 60 * PERCENT, since="2020-01-01", source="register")
    holder = Entity("H", "H", "company", country="GB", headquarters="CN")
    claim: Any = decision_object(assess(graph(others=[holder], extra=[stake]), "T", DAY, CN))
    assert claim["proof"] == [
        {
            "holder": "H",
            "held": "T",
            "min": 60 * PERCENT,
            "max": 60 * PERCENT,
            "since": "2020-01-01",
            "source": "register",
            "country": "CN",
        }
    ]


def test_the_stakes_of_one_holder_are_added_and_each_is_in_the_proof() -> None:
    finding = assessed("CN 30 -> T", "CN 25 -> T")
    assert finding.control.min == 55 * PERCENT
    assert [e.min for e in finding.proof] == [30 * PERCENT, 25 * PERCENT]
    assert check(decision_object(finding)) is None


def test_the_checker_imports_the_standard_library_alone() -> None:
    assert proof.__file__ is not None
    module = ast.parse(Path(proof.__file__).read_text(encoding="utf-8"))
    imported = [node for node in ast.walk(module) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        name
        for node in imported
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert names
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
