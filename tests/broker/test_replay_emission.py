"""`replay --emit-to`: the decisions of the new side in a topic of their own, each once, whatever happens."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from typer.testing import CliRunner

from stream_enforcer.cli import app
from stream_enforcer.demo.data import ownership_file
from stream_enforcer.kafka import emission
from stream_enforcer.kafka.topics import partition_counts
from stream_enforcer.kafka.transaction import commit
from tests.broker.stage import PARTITIONS, Stage, broken_chains
from tests.broker.test_replay import environment, replay, served

__all__ = ["served"]

KILLED = """
import os, signal, sys
from stream_enforcer.cli import main
from stream_enforcer.kafka import emission
from stream_enforcer.kafka.client import Producer

emission.MOST_WAITING, number, when = 20, int(sys.argv.pop(1)), sys.argv.pop(1)
commit = Producer.commit_transaction
left = iter(range(number - 1, -1, -1))


async def dies(self):
    last = next(left) == 0
    if last and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    await commit(self)
    if last:
        os.kill(os.getpid(), signal.SIGKILL)


Producer.commit_transaction = dies
main()
"""


@pytest.fixture
def target(served: Stage) -> str:
    """A topic for decisions of a replay."""
    name = f"replayed-{uuid4().hex[:10]}"
    asyncio.run(served.make_topic(name, PARTITIONS))
    return name


Held = list[tuple[int, bytes | None, bytes | None]]


def held(stage: Stage, topic: str) -> Held:
    return [(record.partition, record.key, record.value) for record in asyncio.run(stage.read(topic))]


@pytest.fixture
def emitted(served: Stage, target: str, tmp_path: Path) -> Held:
    """What a replay publishes that nothing disturbs."""
    result = replay(served, tmp_path / "undisturbed", "--emit-to", target)
    assert result.exit_code == 0
    found = held(served, target)
    assert result.stderr == f"{len(found):,} decisions published to {target}; 0 were there\n"
    return found


def test_every_decision_is_published_where_its_account_is(served: Stage, emitted: Held) -> None:
    decisions = [orjson.loads(value or b"") for _, _, value in emitted]
    assert broken_chains(decisions) == []
    assert {decision["account_id"].encode() for decision in decisions} == {key for _, key, _ in emitted}
    inputs = {served.topics.signups, served.topics.usage, served.topics.overrides}
    for (partition, key, _), decision in zip(emitted, decisions, strict=True):
        assert key == decision["account_id"].encode()
        assert decision["trigger"]["partition"] == partition
        assert decision["trigger"]["topic"] in inputs
    live = asyncio.run(served.decisions())
    assert last_words(decisions) == last_words(live)


def last_words(decisions: list[Any]) -> dict[str, tuple[str, bool]]:
    return {decision["account_id"]: (decision["action"], decision["review"]) for decision in decisions}


def test_published_decisions_verify(served: Stage, emitted: Held, tmp_path: Path) -> None:
    path = tmp_path / "emitted.jsonl"
    path.write_bytes(b"".join((value or b"") + b"\n" for _, _, value in emitted))
    assert CliRunner().invoke(app, ["verify", str(path)]).exit_code == 0


def test_a_second_run_adds_nothing(served: Stage, target: str, emitted: Held, tmp_path: Path) -> None:
    result = replay(served, tmp_path, "--emit-to", target, "--workers", "2")
    assert (result.exit_code, result.stderr) == (
        0,
        f"0 decisions published to {target}; {len(emitted):,} were there\n",
    )
    assert held(served, target) == emitted


@pytest.fixture
def another(served: Stage) -> str:
    name = f"replayed-{uuid4().hex[:10]}"
    asyncio.run(served.make_topic(name, PARTITIONS))
    return name


@pytest.mark.parametrize(("number", "when"), [(1, "before"), (1, "after"), (3, "before"), (3, "after")])
def test_a_run_that_is_killed_in_a_transaction_and_run_again_publishes_each_decision_once(
    served: Stage, emitted: Held, another: str, tmp_path: Path, number: int, when: str
) -> None:
    arguments = ["replay", "--out", str(tmp_path / "out"), "--emit-to", another]
    surroundings = {**os.environ, **environment(served)}
    script = [sys.executable, "-c", KILLED, str(number), when, *arguments]
    assert subprocess.run(script, env=surroundings, check=False).returncode == -signal.SIGKILL
    result = replay(served, tmp_path / "out", "--emit-to", another)
    assert result.exit_code == 0
    published, before = (
        int(count) for count in re.findall(r"(\d+) (?:decisions published|were there)", result.stderr)
    )
    assert (before > 0) is (number > 1 or when == "after")
    assert published > 0
    assert published + before == len(emitted)
    assert held(served, another) == emitted


async def test_an_older_run_that_still_lives_publishes_nothing_more(served: Stage, another: str) -> None:
    def run() -> emission.Emission:
        return emission.Emission(served.clients, another, f"{another}-run", [0])

    async with run() as older:
        async with run() as newer:
            newer.take(0, b"account", b"decision")
            await newer.finish()
        older.take(0, b"account", b"decision")
        with pytest.raises(emission.BadTarget, match="another run of the same replay"):
            await older.finish()
    assert [record.value for record in await served.read(another)] == [b"decision"]


def test_a_run_that_is_interrupted_is_run_again(
    served: Stage, emitted: Held, another: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = iter(range(1, 1 << 20))

    async def interrupted(*arguments: Any) -> int | None:
        after = await commit(*arguments)
        if next(commits) == 2:
            signal.raise_signal(signal.SIGTERM)
        return after

    with monkeypatch.context() as patch:
        patch.setattr(emission, "commit", interrupted)
        patch.setattr(emission, "MOST_WAITING", 20)
        result = replay(served, tmp_path, "--emit-to", another)
    assert result.exit_code == 130
    assert "run it again" in result.stderr
    assert 0 < len(held(served, another)) < len(emitted)
    assert replay(served, tmp_path, "--emit-to", another).exit_code == 0
    assert held(served, another) == emitted


def everybody(folder: Path) -> str:
    """Write a policy that suspends everybody."""
    policy = folder / "everybody.yaml"
    policy.write_text(
        "id: everybody\nversion: '1'\nrestricted: [CN]\n"
        "rules: [{id: all, when: 'true', outcome: suspend, reason: Everybody.}]\n"
    )
    return str(policy)


def test_a_topic_that_holds_something_else_is_left_alone(
    served: Stage, target: str, emitted: Held, tmp_path: Path
) -> None:
    result = replay(served, tmp_path / "out", "--policy", everybody(tmp_path), "--emit-to", target)
    assert result.exit_code == 2
    assert f"{target}-" in result.stderr
    assert "not the first decisions of this replay" in result.stderr
    shorter = replay(served, tmp_path / "out", "--to", f"{served.topics.signups}-0=1", "--emit-to", target)
    assert shorter.exit_code == 2
    assert held(served, target) == emitted


def test_nothing_is_published_when_a_limit_is_broken(served: Stage, target: str, tmp_path: Path) -> None:
    arguments = ["--policy", everybody(tmp_path), "--emit-to", target, "--max-new-suspensions", "3"]
    assert replay(served, tmp_path / "out", *arguments).exit_code == 1
    assert held(served, target) == []


def test_the_topics_of_the_service_are_refused(served: Stage, tmp_path: Path) -> None:
    names = set(served.topics.model_dump(exclude={"partitions", "replication"}).values())
    assert len(names) == 7
    for name in names:
        result = replay(served, tmp_path, "--emit-to", name)
        assert result.exit_code == 2
        assert "is a topic of the service" in result.stderr


def test_no_topic_is_made_and_none_of_another_width_taken(served: Stage, tmp_path: Path) -> None:
    missing, narrow = f"missing-{uuid4().hex[:10]}", f"narrow-{uuid4().hex[:10]}"
    asyncio.run(served.make_topic(narrow, PARTITIONS - 1))
    for name, said in ((missing, "there is none"), (narrow, f"it has {PARTITIONS - 1}")):
        result = replay(served, tmp_path, "--emit-to", name)
        assert result.exit_code == 2
        assert f"needs {PARTITIONS} partitions" in result.stderr
        assert said in result.stderr
    assert missing not in asyncio.run(partition_counts(served.clients))


def test_data_by_day_are_refused(served: Stage, target: str, tmp_path: Path) -> None:
    dated = f"2026-06-19={ownership_file()}"
    result = replay(
        served, tmp_path, "--ownership", str(ownership_file()), "--ownership", dated, "--emit-to", target
    )
    assert result.exit_code == 2
    assert "no ownership data by day" in result.stderr
