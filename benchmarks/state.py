"""How fast a partition's accounts come back from the changelog, and what they take in memory; `make bench-state`."""

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

from aiokafka import TopicPartition

from benchmarks.load import ACCOUNTS as IN_LOAD
from benchmarks.load import Load
from benchmarks.service import machine
from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.domain.account_state import encode
from stream_enforcer.domain.cost import Spent, spend
from stream_enforcer.domain.engine import step
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.kafka.broker import given_or_local
from stream_enforcer.kafka.changelog import (
    ACCOUNT_PREFIX,
    CHECKPOINT_KEY,
    COST_PREFIX,
    Checkpoint,
    Restored,
    WorldId,
)
from stream_enforcer.kafka.changelog import restore as read_changelog
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.topics import create
from stream_enforcer.reference.world_files import load_world
from stream_enforcer.settings import Kafka, Topics

EVENTS_PER_ACCOUNT: Final = 3
TODAY: Final = 20_625
MOST_DAYS: Final = 10
"""Accounts have a cost on one to so many days of the month."""
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def states(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and states of accounts as the engine leaves them after a few events each, and what they spent."""
    world = load_world(None, geo_sources(), [ownership_file()]).world
    accounts: dict[bytes, Any] = {}
    for role, key, value in Load(3).events(EVENTS_PER_ACCOUNT * IN_LOAD, "state"):
        record = StoredRecord(role, 0, 0, 0, key, value)
        caused = step(record, None, accounts.get(key), world, "transitions")
        if caused.account is not None:
            accounts[key] = caused.account
    encoded = [encode(account) for account in accounts.values()]
    for number in range(count):
        account = b"acct-%08d" % number
        yield ACCOUNT_PREFIX + account, encoded[number % len(encoded)]
        yield COST_PREFIX + account, _spent(1 + number % MOST_DAYS)


def _spent(days: int) -> Spent:
    spent = None
    for day in range(TODAY, TODAY - days, -1):
        spent = spend(spent, day, 1_234_567)
    return spent or spend(None, TODAY, 0)


async def fill(clients: Clients, topic: str, count: int) -> None:
    """Write a partition's changelog."""
    producer = clients.producer(None)
    await producer.start()
    try:
        batch = producer.create_batch()
        position = (CHECKPOINT_KEY, Checkpoint({}, 1, WorldId("p", "r")).encode())
        for key, value in (*states(count), position):
            if batch.append(timestamp=None, key=key, value=value) is None:
                await producer.send_batch(batch, topic, partition=0)
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value)
        await producer.send_batch(batch, topic, partition=0)
        await producer.flush()
    finally:
        await producer.stop()


def restored(servers: str, topic: str) -> dict[str, float]:
    """Restore in this process, which has done nothing before, and measure."""
    clients = Clients(Kafka(bootstrap_servers=servers))
    into = Restored()
    gc.set_threshold(100_000, 50, 100)
    gc.freeze()
    rss, cpu, clock = _rss(), time.process_time(), time.perf_counter()
    asyncio.run(read_changelog(clients, TopicPartition(topic, 0), into))
    wall, cpu = time.perf_counter() - clock, time.process_time() - cpu
    count = len(into.accounts)
    as_bytes = _rss() - rss
    for key in list(into.accounts):
        into.accounts.get(key)
        into.costs.update({key: spend(into.costs.get(key), TODAY, 7)})
    return {
        "accounts": count,
        "seconds": wall,
        "accounts_per_second": count / wall,
        "accounts_per_cpu_second": count / cpu,
        "rss_bytes_per_account": as_bytes / count,
        "rss_bytes_per_account_all_back": (_rss() - rss) / count,
    }


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


async def measure(servers: str, count: int) -> dict[str, float]:
    """Write a changelog of so many accounts, and restore it in a fresh process."""
    clients = Clients(Kafka(bootstrap_servers=servers))
    name = f"bench-state-{int(time.time())}"
    roles = set(Topics.model_fields) - {"partitions", "replication"}
    topics = Topics(**{role: f"{name}-{role}" for role in roles}, partitions=1)
    await create(clients, topics)
    await fill(clients, topics.accounts, count)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, restored, servers, topics.accounts)


def main() -> None:
    """Parse the arguments, start a broker where none is given, measure, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, default=Path("bench-state.json"))
    options = parser.parse_args()
    with given_or_local(os.environ) as servers:
        figures = asyncio.run(measure(servers, options.accounts))
    print({name: round(value, 1) for name, value in figures.items()})
    options.json.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n")
    print(f"written to {options.json}")


if __name__ == "__main__":
    main()
