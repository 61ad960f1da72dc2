"""A run of the service that shows everything once, watched by a real Prometheus."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from stream_enforcer.demo.events import generate
from stream_enforcer.demo.replica import free_port
from stream_enforcer.kafka.child_process import ChildProcess
from stream_enforcer.kafka.client import Producer
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, end_within
from tests.broker.stage import Stage, until
from tests.broker.test_crash import environment, replicas
from tests.broker.test_live_ownership import publish
from tests.builders import company
from tests.deploy.monitoring import PROMETHEUS, ROOT

EVENTS: Final = 6_000
PARTS: Final = 4
POLICY: Final = ROOT / "stream_enforcer" / "policies" / "restricted-regions.yaml"
EVERY: Final = "1s"
"""Between two scrapes here; the committed configuration leaves more time."""
READY_SECONDS: Final = 20.0
PANEL_SECONDS: Final = 3
"""How long a replay shows its rate before it may end: more than two scrapes."""
REPLAY: Final = "stream-enforcer-replay"


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str

    async def ask(self, path: str, **parameters: Any) -> Any:
        """Return the data of an answer of its API."""
        answer = await asyncio.to_thread(self._get, f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        assert answer["status"] == "success", answer
        return answer["data"]

    async def finds(self, expr: str) -> bool:
        """Tell whether a query has a result now."""
        return bool((await self.ask("query", query=expr))["result"])

    def _get(self, path: str) -> Any:
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as response:  # noqa: S310 - our own address
                return json.load(response)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as response:  # noqa: S310
                return bool(response.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


@contextmanager
def prometheus(program: str, folder: Path, targets: dict[str, list[str]]) -> Iterator[Prometheus]:
    """Run Prometheus with the committed configuration, but for its targets and its pace.

    Args:
        program: The executable.
        folder: Where its files go.
        targets: Addresses by job.
    """
    folder.mkdir()
    config = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": EVERY, "evaluation_interval": EVERY}
    config["rule_files"] = [str(PROMETHEUS / name) for name in config["rule_files"]]
    config["scrape_configs"] = [
        {"job_name": job, "static_configs": [{"targets": hosts}]} for job, hosts in targets.items()
    ]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    arguments = [
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    process = ChildProcess([program, *arguments], folder, folder / "prometheus.log")
    try:
        yield Prometheus(f"http://{address}")
    finally:
        process.stop(10)


@dataclass(frozen=True)
class Monitored:
    """What ran, as Prometheus has it.

    Attributes:
        prometheus: Answers for it.
        begin, end: From when to when it ran, Unix seconds.
    """

    prometheus: Prometheus
    begin: float
    end: float

    async def course(self, expr: str) -> list[dict[str, Any]]:
        """Return the course of every series of a query, over the whole run."""
        data = await self.prometheus.ask(
            "query_range", query=expr, start=self.begin, end=self.end, step=EVERY
        )
        found: list[dict[str, Any]] = data["result"]
        return found


@asynccontextmanager
async def monitored(program: str, stage: Stage, past: Stage, folder: Path) -> AsyncIterator[Monitored]:
    """Run two replicas and a replay under a Prometheus, until all have shown what they can.

    Args:
        program: The Prometheus.
        stage: Topics of the replicas.
        past: Topics of the replay.
        folder: Where files go.
    """
    replay_at = f"127.0.0.1:{free_port()}"
    async with replicas(stage, folder) as running:
        hosts = [replica.url.removeprefix("http://") for replica in running]
        targets = {"stream-enforcer": hosts, REPLAY: [replay_at]}
        with prometheus(program, folder / "prometheus", targets) as server:
            await until(server.ready, READY_SECONDS)
            begin = time.time()
            await _serve(stage, server)
            await _replay(past, server, replay_at, folder)
            yield Monitored(server, begin, time.time())


async def _serve(stage: Stage, server: Prometheus) -> None:
    """Feed events of all sorts, in parts, so that every count is seen to rise."""
    raw = _events(stage, 7)
    await until(lambda: server.finds("sum(stream_enforcer_partitions_owned) == 4"))
    sent = 0
    for part in range(PARTS):
        if part == PARTS // 2:
            await publish(stage, [company("made", "SG"), {"id": "not-a-statement"}])
        sent += await stage.send_raw([*raw[part::PARTS], (stage.topics.usage, b"k", b"{}")])
        consumed = f"sum(stream_enforcer_records_consumed_total) >= {sent}"
        await until(partial(server.finds, consumed), 60)
    await until(lambda: server.finds("sum(stream_enforcer_ownership_rejected_total) > 0"))
    await until(lambda: server.finds("sum(rate(stream_enforcer_dead_letters_total[1m])) > 0"))


async def _replay(past: Stage, server: Prometheus, where: str, folder: Path) -> None:
    """Run a replay that is held up in the middle and at the end, so that it is seen there."""
    raw = _events(past, 8)
    await past.send_raw(raw[: EVENTS // 2])
    middle = await _hold_up(past, "middle")
    await past.send_raw(raw[EVENTS // 2 :])
    end = await _hold_up(past, "end")
    replay = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream_enforcer", "replay", "run", "--against", str(POLICY)),
        *("--metrics", where, "--out", str(folder / "replay")),
        env={**os.environ, **environment(past)},
        stdout=subprocess.DEVNULL,
    )
    taken = "stream_enforcer_replay_records_total"
    try:
        await until(lambda: server.finds(f"{taken} > 0"), 60)
        await _let_go(middle)
        # For some seconds, not at one moment: panels ask for a course, whose steps would miss what ends at once.
        seen = f"count_over_time((rate({taken}[30s]) > 0)[{PANEL_SECONDS}s:1s]) >= {PANEL_SECONDS}"
        await until(lambda: server.finds(seen), 60)
    finally:
        await _let_go(end)
        assert await replay.wait() == 0


def _events(stage: Stage, seed: int) -> list[tuple[str, bytes, bytes]]:
    return [
        (getattr(stage.topics, role), key, value) for role, key, value in generate(EVENTS, seed, accounts=300)
    ]


async def _hold_up(stage: Stage, name: str) -> Producer:
    """Open a transaction: whoever reads what is committed waits before it."""
    producer = stage.clients.producer(f"{stage.settings.kafka.group}-{name}")
    await producer.start()
    await producer.begin_transaction()
    await (await producer.send(stage.topics.usage, b"{}", b"k", partition=0))
    return producer


async def _let_go(producer: Producer) -> None:
    await producer.commit_transaction()
    await end_within(CLOSE_SECONDS, producer.stop())
