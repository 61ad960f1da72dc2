"""`replay reproduce` over files: what was published comes out again, and what was changed does not."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stream_enforcer.cli import app
from stream_enforcer.replay.consistency import canonical
from tests.builders import Json
from tests.unit.test_consistency import forged
from tests.unit.test_replay import EVENTS, REGISTER, Files


class Decided(Files):
    """Decisions of two policies, each in a file of its own."""

    def decide(self, threshold: int) -> list[Json]:
        register, events = self.lines("register.jsonl", REGISTER), self.lines("events.jsonl", EVENTS)
        arguments = ["decide", events, "--policy", self.policy(threshold), "--ownership", register]
        return [json.loads(line) for line in CliRunner().invoke(app, arguments).stdout.splitlines()]

    def reproduce(self, decisions: Sequence[Json], *arguments: str) -> Result:
        path = self.folder / "decisions.jsonl"
        path.write_bytes(b"".join(canonical(decision) + b"\n" for decision in decisions))
        return CliRunner().invoke(app, ["replay", "--reproduce", "--decisions", str(path), *arguments])


@pytest.fixture
def decided(tmp_path: Path) -> Decided:
    return Decided(tmp_path)


def test_what_was_published_comes_out_again(decided: Decided) -> None:
    decisions = decided.decide(50)
    result = decided.reproduce(decisions, "--policy", decided.policy(50))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{len(decisions)} decisions judged again, 0 differ, 0 not judged\n"


def test_each_decision_is_judged_by_the_policy_that_it_names(decided: Decided) -> None:
    decisions = [*decided.decide(50), *decided.decide(25)]
    policies = ["--policy", decided.policy(25), "--policy", decided.policy(50)]
    result = decided.reproduce(decisions, *policies, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    counts = json.loads(result.stdout)
    assert (counts["judged"], counts["differing"], counts["not_judged"]) == (len(decisions), 0, 0)


def test_a_decision_of_another_policy_is_counted_and_said(decided: Decided) -> None:
    mine, others = decided.decide(50), decided.decide(25)
    result = decided.reproduce([*mine, *others], "--policy", decided.policy(50))
    assert result.exit_code == 0
    assert f"{len(mine)} decisions judged again, 0 differ, {len(others)} not judged" in result.stdout
    assert f"not judged: {len(others)} by policy at-25 version 1, hash " in result.stderr


def test_to_judge_nothing_is_no_success(decided: Decided) -> None:
    result = decided.reproduce(decided.decide(50), "--policy", decided.policy(25))
    assert result.exit_code == 2
    assert "no decision was judged" in result.stderr


def test_the_first_that_differs_is_named_and_the_others_are_counted(decided: Decided) -> None:
    honest, second, *others = decided.decide(50)
    lie = forged(second, action="suspend" if second["action"] == "allow" else "allow")
    result = decided.reproduce([honest, lie, lie, *others], "--policy", decided.policy(50))
    assert result.exit_code == 1
    assert "2 differ" in result.stdout
    assert "decisions.jsonl:2: action: is" in result.stderr


@pytest.mark.parametrize("change", [{"sequence": 7}, {"action": 1}])
def test_what_is_no_published_decision_differs(decided: Decided, change: Json) -> None:
    decisions = decided.decide(50)
    result = decided.reproduce([decisions[0] | change, *decisions[1:]], "--policy", decided.policy(50))
    assert result.exit_code == 1
    assert "decisions.jsonl:1: " in result.stderr


@pytest.mark.parametrize("arguments", [["--policy", "nowhere.yaml"], ["--decisions", "nowhere.jsonl"]])
def test_what_cannot_be_read_is_said(decided: Decided, arguments: list[str]) -> None:
    result = decided.reproduce(decided.decide(50), *arguments)
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
