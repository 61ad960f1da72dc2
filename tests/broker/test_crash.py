"""A replica that is killed loses no decision and repeats none."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from stream_enforcer.cli.decide import decide_records
from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.demo.events import generate
from stream_enforcer.demo.replica import Replica
from stream_enforcer.reference.policy_file import load_policy
from stream_enforcer.reference.world_files import load_world
from stream_enforcer.replay.event_files import Line, event_records
from stream_enforcer.replay.verification import verify_decisions
from stream_enforcer.settings import PREFIX
from tests.broker.stage import Stage, broken_chains, until
from tests.builders import Json

EVENTS = 24_000
KILLS = 3


def environment(stage: Stage) -> dict[str, str]:
    """Give a replica's settings for a stage."""
    kafka, shape = stage.settings.kafka, ("partitions", "replication")
    return {
        f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        f"{PREFIX}KAFKA__GROUP": kafka.group,
        f"{PREFIX}KAFKA__SESSION_TIMEOUT_MS": str(kafka.session_timeout_ms),
        f"{PREFIX}GEO": json.dumps(geo_sources()),
        f"{PREFIX}OWNERSHIP": json.dumps([str(ownership_file())]),
        **{
            f"{PREFIX}TOPICS__{field.upper()}": str(value)
            for field, value in stage.topics.model_dump(exclude=set(shape)).items()
        },
    }


@asynccontextmanager
async def replicas(stage: Stage, folder: Path) -> AsyncIterator[list[Replica]]:
    """Give two replicas; those that run at the end must drain and exit with 0."""
    running = [Replica.start(f"replica-{n}", folder, environment(stage)) for n in (1, 2)]
    try:
        for replica in running:
            await asyncio.to_thread(replica.wait_ready, 60)
        yield running
        assert [await asyncio.to_thread(replica.stop) for replica in running] == [0, 0]
    finally:
        for replica in running:
            if replica.running():
                replica.kill()


async def done(stage: Stage) -> int:
    """Count the input records that are committed."""
    return sum(sum(c.offsets.values()) for c in (await stage.checkpoints()).values())


async def test_kills_in_mid_stream_lose_and_repeat_no_decision(stage: Stage, tmp_path: Path) -> None:
    events = list(generate(EVENTS, 11, accounts=600))
    raw = [(getattr(stage.topics, role), key, value) for role, key, value in events]
    part = len(raw) // (KILLS + 1)
    async with replicas(stage, tmp_path) as running:
        for kill in range(KILLS + 1):
            feeding = asyncio.create_task(stage.send_raw(raw[kill * part : (kill + 1) * part]))
            if kill < KILLS:
                before = await done(stage)

                async def some_are_done(least: int = before + part // 10) -> bool:
                    return await done(stage) >= least

                await until(some_are_done, 60)
                running.pop(kill % 2).kill()
                running.append(
                    await asyncio.to_thread(Replica.start, f"again-{kill}", tmp_path, environment(stage))
                )
            await feeding

        async def all_are_done() -> bool:
            return await done(stage) == (KILLS + 1) * part

        await until(all_are_done, 90)
    decisions = await stage.decisions()
    assert not broken_chains(decisions)
    assert await stage.open_transactions() == []
    lines = [Line(n, orjson.dumps(decision), whole=True) for n, decision in enumerate(decisions, start=1)]
    assert verify_decisions(lines, load_policy(None), partial=False).failure is None
    assert last_verdicts(decisions) == decided(raw, tmp_path / "events.jsonl")


Verdicts = dict[str, tuple[str, bool, tuple[str, ...]]]


def last_verdicts(decisions: list[Json]) -> Verdicts:
    return {
        d["account_id"]: (d["action"], d["review"], tuple(reason["code"] for reason in d["reasons"]))
        for d in decisions
    }


def decided(raw: list[tuple[str, bytes, bytes]], file: Path) -> Verdicts:
    """Give what `decide` says of the same events in a file."""
    file.write_bytes(b"".join(value + b"\n" for _, _, value in raw))
    world = load_world(None, geo_sources(), [ownership_file()]).world
    with file.open("rb") as stream:
        steps = decide_records(event_records(str(file), stream), world, "transitions")
        return last_verdicts([orjson.loads(s.decision.value) for _, s in steps if s.decision is not None])
