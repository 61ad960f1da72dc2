"""How fast history is read from topics and put in order; `python -m benchmarks.history`."""

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import uvloop

from benchmarks.load import Load
from benchmarks.service import machine
from stream_enforcer.kafka.broker import given_or_local
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.history import TopicHistory, Wanted
from stream_enforcer.kafka.topics import create
from stream_enforcer.settings import Kafka, Topics

APART_MS: Final = 3_600_000
"""So far apart lie the partitions' times where they do not overlap."""


async def fill(clients: Clients, topics: Topics, count: int, *, apart: bool) -> None:
    """Write so many events of about 200 bytes; with `apart`, each partition's after those of the one before."""
    producer = clients.producer(None)
    await producer.start()
    start = int(time.time() * 1000) - APART_MS * topics.partitions - count  # younger than what is removed
    batches: dict[tuple[str, int], Any] = defaultdict(producer.create_batch)
    try:
        for n, (role, key, value) in enumerate(Load(3).events(count, "history")):
            partition = crc32(key) % topics.partitions
            place = getattr(topics, role), partition
            moment = start + n + (APART_MS * partition if apart else 0)
            if batches[place].append(timestamp=moment, key=key, value=value, headers=[]) is None:
                await producer.send_batch(batches.pop(place), place[0], partition=partition)
                batches[place].append(timestamp=moment, key=key, value=value, headers=[])
        for (topic, partition), batch in batches.items():
            await producer.send_batch(batch, topic, partition=partition)
        await producer.flush()
    finally:
        await producer.stop()


def read(servers: str, signups: str, usage: str) -> dict[str, float]:
    """Read all of it in this process, which has done nothing before, and measure."""
    gc.set_threshold(100_000, 50, 100)
    gc.freeze()
    before = _rss_peak()
    cpu, clock = time.process_time(), time.perf_counter()
    chunks, records = uvloop.run(_read(servers, signups, usage))
    wall, cpu = time.perf_counter() - clock, time.process_time() - cpu
    return {
        "records": records,
        "records_per_second": records / wall,
        "records_per_cpu_second": records / cpu,
        "records_per_chunk": records / chunks,
        "rss_peak_mb": (_rss_peak() - before) / 1e6,
    }


async def _read(servers: str, signups: str, usage: str) -> tuple[int, int]:
    chunks = records = 0
    wanted = Wanted({signups: "signup", usage: "usage"})
    async with TopicHistory(Clients(Kafka(bootstrap_servers=servers)), wanted) as history:
        async for chunk in history:
            chunks += 1
            records += len(chunk)
    if history.manifest.notes:
        raise RuntimeError(history.manifest.notes)
    return chunks, records


def _rss_peak() -> int:
    """Return the most memory that this process held; what `getrusage` says begins with its parent's."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


async def measure(servers: str, count: int, partitions: int, *, apart: bool) -> dict[str, float]:
    """Write topics of so many events, and read them in a fresh process."""
    clients = Clients(Kafka(bootstrap_servers=servers))
    name = f"bench-history-{time.time_ns()}"
    roles = set(Topics.model_fields) - {"partitions", "replication"}
    topics = Topics(**{role: f"{name}-{role}" for role in roles}, partitions=partitions)
    await create(clients, topics)
    await fill(clients, topics, count, apart=apart)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, read, servers, topics.signups, topics.usage)


def main() -> None:
    """Parse the arguments, start a broker where none is given, measure, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--json", type=Path, default=Path("bench-history.json"))
    options = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    with given_or_local(os.environ) as servers:
        for name, apart in (("overlapping", False), ("apart", True)):
            run = measure(servers, options.records, options.partitions, apart=apart)
            figures[name] = asyncio.run(run)
            print(name, {what: round(value, 1) for what, value in figures[name].items()})
    options.json.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n")
    print(f"written to {options.json}")


if __name__ == "__main__":
    main()
