"""`stream-enforcer explain`: an account's last decision in words, or as it is."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from stream_enforcer.cli import asking
from stream_enforcer.cli import explain as command
from stream_enforcer.cli.explain import explain
from stream_enforcer.cli.explanation import explanation
from stream_enforcer.domain.cost import Spent
from stream_enforcer.kafka.bounded_read import ReadStalled
from stream_enforcer.kafka.decisions import LastWord
from stream_enforcer.kafka.topics import TopicsMismatch
from stream_enforcer.settings import Kafka, Settings
from tests.builders import Json, at, company, ip, override, run, signup, stake, usage, world

app = typer.Typer()
app.command()(explain)
cli = CliRunner()

REGISTER = [
    company("cn", "CN", name="Moonlit Holdings"),
    company("t", "SG", name="Tin Kettle", identifiers={"lei": "T"}),
    stake("cn", "t", "60.5", since="2020-01-01"),
]
WORLD = world(REGISTER, as_of="2026-02-02")
TIN = {"name": "Tin Kettle", "lei": "T"}


def lines(*decisions: Json) -> bytes:
    return b"".join(orjson.dumps(d, option=orjson.OPT_SORT_KEYS) + b"\n" for d in decisions)


def decided(*events: Json) -> bytes:
    return lines(*run(events, WORLD).decisions)


def told(decision: Json, names: dict[str, str] | None = None) -> str:
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        for part in explanation(decision, None, names or {}):
            console.print(part)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_a_suspension_is_told_with_its_reasons_and_their_values(tmp_path: Path) -> None:
    register = tmp_path / "o.jsonl"
    register.write_bytes(lines(*REGISTER))
    values = decided(signup("acct-7"), signup("acct-7", organization=TIN, occurred_at=at(1), event_id="e2"))
    options = ["acct-7", "--from", "-", "--ownership", str(register)]
    result = cli.invoke(app, options, input=values)
    assert (result.exit_code, result.stderr) == (0, "")
    last: Json = orjson.loads(values.splitlines()[-1])
    for part in (
        "Account acct-7 is suspended.\n",
        "Decided at 2026-03-02 00:00:00.000 UTC, because of an event (e2 in topic signups, partition 0, ",
        "It was allowed before.\n",
        "1. More than the threshold is owned, directly or indirectly, by restricted holders.\n",
        "rule ownership-restricted: suspend\n",
        "ownership control: proved\n",
        "Restricted holders may not have more than 50 %.\n",
        "60.5 % Moonlit Holdings [cn] (CN) since 2020-01-01",
        f"policy restricted-regions, version 1, hash {last['policy']['hash']}\n",
        f"geo tables: built 2026-02-01, hash {last['reference']['geo']['hash']}\n",
        f"ownership data: as of 2026-02-02, hash {last['reference']['ownership']['hash']}\n",
        "number 2 of this account\n",
        f"id {last['decision_id']}\n",
        f"supersedes {last['supersedes']}\n",
        f"evidence hash {last['evidence_hash']}\n",
    ):
        assert part in result.stdout


def test_without_ownership_files_the_tree_shows_ids() -> None:
    result = cli.invoke(app, ["a", "--from", "-"], input=decided(signup("a", organization=TIN)))
    assert "60.5 % cn (CN)" in result.stdout
    assert "Moonlit" not in result.stdout


def test_a_holder_that_the_ownership_files_do_not_have_keeps_its_id(tmp_path: Path) -> None:
    register = tmp_path / "o.jsonl"
    register.write_bytes(lines(REGISTER[1]))
    options = ["a", "--from", "-", "--ownership", str(register)]
    result = cli.invoke(app, options, input=decided(signup("a", organization=TIN)))
    assert result.exit_code == 0
    assert "Tin Kettle [t]" in result.stdout
    assert "60.5 % cn (CN)" in result.stdout


def test_the_last_decision_of_the_account_counts() -> None:
    values = decided(signup("a"), signup("b"), signup("a", declared_country="CN"), signup("c"))
    for account, sequence in (("a", 2), ("b", 1), ("c", 1)):
        result = cli.invoke(app, [account, "--from", "-", "--json"], input=values)
        found = json.loads(result.stdout)
        assert (found["account_id"], found["sequence"]) == (account, sequence)


def test_json_is_the_decision_as_it_was_published() -> None:
    value = decided(signup("a", declared_country="CN"))
    assert cli.invoke(app, ["a", "--json", "--from", "-"], input=value).stdout_bytes == value


def test_an_account_without_a_decision_exits_with_1() -> None:
    for options in ([], ["--json"]):
        result = cli.invoke(app, ["nobody", "--from", "-", *options], input=decided(signup("a")))
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == "no decision about this account was found\n"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"{", "-:1: is not JSON: "),
        (b"[]", "-:1: is not a JSON object"),
        (b'{"account_id": "a"}', "the account's last decision has another form: decision_id: Field required"),
    ],
)
def test_what_is_no_decision_exits_with_2_and_names_the_place(line: bytes, what: str) -> None:
    result = cli.invoke(app, ["a", "--from", "-"], input=line)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(what)


def test_files_that_cannot_be_read_exit_with_2(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent")
    result = cli.invoke(app, ["a", "--from", absent])
    assert (result.exit_code, result.stderr) == (2, f"{absent}: cannot be read: No such file or directory\n")
    value = decided(signup("a", organization=TIN))
    result = cli.invoke(app, ["a", "--from", "-", "--ownership", absent], input=value)
    assert result.exit_code == 2
    assert result.stderr.startswith(absent)


def test_an_allowed_account_without_reasons_is_told_plainly() -> None:
    (decision,) = run([signup("a")], world(None)).decisions
    text = told(decision)
    assert text.startswith("Account a is allowed.\n")
    assert "Nothing was decided before." in text
    assert "No rule of the policy matched." in text
    assert "ownership data: none" in text
    assert "Who owns the company" not in text
    assert "supersedes none" in text


def test_a_review_asks_for_a_person_and_names_what_is_missing() -> None:
    events = [signup("a", ip=ip("us"), organization={"name": "Not in there"})]
    (decision,) = run(events, world(None)).decisions
    text = told(decision)
    assert text.startswith("Account a is allowed, and a person should look at it.\n")
    assert "rule degraded-inputs: review" in text
    assert "degraded: ownership" in text
    assert "missing, too old or cut short: ownership" in text


def test_an_override_is_told_with_its_event_and_what_it_covers() -> None:
    suspended = signup("a", declared_country="CN")
    events = [
        suspended,
        override("a", event_id="o", occurred_at=at(1), rules=["declared-country-restricted"]),
    ]
    text = told(run(events, WORLD).decisions[-1])
    assert "because of an override by two people (o in topic overrides," in text
    assert "It was suspended before." in text
    assert "rule override: allow" in text
    assert "override rules: declared-country-restricted" in text
    assert "override in force: o1" in text


def test_a_suspension_that_stays_says_so() -> None:
    events = [signup("a", declared_country="CN"), signup("a", ip=ip("cn"), occurred_at=at(1))]
    assert "It was suspended before, too." in told(run(events, WORLD).decisions[-1])


def changed(**fields: Any) -> Json:
    (decision,) = run([signup("a", organization=TIN)], WORLD).decisions
    return {**decision, **fields}


def test_a_change_of_the_world_is_told_without_an_event() -> None:
    trigger = {"kind": "reference", "topic": "ownership", "partition": 0, "offset": 9}
    assert "because of new reference data (topic ownership, partition 0, offset 9)." in told(
        changed(trigger=trigger)
    )


def test_a_shadow_policys_decision_is_told_to_have_no_effect() -> None:
    decision = changed()
    assert "shadow" not in told(decision)
    shadow = {**decision["policy"], "mode": "shadow"}
    assert "The policy is in shadow mode: this is what it would do." in told({**decision, "policy": shadow})


def test_a_company_found_by_name_and_an_incomplete_proof_are_told() -> None:
    ownership = changed()["ownership"]
    match = {
        "kind": "name",
        "score": 80,
        "features": ["same-words"],
        "runner_up": {"entity": "x", "score": 61},
    }
    by_name = {**ownership, "match": match, "strict": False, "proof_complete": False}
    text = told(changed(ownership=by_name))
    assert "The names are alike by 80 of 100 (same words); next came x, with 61." in text
    assert "found by its name alone, so what is proved of it counts as possible" in text
    assert "may not have at least 50 %." in text
    assert "The proof is not complete" in text


def test_values_are_told_in_the_units_of_people() -> None:
    evidence: Json = {
        "ownership_control_min": 60_500_000,
        "coverage": 0,
        "restricted_usage_days": 3,
        "anonymous": True,
        "headquarters_countries": ["CN", "RU"],
        "listings": [],
        "override_action": "",
        "unlocated": False,
    }
    reason = {**changed()["reasons"][0], "evidence": evidence}
    text = told(changed(reasons=[reason]))
    for part in (
        "ownership control min: 60.5 %",
        "coverage: 0 %",
        "restricted usage days: 3",
        "anonymous: yes",
        "headquarters countries: CN, RU",
        "listings: none",
        "override action: none",
        "unlocated: no",
    ):
        assert f"     {part}\n" in text


def test_brackets_in_names_are_text_and_no_markup() -> None:
    (decision,) = run([usage("[bold]a[/bold]")], WORLD).decisions
    assert told(decision).startswith("Account [bold]a[/bold] is allowed.")


class _Topic:
    """Stands for the topic of decisions."""

    def __init__(self, answer: bytes | Exception | None, spent: Spent | None = None) -> None:
        self.answer = answer
        self.spent = spent
        self.asked: list[tuple[str, str]] = []

    async def last_word(self, settings: Settings, account: str) -> LastWord | None:
        self.asked.append((settings.topics.decisions, account))
        if isinstance(self.answer, Exception):
            raise self.answer
        return None if self.answer is None else LastWord(self.answer, self.spent)


async def nothing_refused(_: Kafka) -> None:
    return None


@pytest.mark.parametrize(
    ("answer", "code", "stderr"),
    [
        (None, 1, "no decision about this account was found\n"),
        (TopicsMismatch("missing topics: d"), 2, "missing topics: d\n"),
        (OSError("refused"), 2, "Kafka does not answer: refused\n"),
        (ReadStalled("partition 0"), 2, "Kafka does not answer: partition 0\n"),
    ],
)
def test_kafkas_answer_sets_the_exit_code(
    answer: Exception | None, code: int, stderr: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "last_word", _Topic(answer).last_word)
    monkeypatch.setattr(asking, "refusal", nothing_refused)
    result = cli.invoke(app, ["a"])
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", stderr)


def test_without_a_file_the_topic_of_the_settings_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    value = decided(signup("a", declared_country="CN"))
    topic = _Topic(value.rstrip(b"\n"))
    monkeypatch.setattr(command, "last_word", topic.last_word)
    result = cli.invoke(app, ["a", "--json"], env={"STREAM_ENFORCER_TOPICS__DECISIONS": "verdicts"})
    assert (result.exit_code, result.stdout_bytes) == (0, value)
    assert topic.asked == [("verdicts", "a")]


def test_what_an_account_cost_in_a_month_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = b"[1,20627,400000000,20626,40000000]"
    monkeypatch.setattr(command, "last_word", _Topic(decided(signup("a")), spent).last_word)
    result = cli.invoke(app, ["a"])
    said = "Its use cost $440.00 in the 30 days up to 2026-06-23, the latest with a cost."
    assert said in result.stdout


def test_a_name_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    loud = "Tin\x1b[2J\x9b31m\u202eKettle"
    register = tmp_path / "o.jsonl"
    register.write_bytes(lines(REGISTER[0], {**REGISTER[1], "name": loud}, REGISTER[2]))
    values = decided(signup("acct-7", organization={"name": loud, "lei": "T"}))
    result = cli.invoke(app, ["acct-7", "--from", "-", "--ownership", str(register)], input=values)
    assert result.exit_code == 0
    assert "Tin\ufffd[2J\ufffd31m\ufffdKettle" in result.stdout
    assert all(c.isprintable() for c in result.stdout.replace("\n", ""))
