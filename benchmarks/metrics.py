"""What metrics cost: how soon `/metrics` answers with many partitions, and what part of an event's time counting takes.

`make bench-metrics`. Counting is compared in one process, round by round in turn: the same events are judged and
"committed" without a broker, once with all that is done for metrics and once without. A broker would make the rest
of the work greater, and so the part smaller.
"""

import argparse
import asyncio
import gc
import gzip
import http.client
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median, quantiles
from typing import Final, TypeAlias

import uvloop
from aiokafka import ConsumerRecord
from prometheus_client import CollectorRegistry

from benchmarks.load import Load
from benchmarks.service import machine
from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.domain.account import Account
from stream_enforcer.domain.decision import Decision
from stream_enforcer.domain.events import EventKind
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.changelog import Restored
from stream_enforcer.kafka.dead_letters import DeadLetter
from stream_enforcer.kafka.partition import Partition, Terms
from stream_enforcer.kafka.work import Work, count_committed
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.http import HttpServer, build_app
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.reference.world_files import load_world

CHUNK: Final = 200
"""Records judged at a time, as the service does."""
COMMITTED: Final = 5_000
"""Records in one transaction, about as many as in `make bench`."""
TOPICS: Final[Mapping[str, EventKind]] = {"signups": "signup", "usage": "usage", "overrides": "override"}
Record: TypeAlias = ConsumerRecord[bytes, bytes]
AS_PROMETHEUS: Final = {
    "accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "accept-encoding": "gzip",
}
NOW_MS: Final = 1_782_000_000_000


def filled(partitions: int) -> Metrics:
    """Return metrics as a replica has them that owns so many partitions and has seen everything."""
    metrics = Metrics(CollectorRegistry(), "0.1.0")
    for number in range(partitions):
        metrics.opened(number, 1_000_000 + number, 4.2)
        metrics.partition_paused.labels(str(number), "transient").set(1)
        metrics.opening(number, time.time())
        for topic in TOPICS:
            metrics.lag.labels(topic, str(number)).set(number)
            metrics.records.labels(topic, str(number)).inc(1e9 + number)
    for rule in ("none", *(f"rule-{n}" for n in range(20))):
        for action in ("allow", "suspend"):
            metrics.decisions.labels(action, rule).inc(1e6)
    metrics.policy_in_force("restricted-regions", "1", "0" * 64, "enforce")
    return metrics


async def answers(metrics: Metrics, times: int) -> dict[str, float]:
    """Ask the service's HTTP server for `/metrics`, as Prometheus does. The loop has to be the service's, uvloop."""
    app = build_app(metrics.registry, Health(0.0), dict, time.monotonic)
    server = await HttpServer.serve(app, "127.0.0.1", 0)
    try:
        took, size, series = await asyncio.to_thread(_ask, server.port, times)
    finally:
        await server.stop()
    return {
        "series": series,
        "bytes": size,
        "median_ms": median(took) * 1e3,
        "p99_ms": quantiles(took, n=100)[98] * 1e3,
        "max_ms": max(took) * 1e3,
    }


def _ask(port: int, times: int) -> tuple[list[float], int, int]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    took, packed = [], b""
    for _ in range(times):
        began = time.perf_counter()
        connection.request("GET", "/metrics", headers=AS_PROMETHEUS)
        packed = connection.getresponse().read()
        took.append(time.perf_counter() - began)
    connection.close()
    text = gzip.decompress(packed)
    return took, len(text), sum(not line.startswith(b"#") for line in text.splitlines())


class Uncounted(Work):
    """Work that gathers what is published, and nothing of what is only counted."""

    def _count(self, account: Account, decision: Decision, timestamp: int) -> None: ...

    def bury(self, letter: DeadLetter, _reason: str) -> None:
        """Add a dead letter."""
        self.dead_letters.append(letter)


class Judge:
    """A partition that judges and commits without a broker.

    Attributes:
        seconds: Processor time that it took.
    """

    def __init__(self, world: World, metrics: Metrics | None) -> None:
        self._metrics = metrics
        self._partition = Partition(0, Terms(TOPICS, "transitions", "bench"), world, Restored())
        self._taken = 0
        self.seconds = 0.0
        self._begin_work()

    def _begin_work(self) -> None:
        if self._metrics is None:
            self._partition.pending = Uncounted()

    def take(self, topic: str, records: list[Record]) -> None:
        """Judge records as the service does, and commit when there are enough."""
        began = time.process_time_ns()
        started = time.perf_counter()
        self._partition.take(topic, records, NOW_MS)
        if self._metrics is not None:
            self._metrics.step_seconds.observe(time.perf_counter() - started)
        self._taken += len(records)
        if self._taken >= COMMITTED:
            self._commit()
        self.seconds += (time.process_time_ns() - began) / 1e9

    def _commit(self) -> None:
        work = self._partition.next_work()
        self._partition.committed()
        if self._metrics is not None:
            count_committed(self._metrics, 0, work, len(self._partition.restored.accounts), 0.01)
        self._begin_work()
        self._taken = 0


def _record(topic: str, offset: int, key: bytes, value: bytes) -> Record:
    return ConsumerRecord(topic, 0, offset, NOW_MS, 0, key, value, None, len(key), len(value), [])


def batches(count: int) -> list[tuple[str, list[Record]]]:
    """Return the load as a poll gives it: by topic, and no more than a chunk at a time."""
    waiting: dict[str, list[Record]] = {}
    found = []
    for offset, (role, key, value) in enumerate(Load(5).events(count, "metrics")):
        chunk = waiting.setdefault(role, [])
        chunk.append(_record(role, offset, key, value))
        if len(chunk) == CHUNK:
            found.append((role, waiting.pop(role)))
    return [*found, *waiting.items()]


def share(count: int, rounds: int) -> dict[str, float]:
    """Compare judging with and without counting, chunk by chunk, so that both meet the same moods of the machine."""
    world = load_world(None, geo_sources(), [ownership_file()]).world
    load = batches(count)
    metrics = Metrics(CollectorRegistry(), "0.1.0")
    _one_round(world, load, metrics)  # warms the world's memories
    gc.freeze()
    pairs = [_one_round(world, load, metrics) for _ in range(rounds)]
    shares = [(counted - bare) / counted for counted, bare in pairs]
    return {
        "events": count,
        "rounds": rounds,
        "with_us_per_event": median(counted for counted, _ in pairs) / count * 1e6,
        "without_us_per_event": median(bare for _, bare in pairs) / count * 1e6,
        "share_percent": median(shares) * 100,
        "least_percent": min(shares) * 100,
        "most_percent": max(shares) * 100,
    }


def _one_round(world: World, load: list[tuple[str, list[Record]]], metrics: Metrics) -> tuple[float, float]:
    counted, bare = Judge(world, metrics), Judge(world, None)
    gc.collect()
    gc.disable()  # it would come to one of the two by chance
    for number, (topic, records) in enumerate(load):
        for judge in (counted, bare) if number % 2 else (bare, counted):
            judge.take(topic, records)
    gc.enable()
    return counted.seconds, bare.seconds


def main() -> None:
    """Parse the arguments, measure, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partitions", type=int, default=200)
    parser.add_argument("--times", type=int, default=200, help="how often /metrics is asked for")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=Path("bench-metrics.json"))
    options = parser.parse_args()
    results = {
        "machine": {**machine(), "load": os.getloadavg()[0]},
        "answer": uvloop.run(answers(filled(options.partitions), options.times)),
        "counting": share(options.events, options.rounds),
    }
    for name, figures in results.items():
        print(
            name,
            {key: round(value, 2) if isinstance(value, float) else value for key, value in figures.items()},
        )
    options.json.write_text(json.dumps(results, indent=2) + "\n")
    print(f"written to {options.json}")


if __name__ == "__main__":
    main()
