"""The default policy, story by story."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.builders import (
    DEFAULT_POLICY,
    Json,
    at,
    codes,
    ip,
    last_decision,
    override,
    signup,
    usage,
    world,
)

TABLE: Final[Json] = yaml.safe_load(
    (Path(__file__).parents[1] / "cases" / "restricted_regions.yaml").read_text(encoding="utf-8")
)
CASES: Final[list[Json]] = TABLE["cases"]
WORLD = world(TABLE["register"])
BUILDERS: Final = {"signup": signup, "usage": usage, "override": override}


def event(row: Json) -> Json:
    fields = {name: value for name, value in row.items() if name not in ("type", "from", "day")}
    if "from" in row:
        fields["ip"] = ip(row["from"])
    return BUILDERS[row["type"]](occurred_at=at(row.get("day", 0)), **fields)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["story"])
@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_an_account_s_story_ends_in_the_expected_verdict(case: Json, backwards: bool) -> None:
    events = [event(row) for row in case["events"]]
    decision = last_decision(events[::-1] if backwards else events, WORLD)
    expect: Json = case["expect"]
    found: Json = {"action": decision["action"], "review": decision["review"], "codes": codes(decision)}
    if "readings" in expect:
        owned: dict[str, Any] = decision["ownership"]
        found["readings"] = [owned[name]["verdict"] for name in ("control", "effective", "single_owner")]
    if "effective" in expect:
        found["effective"] = decision["ownership"]["effective"]["min"]
    assert found == expect


@pytest.mark.parametrize("rule", [compiled.rule.id for compiled in DEFAULT_POLICY.rules])
def test_every_rule_of_the_default_policy_has_a_row_that_fires_it_and_a_near_miss(rule: str) -> None:
    assert [case for case in CASES if case.get("fires") == rule]
    assert [case for case in CASES if case.get("misses") == rule]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["story"])
def test_a_row_shows_what_it_says_that_it_shows(case: Json) -> None:
    assert case.get("fires") in (None, *case["expect"]["codes"])
    assert case.get("misses") not in case["expect"]["codes"]


def test_every_story_is_told_once() -> None:
    assert len({case["story"] for case in CASES}) == len(CASES)
