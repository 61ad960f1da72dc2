"""Ownership files that change while the service runs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from stream_enforcer.cli import following
from stream_enforcer.cli.following import follow_files
from stream_enforcer.domain.world import World
from stream_enforcer.observe.metrics import Metrics
from tests.broker.stage import until
from tests.builders import company, world

WORLD = world()


class Followed:
    """A file that is followed, and what was put in force."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.metrics = Metrics(CollectorRegistry(), "1")
        self.put: list[World] = []

    def replace(self, text: str) -> None:
        aside = self.path.with_suffix(".new")
        aside.write_text(text)
        aside.replace(self.path)

    async def rebase(self, found: World) -> None:
        self.put.append(found)

    def failures(self) -> float:
        return float(self.metrics.ownership_failures._value.get())

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        task = asyncio.create_task(follow_files([self.path], WORLD, self.rebase, self.metrics))
        await asyncio.sleep(0)
        yield
        task.cancel()
        assert [type(found) for found in await asyncio.gather(task, return_exceptions=True)] == [
            asyncio.CancelledError
        ]


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Followed:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.001)
    made = Followed(tmp_path / "ownership.jsonl")
    made.path.write_text(json.dumps(company("a")))
    return made


async def test_a_replaced_file_is_put_in_force_once_and_policy_and_geo_stay(followed: Followed) -> None:
    async with followed.going():
        followed.replace(json.dumps(company("b")))
        await until(lambda: bool(followed.put))
        followed.replace(json.dumps(company("c")))
        await until(lambda: len(followed.put) == 2)
    assert [list(found.graph.entities) for found in followed.put if found.graph] == [["b"], ["c"]]
    assert all((found.policy, found.geo) == (WORLD.policy, WORLD.geo) for found in followed.put)


async def test_a_file_that_cannot_be_used_is_said_and_the_next_one_taken(followed: Followed) -> None:
    async with followed.going():
        followed.replace("{")
        await until(lambda: followed.failures() == 1)
        followed.path.unlink()
        await until(lambda: followed.failures() == 2)
        followed.replace(json.dumps(company("b")))
        await until(lambda: bool(followed.put))
    assert len(followed.put) == 1
