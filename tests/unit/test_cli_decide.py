"""`stream-enforcer decide`: the engine over files, what goes where, and the exit codes."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from hypothesis import given
from typer.testing import CliRunner

from stream_enforcer.cli import ownership
from stream_enforcer.cli.decide import decide, decide_records
from stream_enforcer.domain.decision import PublishedDecision
from stream_enforcer.domain.engine import Emit
from stream_enforcer.replay.event_files import event_records
from tests.builders import Json, at, company, run, signup, stake, usage, world
from tests.strategies import OWNERSHIP, histories

app = typer.Typer()
app.command()(decide)
cli = CliRunner()

WORLD = world(OWNERSHIP)


def lines(*events: Json) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in events)


def write(path: Path, *events: Json) -> str:
    path.write_bytes(lines(*events))
    return str(path)


def decisions(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_decisions_are_the_engines_own_bytes_one_a_line(tmp_path: Path) -> None:
    events = write(tmp_path / "e.jsonl", signup("a", declared_country="CN"), signup("b"))
    result = cli.invoke(app, [events])
    assert result.exit_code == 0
    for line in result.stdout_bytes.splitlines():
        PublishedDecision.model_validate_json(line)
        assert orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS) == line
    a, b = decisions(result.stdout)
    assert (a["account_id"], a["action"], b["account_id"], b["action"]) == ("a", "suspend", "b", "allow")
    assert a["trigger"]["topic"] == events
    assert (a["trigger"]["partition"], b["trigger"]["offset"]) == (0, 2)
    assert result.stderr == "2 events, 2 decisions (1 suspend), 0 dead letters\n"


def test_accounts_are_remembered_across_files_which_are_read_in_order(tmp_path: Path) -> None:
    first = write(tmp_path / "1.jsonl", signup("a"))
    second = write(tmp_path / "2.jsonl", signup("a", declared_country="CN"))
    found = decisions(cli.invoke(app, [first, second]).stdout)
    assert [(d["sequence"], d["action"], d["trigger"]["topic"]) for d in found] == [
        (1, "allow", first),
        (2, "suspend", second),
    ]


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_standard_input_is_read_under_the_name_of_a_dash(arguments: list[str]) -> None:
    result = cli.invoke(app, arguments, input=lines(signup("a")))
    assert [d["trigger"]["topic"] for d in decisions(result.stdout)] == ["-"]
    assert result.stderr.startswith("1 event, 1 decision (0 suspend), 0 dead letters\n")


def test_emit_every_decides_on_every_signup_and_usage_event() -> None:
    events = lines(signup("a"), usage("a", occurred_at=at(1)), usage("a", occurred_at=at(1), event_id="u2"))
    assert len(decisions(cli.invoke(app, ["--emit", "every"], input=events).stdout)) == 3
    assert len(decisions(cli.invoke(app, ["--emit", "transitions"], input=events).stdout)) == 1


def test_without_geo_and_ownership_the_decision_says_what_is_missing() -> None:
    event = signup("a", ip="198.51.100.1", organization={"name": "Some"})
    (decision,) = decisions(cli.invoke(app, [], input=lines(event)).stdout)
    assert decision["degraded"] == ["geo", "ownership"]
    assert decision["reference"]["geo"]["built_at"] is None
    assert decision["reference"]["ownership"] == {"as_of": None, "hash": None}


def test_the_named_policy_geo_and_ownership_files_are_used(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "id: mine\nversion: v7\nrestricted: [DE]\nrules:\n- {id: r, outcome: suspend, reason: Owned., "
        'when: ownership_control == "proved" && "vpn" in networks}\n'
    )
    owners = [company("de", "DE"), company("t", "SG", identifiers={"lei": "T"}), stake("de", "t", 51)]
    (tmp_path / "vpn.txt").write_text("198.51.100.0/24\n")
    options = ["--policy", str(policy), "--geo", f"vpn={tmp_path / 'vpn.txt'}"]
    options += ["--ownership", write(tmp_path / "o.jsonl", *owners)]
    event = signup("a", ip="198.51.100.1", organization={"name": "T", "lei": "T"})
    (decision,) = decisions(cli.invoke(app, options, input=lines(event)).stdout)
    assert (decision["action"], decision["policy"]["id"]) == ("suspend", "mine")
    assert decision["ownership"]["proof"][0]["holder"] == "de"


def test_what_is_wrong_with_ownership_data_is_told_with_its_place_or_refused(tmp_path: Path) -> None:
    bods = [
        {
            "statementId": "s",
            "recordType": "person",
            "recordId": "p",
            "recordStatus": "new",
            "recordDetails": {},
        },
        {
            "statementId": "t",
            "recordType": "planet",
            "recordId": "q",
            "recordStatus": "new",
            "recordDetails": {},
        },
    ]
    data = write(tmp_path / "b.jsonl", *bods)
    result = cli.invoke(app, ["--ownership", data], input=lines(signup("a")))
    assert result.exit_code == 0
    assert f"{data}: BODS, 2 statements, 1 used\n" in result.stderr
    assert "1 times, first at line 2" in result.stderr
    result = cli.invoke(app, ["--ownership", data, "--strict"], input=lines(signup("a")))
    assert result.exit_code == 2
    assert f"{data}:2" in result.stderr


def test_a_snapshot_takes_the_place_of_the_files_that_it_was_built_from(tmp_path: Path) -> None:
    owners = [company("cn", "CN"), company("t", "SG", identifiers={"lei": "T"}), stake("cn", "t", 51)]
    data, snapshot = write(tmp_path / "o.jsonl", *owners), str(tmp_path / "o.snapshot")
    event = lines(signup("a", organization={"name": "T", "lei": "T"}))
    assert cli.invoke(ownership.app, ["build", data, "-o", snapshot]).exit_code == 0
    (read,) = decisions(cli.invoke(app, ["--ownership", data], input=event).stdout)
    (mapped,) = decisions(cli.invoke(app, ["--ownership", snapshot], input=event).stdout)
    assert mapped["action"] == "suspend"
    assert mapped["ownership"] == read["ownership"]
    result = cli.invoke(app, ["--ownership", snapshot, "--ownership", data], input=event)
    assert (result.exit_code, "stands alone" in result.stderr) == (2, True)


def test_dead_letters_are_written_with_place_reason_and_line(tmp_path: Path) -> None:
    events = tmp_path / "e.jsonl"
    events.write_bytes(b'{"a": 1\n\n' + lines(signup("a")) + b'\xff"\n')
    letters = tmp_path / "dead.jsonl"
    result = cli.invoke(app, [str(events), "--dead-letters", str(letters)])
    assert result.exit_code == 0
    assert result.stderr == "1 event, 1 decision (0 suspend), 2 dead letters\n"
    text, binary = (json.loads(line) for line in letters.read_text().splitlines())
    assert {key: text[key] for key in ("topic", "partition", "offset", "stage", "error", "value")} == {
        "topic": str(events),
        "partition": 0,
        "offset": 1,
        "stage": "decode",
        "error": "json_invalid",
        "value": '{"a": 1',
    }
    assert "EOF" in text["message"]
    assert set(binary) == {"topic", "partition", "offset", "stage", "error", "message", "value_base64"}
    assert b64decode(binary["value_base64"]) == b'\xff"'


def test_dead_letters_that_nobody_keeps_are_counted_and_the_first_is_named() -> None:
    result = cli.invoke(app, [], input=lines({"type": "usage", "account_id": "a"}) * 1200)
    assert result.exit_code == 0
    assert result.stdout == ""
    counts, first = result.stderr.splitlines()
    assert counts == "0 events, 0 decisions (0 suspend), 1,200 dead letters"
    assert first.startswith("first dead letter: -:1: validate: event_id: Field required")


@pytest.mark.parametrize("option", ["--policy", "--ownership", "--geo"])
def test_a_bad_reference_file_is_named_and_exits_with_2(option: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text('{"kind": "stake", "id": "s"}\n')
    result = cli.invoke(app, [option, str(bad)], input=lines(signup("a")))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(str(bad))


def test_a_missing_events_file_exits_with_2_before_anything_is_decided(tmp_path: Path) -> None:
    result = cli.invoke(app, [write(tmp_path / "e.jsonl", signup("a")), str(tmp_path / "absent.jsonl")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{tmp_path / 'absent.jsonl'}: there is no such file\n"


def test_an_events_file_that_cannot_be_read_exits_with_2(tmp_path: Path) -> None:
    result = cli.invoke(app, [str(tmp_path)])
    assert (result.exit_code, result.stderr) == (2, f"{tmp_path}: Is a directory\n")


def test_dead_letters_never_overwrite_the_events(tmp_path: Path) -> None:
    events = write(tmp_path / "e.jsonl", signup("a"))
    result = cli.invoke(app, [events, "--dead-letters", events])
    assert result.exit_code == 2
    assert Path(events).read_bytes() == lines(signup("a"))


def test_a_reader_that_has_enough_ends_it_quietly(tmp_path: Path) -> None:
    # Far more output than a pipe holds: the command is still writing when the pipe closes.
    events = write(tmp_path / "e.jsonl", *(signup(f"a{number}") for number in range(300)))
    code = "import typer; from stream_enforcer.cli.decide import decide; typer.run(decide)"
    # Output that is still buffered when the pipe closes is what the interpreter complains about at its end.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        [sys.executable, "-c", code, events], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"account_id":"a0"')
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("emit", ["transitions", "every"])
@given(history=histories("a", "b"))
def test_files_and_topics_lead_to_the_same_decisions_but_for_coordinates_and_ids(
    emit: Emit, history: list[Json]
) -> None:
    records = event_records("e", BytesIO(lines(*history)))
    steps = [caused for _, caused in decide_records(records, WORLD, emit)]
    from_file = [orjson.loads(caused.decision.value) for caused in steps if caused.decision is not None]
    placed = ("decision_id", "supersedes", "trigger")
    live = run(history, WORLD, emit).decisions
    assert [{k: v for k, v in d.items() if k not in placed} for d in from_file] == [
        {k: v for k, v in d.items() if k not in placed} for d in live
    ]
