"""`replay` over the topics of a service: what it decided, judged again, differs in nothing."""

import asyncio
import json
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from stream_enforcer.cli import app
from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.demo.events import generate
from stream_enforcer.reference.world_files import load_world
from stream_enforcer.replay.results import read
from stream_enforcer.settings import PREFIX
from tests.broker.stage import PARTITIONS, Stage, make_stage
from tests.builders import company

EVENTS = 6_000


@pytest.fixture(scope="module")
def served(kafka: str) -> Stage:
    """Topics of a service that has decided about the demo's events, with a few records that are none."""
    return asyncio.run(_served(kafka))


async def _served(servers: str) -> Stage:
    stage = await make_stage(servers)
    world = load_world(None, geo_sources(), [ownership_file()]).world
    raw = [
        (getattr(stage.topics, role), key, value) for role, key, value in generate(EVENTS, 7, accounts=300)
    ]
    async with stage.running(world) as running:
        sent = await stage.send_raw(raw)
        await running.all_consumed(sent)
    return stage


def replay(stage: Stage, out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["replay", *arguments, "--out", str(out)], env=environment(stage))


def environment(stage: Stage) -> dict[str, str]:
    kafka, shape = stage.settings.kafka, {"partitions", "replication"}
    return {
        f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        f"{PREFIX}KAFKA__GROUP": kafka.group,
        f"{PREFIX}GEO": json.dumps(geo_sources()),
        f"{PREFIX}OWNERSHIP": json.dumps([str(ownership_file())]),
        **{f"{PREFIX}TOPICS__{k.upper()}": v for k, v in stage.topics.model_dump(exclude=shape).items()},
    }


def test_what_run_decided_is_what_replay_decides(served: Stage, tmp_path: Path) -> None:
    before = asyncio.run(served.committed())
    result = replay(served, tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")
    summary, rows = read(tmp_path)
    assert rows == []
    assert summary["events"] + summary["malformed"] == EVENTS
    assert summary["totals"]["old"] == summary["totals"]["new"]
    assert summary["totals"]["new"]["suspended"] > 0
    assert asyncio.run(served.committed()) == before


def test_parts_of_the_partitions_are_the_whole(served: Stage, tmp_path: Path) -> None:
    whole, merged = tmp_path / "whole", tmp_path / "merged"
    assert replay(served, whole).exit_code == 0
    parts = [str(tmp_path / f"part-{number}") for number in range(3)]
    for number, part in enumerate(parts):
        assert replay(served, Path(part), "--part", f"{number}/3").exit_code == 0
    assert CliRunner().invoke(app, ["replay", "merge", *parts, "--out", str(merged)]).exit_code == 0
    for path in whole.iterdir():
        assert (merged / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("workers", [2, PARTITIONS + 1])
def test_several_processes_say_what_one_says_to_the_byte(served: Stage, tmp_path: Path, workers: int) -> None:
    one, several = tmp_path / "one", tmp_path / "several"
    nobody = tmp_path / "nobody.jsonl"
    nobody.write_bytes(orjson.dumps(company("nobody", "SG")))
    data = ["--ownership", str(nobody), "--ownership", f"2099-01-01={ownership_file()}"]
    asked = ["--from", f"{served.topics.usage}-1=40", *data, "--against-ownership", str(nobody)]
    assert replay(served, one, *asked).exit_code == 0
    assert {row["new"]["since"][:4] for row in read(one)[1]} >= {"2099"}
    result = replay(served, several, *asked, "--workers", str(workers))
    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted(path.name for path in several.iterdir()) == sorted(path.name for path in one.iterdir())
    for path in one.iterdir():
        assert (several / path.name).read_bytes() == path.read_bytes()


def test_a_process_that_fails_ends_the_others(served: Stage, tmp_path: Path) -> None:
    result = replay(served, tmp_path, "--workers", "2", "--to", f"{served.topics.usage}-0=99999999")
    assert result.exit_code == 2
    assert not (tmp_path / "summary.json").exists()


def test_a_gate_fails_on_a_policy_that_suspends_too_many(served: Stage, tmp_path: Path) -> None:
    policy = tmp_path / "everybody.yaml"
    policy.write_text(
        "id: everybody\nversion: '1'\nrestricted: [CN]\n"
        "rules: [{id: all, when: 'true', outcome: suspend, reason: Everybody.}]\n"
    )
    result = replay(served, tmp_path / "out", "--policy", str(policy), "--max-new-suspensions", "10")
    assert result.exit_code == 1
    assert "max_new_suspensions" in result.stderr


def test_a_stretch_of_time_is_read_and_what_is_missing_is_said(served: Stage, tmp_path: Path) -> None:
    result = replay(served, tmp_path, "--to", "2000-01-01")
    assert result.exit_code == 0
    assert read(tmp_path)[0]["events"] == 0
    result = replay(served, tmp_path, "--from", f"{served.topics.usage}-0=1")
    assert result.exit_code == 0
    summary, _ = read(tmp_path)
    assert summary["run"]["notes"] == ["what accounts showed before the start is not known"]
    assert summary["events"] + summary["malformed"] == EVENTS - 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "yesterday"], "neither one time nor offsets"),
        (["--from", "no-such-topic-0=4"], "no-such-topic"),
        (["--to", "{usage}-0=99999999"], "99,999,999"),
        (["--part", "3/3"], "--part 3/3"),
        (["--part", "0/2", "--workers", "2"], "--workers and --part"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(
    served: Stage, tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = replay(served, tmp_path, *(a.format(usage=served.topics.usage) for a in arguments))
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_published_decisions_are_rows_of_json(served: Stage, tmp_path: Path) -> None:
    result = replay(served, tmp_path, "--json")
    assert orjson.loads(result.stdout) == read(tmp_path)[0]


def test_what_run_decided_comes_out_again(served: Stage) -> None:
    result = CliRunner().invoke(app, ["replay", "--reproduce"], env=environment(served))
    assert (result.exit_code, result.stderr) == (0, "")
    published = len(asyncio.run(served.decisions()))
    assert result.stdout == f"{published:,} decisions judged again, 0 differ, 0 not judged\n"
