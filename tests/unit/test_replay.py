"""`replay` over files: what differs between two sides, account by account."""

import json
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from stream_enforcer.cli import app
from stream_enforcer.replay.results import read
from tests.builders import Json, company, override, signup, stake, usage

DAY = 24 * 3_600_000
REGISTER = [
    company("cn", "CN"),
    company("t", "SG", identifiers={"lei": "T"}),
    company("half", "SG", identifiers={"lei": "HALF"}),
    stake("cn", "t", 60),
    stake("cn", "half", 30),
]
POLICY = """
id: {name}
version: "1"
restricted: [CN]
ownership: {{threshold: {threshold}}}
rules:
  - id: owned
    when: 'ownership_control == "proved"'
    outcome: suspend
    reason: Owned.
  - id: declared
    when: 'declared_countries.exists(c, c in restricted)'
    outcome: suspend
    reason: Declared.
"""
SHOWN = signup()["occurred_at"]
EVENTS = [
    signup("owned", organization={"name": "T", "lei": "T"}),
    signup("a-third", organization={"name": "Half", "lei": "HALF"}),
    usage("a-third", occurred_at=SHOWN + DAY, cost_usd_micros=3_000_000),
    usage("a-third", occurred_at=SHOWN - 60 * DAY, cost_usd_micros=9_000_000),
    signup("declared", declared_country="CN", occurred_at=SHOWN + 2 * DAY),
    usage("clean", cost_usd_micros=1),
]


class Files:
    """A folder with events, a register and policies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"

    def lines(self, name: str, records: Sequence[Json]) -> str:
        path = self.folder / name
        path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
        return str(path)

    def policy(self, threshold: int) -> str:
        path = self.folder / f"at-{threshold}.yaml"
        path.write_text(POLICY.format(name=f"at-{threshold}", threshold=threshold))
        return str(path)

    def replay(self, *arguments: str, events: Sequence[Json] = EVENTS) -> Result:
        files = [self.lines("events.jsonl", events), "--out", str(self.out)]
        return CliRunner().invoke(app, ["replay", *files, *arguments])

    def compare(self, *arguments: str, events: Sequence[Json] = EVENTS) -> tuple[Json, list[Json]]:
        register = self.lines("register.jsonl", REGISTER)
        sides = ["--policy", self.policy(25), "--against", self.policy(50), "--ownership", register]
        result = self.replay(*sides, *arguments, events=events)
        assert (result.exit_code, result.stderr) == (0, "")
        return read(self.out)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_lower_threshold_suspends_who_is_owned_to_a_third(files: Files) -> None:
    summary, (row,) = files.compare()
    assert summary["accounts"] == 4
    assert summary["totals"] == {
        "old": {"suspended": 2, "reviews": 0, "cost_usd_micros_per_month": 0},
        "new": {"suspended": 3, "reviews": 0, "cost_usd_micros_per_month": 3_000_000},
        "new_suspensions": 1,
        "lifted_suspensions": 0,
        "other_changes": 0,
        "cost_at_stake_usd_micros_per_month": 3_000_000,
    }
    assert (row["account_id"], row["old"]["action"], row["new"]["action"]) == ("a-third", "allow", "suspend")
    assert row["fact"] == {"name": "ownership_control", "value": "proved"}
    assert (row["jurisdiction"], row["reading"]) == ("CN", "control")
    assert row["cost_usd_micros_per_month"] == 3_000_000
    assert row["ownership"]["proof"][0]["holder"] == "cn"
    assert row["first_difference"] == row["new"]["since"] == "2026-03-01T00:00:00.000Z"


def test_counts_are_told_by_rule_jurisdiction_reading_and_day(files: Files) -> None:
    summary, _ = files.compare()
    cost = {"cost_usd_micros_per_month": 3_000_000}
    assert summary["by_rule"] == [
        {"name": "owned", "old": 1, "new": 2, **cost},
        {"name": "declared", "old": 1, "new": 1, "cost_usd_micros_per_month": 0},
    ]
    assert summary["by_jurisdiction"] == [{"name": "CN", "old": 2, "new": 3, **cost}]
    assert summary["by_reading"] == [{"name": "control", "old": 1, "new": 2, **cost}]
    assert [(row["day"], row["old"], row["new"]) for row in summary["by_day"]] == [
        ("2026-03-01", 1, 2),
        ("2026-03-03", 1, 1),
    ]


def test_equal_sides_differ_in_nothing(files: Files) -> None:
    result = files.replay("--policy", files.policy(50), "--against", files.policy(50))
    assert result.exit_code == 0
    summary, rows = read(files.out)
    assert rows == []
    assert summary["totals"]["old"] == summary["totals"]["new"]


def test_two_runs_give_the_same_bytes(files: Files) -> None:
    files.compare()
    before = {path.name: path.read_bytes() for path in files.out.iterdir()}
    files.compare()
    assert before == {path.name: path.read_bytes() for path in files.out.iterdir()}


@pytest.mark.parametrize(
    ("gate", "limit", "broken"),
    [
        ("--max-new-suspensions", "0", True),
        ("--max-new-suspensions", "1", False),
        ("--max-cost", "2.99", True),
        ("--max-cost", "3", False),
        ("--max-percent", "24.9", True),
        ("--max-percent", "25", False),
    ],
)
def test_a_broken_gate_is_said_and_exits_with_1(files: Files, gate: str, limit: str, broken: bool) -> None:
    register = files.lines("register.jsonl", REGISTER)
    sides = ["--policy", files.policy(25), "--against", files.policy(50), "--ownership", register]
    result = files.replay(*sides, gate, limit)
    assert result.exit_code == int(broken)
    assert bool(result.stderr) is broken
    (told,) = read(files.out)[0]["gates"]
    assert told["passed"] is not broken


def test_against_what_was_decided(files: Files) -> None:
    register = files.lines("register.jsonl", REGISTER)
    events = files.lines("all.jsonl", EVENTS)
    policy, other = files.policy(50), files.policy(25)
    decided = CliRunner().invoke(app, ["decide", events, "--policy", policy, "--ownership", register])
    decisions = files.lines("decisions.jsonl", [json.loads(line) for line in decided.stdout.splitlines()])
    same = files.replay("--policy", policy, "--ownership", register, "--decisions", decisions)
    assert same.exit_code == 0
    assert read(files.out)[1] == []
    files.replay("--policy", other, "--ownership", register, "--decisions", decisions)
    judged = read(files.out)[1]
    assert [row["account_id"] for row in judged] == ["a-third"]
    assert judged == files.compare()[1]


def test_a_published_decision_that_cannot_be_read_is_said(files: Files) -> None:
    register = files.lines("register.jsonl", REGISTER)
    decisions = files.lines("decisions.jsonl", [{"no": "decision"}])
    result = files.replay("--policy", files.policy(50), "--ownership", register, "--decisions", decisions)
    said = f"1 published decisions could not be read; the first: {decisions}:1: "
    assert f"note: {said}" in result.stdout
    assert read(files.out)[0]["run"]["notes"][0].startswith(said)


def test_other_ownership_data_on_the_old_side(files: Files) -> None:
    old = files.lines("old.jsonl", REGISTER[:-2])
    new = files.lines("new.jsonl", REGISTER)
    policy = files.policy(50)
    files.replay("--policy", policy, "--ownership", new, "--against-ownership", old)
    assert [row["account_id"] for row in read(files.out)[1]] == ["owned"]


def test_ownership_data_hold_from_their_day_on(files: Files) -> None:
    before, after = files.lines("before.jsonl", REGISTER[:-2]), files.lines("after.jsonl", REGISTER)
    dated = ["--ownership", before, "--ownership", f"2026-03-02={after}"]
    files.replay("--policy", files.policy(50), *dated, "--against-ownership", before)
    (row,) = read(files.out)[1]
    assert (row["account_id"], row["new"]["since"]) == ("owned", "2026-03-02T00:00:00.000Z")


def test_what_is_no_event_is_counted_and_stops_nothing(files: Files) -> None:
    summary, _ = files.compare(events=[{"type": "signup"}, *EVENTS, {"type": "usage", "account_id": "x"}])
    assert (summary["events"], summary["malformed"]) == (len(EVENTS), 2)


def test_an_override_counts_for_both_sides(files: Files) -> None:
    later = override("owned", "allow", occurred_at=SHOWN + DAY)
    summary, _ = files.compare(events=[*EVENTS, later])
    assert summary["totals"]["old"]["suspended"] == 1


def test_parts_put_together_are_the_whole_to_the_byte(files: Files) -> None:
    whole_out = files.out
    parts = [EVENTS[:1], EVENTS[1:4], EVENTS[4:]]
    folders = []
    for number, events in enumerate(parts):
        files.out = files.folder / f"part-{number}"
        folders.append(str(files.out))
        register = files.lines("register.jsonl", REGISTER)
        name = files.lines(f"events-{number}.jsonl", events)
        sides = ["--policy", files.policy(25), "--against", files.policy(50), "--ownership", register]
        assert CliRunner().invoke(app, ["replay", name, *sides, "--out", folders[-1]]).exit_code == 0
    merged = CliRunner().invoke(app, ["replay", "merge", *folders, "--out", str(files.folder / "merged")])
    assert merged.exit_code == 0
    names = [str(files.folder / f"events-{number}.jsonl") for number in range(3)]
    whole = CliRunner().invoke(app, ["replay", *names, *sides, "--out", str(whole_out)])
    assert whole.exit_code == 0
    for name in ("summary.json", "changes.jsonl"):
        assert (files.folder / "merged" / name).read_bytes() == (whole_out / name).read_bytes()


def test_an_account_without_later_events_is_judged_by_the_data_that_came_later(files: Files) -> None:
    before, after = files.lines("before.jsonl", REGISTER[:-2]), files.lines("after.jsonl", REGISTER)
    dated = ["--ownership", before, "--ownership", f"2031-01-01={after}"]
    result = files.replay("--policy", files.policy(50), *dated, "--against-ownership", before)
    assert result.exit_code == 0
    (row,) = read(files.out)[1]
    assert (row["account_id"], row["new"]["since"]) == ("owned", "2031-01-01T00:00:00.000Z")


@pytest.mark.parametrize(
    "arguments", [["--workers", "2"], ["--part", "0/2"], ["--from", "2026-01-01"], ["--to", "2026-01-01"]]
)
def test_what_is_for_topics_is_refused_for_files(files: Files, arguments: list[str]) -> None:
    result = files.replay("--policy", files.policy(25), "--against", files.policy(50), *arguments)
    assert result.exit_code == 2
    assert "are for topics" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say what to compare with"),
        (["--against", "decisions"], "name the file of decisions"),
        (["--against-ownership", "register.jsonl", "--emit-to", "t"], "--emit-to are for topics"),
        (["--against", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["--against-ownership", "yesterday=f"], "is no day"),
        (["--against", "decisions", "--decisions", "nowhere.jsonl"], "nowhere.jsonl"),
    ],
)
def test_what_cannot_be_compared_is_refused(files: Files, arguments: list[str], said: str) -> None:
    result = files.replay("--policy", files.policy(50), *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_row_tells_the_names_of_the_companies_that_its_ownership_speaks_of(files: Files) -> None:
    _, (row,) = files.compare()
    assert row["ownership"]["entity"] == "half"
    assert row["names"] == {"cn": "cn works", "half": "half works"}


def test_a_result_tells_both_policies_as_they_are_written(files: Files) -> None:
    summary, _ = files.compare()
    assert summary["run"]["old"]["policy_text"] == Path(files.policy(50)).read_text()
    assert summary["run"]["new"]["policy_text"] == Path(files.policy(25)).read_text()


def test_a_report_is_one_page_with_the_accounts_that_change(files: Files) -> None:
    page = files.folder / "report.html"
    files.compare("--report", str(page))
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "1 account of 4 would be newly suspended (25\u00a0%)" in text
    assert '"a-third"' in text
    assert '"half works"' in text


def test_parts_put_together_give_the_report_of_the_whole(files: Files) -> None:
    files.compare("--report", str(files.folder / "whole.html"))
    merged = ["replay", "merge", str(files.out), "--out", str(files.folder / "merged")]
    result = CliRunner().invoke(app, [*merged, "--report", str(files.folder / "merged.html")])
    assert result.exit_code == 0
    assert (files.folder / "merged.html").read_bytes() == (files.folder / "whole.html").read_bytes()
