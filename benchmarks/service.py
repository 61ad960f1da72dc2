"""Throughput of one replica on one core, and its latency at a steady rate; `make bench`."""

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import quantiles
from typing import Any
from zlib import crc32

import orjson
import uvloop
from aiokafka import TopicPartition

from benchmarks.load import Load
from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.demo.replica import Replica, Samples, total
from stream_enforcer.kafka.broker import given_or_local
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.topics import create
from stream_enforcer.settings import PREFIX, Kafka, Topics

PARTITIONS = 4
TICK_SECONDS = 0.005
CONSUMED = "stream_enforcer_records_consumed_total"


@dataclass(frozen=True)
class Run:
    """One benchmark's topics, on their own names, and the replica's settings."""

    servers: str
    name: str
    emit: str
    folder: Path
    commit_interval_ms: int = 0

    @property
    def topics(self) -> Topics:
        """The topics of this run."""
        names = {
            field: f"{self.name}-{field}"
            for field in Topics.model_fields
            if field not in ("partitions", "replication")
        }
        return Topics(**names, partitions=PARTITIONS)

    @property
    def clients(self) -> Clients:
        """Clients of the broker."""
        return Clients(Kafka(bootstrap_servers=self.servers, group=self.name))

    def replica(self) -> Replica:
        """Start a replica, on the last core where there are several."""
        topics = self.topics.model_dump(exclude={"partitions", "replication"})
        environment = {
            f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS": self.servers,
            f"{PREFIX}KAFKA__GROUP": self.name,
            f"{PREFIX}EMIT": self.emit,
            f"{PREFIX}COMMIT_INTERVAL_MS": str(self.commit_interval_ms),
            f"{PREFIX}GEO": json.dumps(geo_sources()),
            f"{PREFIX}OWNERSHIP": json.dumps([str(ownership_file())]),
            **{f"{PREFIX}TOPICS__{name.upper()}": value for name, value in topics.items()},
        }
        return Replica.start(self.name, self.folder, environment)


async def fill(run: Run, count: int) -> None:
    """Write `count` events to the input topics, in batches straight to their partitions."""
    producer = run.clients.producer(None)
    await producer.start()
    batches: dict[tuple[str, int], Any] = {}
    try:
        for role, key, value in Load(1).events(count, "load"):
            at = (getattr(run.topics, role), crc32(key) % PARTITIONS)
            if at not in batches or batches[at].append(timestamp=None, key=key, value=value) is None:
                if at in batches:
                    await producer.send_batch(batches[at], at[0], partition=at[1])
                batches[at] = producer.create_batch()
                batches[at].append(timestamp=None, key=key, value=value)
        for (topic, partition), batch in batches.items():
            await producer.send_batch(batch, topic, partition=partition)
        await producer.flush()
    finally:
        await producer.stop()


async def throughput(run: Run, count: int) -> dict[str, float]:
    """Let one replica work off a full topic; time from its first commit to its last."""
    await create(run.clients, run.topics)
    await fill(run, count)
    replica = run.replica()
    try:
        marks: list[tuple[float, float, float]] = []
        while not marks or marks[-1][1] < count:
            await asyncio.sleep(0.25)
            samples = await asyncio.to_thread(replica.samples)
            done = total(samples, CONSUMED)
            if done or not replica.running():
                marks.append((time.perf_counter(), done, total(samples, "process_cpu_seconds_total")))
            if not replica.running():
                raise SystemExit(replica.log_tail())
        (start, first, cpu_start), (end, last, cpu_end) = marks[0], marks[-1]
        return {
            "events": count,
            "events_per_second": (last - first) / (end - start),
            "events_per_cpu_second": (last - first) / (cpu_end - cpu_start),
            "rss_mb": total(samples, "process_resident_memory_bytes") / 2**20,
            "accounts": total(samples, "stream_enforcer_accounts"),
            "decisions": total(samples, "stream_enforcer_decisions_total"),
            "transactions": total(samples, "stream_enforcer_transactions_total"),
        }
    finally:
        await asyncio.to_thread(replica.stop)


async def drain(run: Run, count: int) -> dict[str, float]:
    """Tell a replica in the midst of a full topic to end; time until its process is gone."""
    await create(run.clients, run.topics)
    await fill(run, count)
    replica = run.replica()
    await _caught_up(replica, 1)
    started = time.perf_counter()
    code = await asyncio.to_thread(replica.stop)
    return {"seconds": time.perf_counter() - started, "exit_code": code}


async def latency(run: Run, rate: int, seconds: float) -> dict[str, float]:
    """Produce at a steady rate, and time each event that causes a decision until a committed reader sees it."""
    await create(run.clients, run.topics)
    replica = run.replica()
    try:
        await asyncio.to_thread(replica.wait_ready, 60)
        sent: dict[str, float] = {}
        seen: dict[str, float] = {}
        reading = asyncio.create_task(_read(run, seen))
        wanted = int(rate * seconds)
        await _produce(run, rate, wanted, sent)
        samples = await _caught_up(replica, wanted)
        decisions = total(samples, "stream_enforcer_decisions_total")
        await _read_to_the_end(run, seen, decisions, reading)
        warm = sorted(sent)[len(sent) // 5 :]  # the first fifth warms caches up
        took = sorted(seen[event] - sent[event] for event in warm if event in seen)
        percent = quantiles(took, n=1000)
        return {
            "rate": rate,
            "events": wanted,
            "decisions": decisions,
            "p50_ms": percent[499] * 1e3,
            "p95_ms": percent[949] * 1e3,
            "p99_ms": percent[989] * 1e3,
            "max_ms": took[-1] * 1e3,
            "cpu_seconds": total(samples, "process_cpu_seconds_total"),
            "commit_ms": 1e3
            * total(samples, "stream_enforcer_commit_seconds_sum")
            / total(samples, "stream_enforcer_commit_seconds_count"),
        }
    finally:
        await asyncio.to_thread(replica.stop)


async def _caught_up(replica: Replica, count: int) -> Samples:
    while True:
        samples = await asyncio.to_thread(replica.samples)
        if total(samples, CONSUMED) >= count:
            return samples
        await asyncio.sleep(0.25)


async def _read_to_the_end(
    run: Run, seen: dict[str, float], decisions: float, reading: asyncio.Task[None]
) -> None:
    await asyncio.wait([reading], timeout=1)  # what the last commit published is on its way
    if len(seen) < decisions:
        raise SystemExit(f"{run.name}: {len(seen)} of {decisions:.0f} decisions were seen")
    reading.cancel()
    await asyncio.wait([reading])


async def _read(run: Run, seen: dict[str, float]) -> None:
    reader = run.clients.reader()
    await reader.start()
    try:
        tps = [TopicPartition(run.topics.decisions, p) for p in range(PARTITIONS)]
        reader.assign(tps)
        for tp in tps:
            reader.seek(tp, 0)
        while True:
            for records in (await reader.getmany(timeout_ms=100)).values():
                now = time.perf_counter()
                for record in records:
                    seen[orjson.loads(record.value)["trigger"]["event_id"]] = now
    finally:
        await reader.stop()


async def _produce(run: Run, rate: int, count: int, sent: dict[str, float]) -> None:
    """Send what has fallen due every few milliseconds, a batch for each partition: the load costs little itself."""
    events = list(Load(2).events(count, "steady"))
    producer = run.clients.producer(None)
    await producer.start()
    start, done = time.perf_counter(), 0
    try:
        while done < count:
            due = min(count, int((time.perf_counter() - start) * rate) + 1)
            batches: dict[tuple[str, int], Any] = {}
            now = time.perf_counter()
            for number in range(done, due):
                role, key, value = events[number]
                at = (getattr(run.topics, role), crc32(key) % PARTITIONS)
                if at not in batches:
                    batches[at] = producer.create_batch()
                batches[at].append(timestamp=None, key=key, value=value)
                sent[f"steady-{number:010d}"] = now
            for (topic, partition), batch in batches.items():
                await producer.send_batch(batch, topic, partition=partition)
            done = due
            await asyncio.sleep(TICK_SECONDS)
        await producer.flush()
    finally:
        await producer.stop()


async def measure(options: argparse.Namespace, servers: str, folder: Path) -> dict[str, Any]:
    """Run every benchmark and return its figures."""
    stamp = f"{int(time.time())}"
    results: dict[str, Any] = defaultdict(dict)
    for emit in ("transitions", "every") if options.events else ():
        run = Run(servers, f"bench-{emit}-{stamp}", emit, folder)
        results["throughput"][emit] = await throughput(run, options.events)
        print(emit, _rounded(results["throughput"][emit]))
    if options.events:
        run = Run(servers, f"bench-drain-{stamp}", "every", folder)
        results["drain"] = await drain(run, 300_000)
        print("drain", _rounded(results["drain"]))
    for emit, rate in product(("transitions", "every"), options.rates):
        run = Run(servers, f"bench-{emit}-{rate}-{stamp}", emit, folder, options.commit_interval_ms)
        name = f"{emit} at {rate}/s"
        results["latency"][name] = await latency(run, rate, options.seconds)
        print(name, _rounded(results["latency"][name]))
    return {"machine": machine(), **results}


def machine() -> dict[str, Any]:
    """Describe the machine."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "date": time.strftime("%Y-%m-%d")}


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in figures.items()}


def main() -> None:
    """Parse the arguments, start a broker where none is given, measure, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--events", type=int, default=1_500_000, help="of the throughput runs; 0 leaves them out"
    )
    parser.add_argument("--rates", type=int, nargs="*", default=[500, 2_000, 10_000])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--commit-interval-ms", type=int, default=0, help="of the latency runs")
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, given_or_local(os.environ) as servers:
        results = uvloop.run(measure(options, servers, Path(folder)))
    options.json.write_text(json.dumps(results, indent=2) + "\n")
    print(f"written to {options.json}")


if __name__ == "__main__":
    main()
