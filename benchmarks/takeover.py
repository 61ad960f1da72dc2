"""How long until all accounts of a company that was taken over are suspended; part of `make bench-ownership`."""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.service import PARTITIONS, Run, machine
from stream_enforcer.kafka.broker import given_or_local
from stream_enforcer.kafka.changelog import bounds
from stream_enforcer.kafka.topics import create

COMPANIES = 2
"""Each is taken over in turn. The first time, the replica has to index its accounts."""


def register() -> Iterator[dict[str, Any]]:
    """Yield a restricted holding, the companies that it takes over, and one that it leaves alone."""
    yield {"kind": "entity", "id": "holding", "name": "Holding", "type": "company", "country": "CN"}
    for number in range(COMPANIES + 1):
        identifiers = {"lei": f"LEI{number}"}
        company = {"kind": "entity", "id": f"c{number}", "name": f"Company {number}", "type": "company"}
        yield {**company, "country": "SG", "identifiers": identifiers}


def takeover(number: int) -> dict[str, Any]:
    """Return the stake that takes a company over."""
    return {"kind": "stake", "id": f"s{number}", "holder": "holding", "held": f"c{number}", "share": 60}


async def publish(run: Run, statements: Iterator[dict[str, Any]]) -> None:
    """Publish ownership statements."""
    producer = run.clients.producer(None)
    await producer.start()
    try:
        for statement in statements:
            await producer.send(run.topics.ownership, orjson.dumps(statement), statement["id"].encode())
        await producer.flush()
    finally:
        await producer.stop()


async def sign_up(run: Run, accounts: int, of_each: int) -> None:
    """Sign accounts up, the first of them for the companies that are taken over."""
    producer = run.clients.producer(None)
    await producer.start()
    try:
        for number in range(accounts):
            company, key = min(number // of_each, COMPANIES), f"account-{number}".encode()
            event = {
                "type": "signup",
                "event_id": f"e{number}",
                "account_id": key.decode(),
                "occurred_at": "2026-11-01T00:00:00Z",
                "email_domain": f"mail{number % 5_000}.example",
                "organization": {"name": f"Organisation {number % 20_000}", "lei": f"LEI{company}"},
            }
            at = crc32(key) % PARTITIONS
            await producer.send(run.topics.signups, orjson.dumps(event), key, partition=at)
        await producer.flush()
    finally:
        await producer.stop()


async def seen(reader: AIOKafkaConsumer, count: int) -> None:
    """Read so many decisions."""
    while count > 0:
        batches = await reader.getmany(timeout_ms=100)
        count -= sum(map(len, batches.values()))
    if count:
        raise SystemExit(f"{-count} decisions too many")


async def measure(run: Run, accounts: int, of_each: int) -> dict[str, Any]:
    """Take one company after another over, and time each until a committed reader has all that it causes."""
    await create(run.clients, run.topics)
    await publish(run, register())
    replica = run.replica()
    reader = run.clients.reader()
    await reader.start()
    try:
        tps = [TopicPartition(run.topics.decisions, number) for number in range(PARTITIONS)]
        reader.assign(tps)
        for tp, (first, _) in (await bounds(run.clients, tps)).items():
            reader.seek(tp, first)
        await asyncio.to_thread(replica.wait_ready, 60)
        await sign_up(run, accounts, of_each)
        await seen(reader, accounts)
        seconds = []
        for number in range(COMPANIES):
            started = time.perf_counter()
            await publish(run, iter([takeover(number)]))
            await seen(reader, of_each)
            seconds.append(round(time.perf_counter() - started, 3))
    finally:
        await reader.stop()
        await asyncio.to_thread(replica.stop)
    return {"accounts": accounts, "suspended": of_each, "first_seconds": seconds[0], "seconds": seconds[1]}


def main() -> None:
    """Run it, print the figures and write them to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--affected", type=int, default=10_000, help="accounts of each company taken over")
    parser.add_argument("--out", type=Path, default=Path("bench-takeover.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, given_or_local(os.environ) as servers:
        run = Run(servers, "takeover", "transitions", Path(folder))
        figures = uvloop.run(measure(run, options.accounts, options.affected))
    options.out.write_text(json.dumps({"machine": machine(), **figures}, indent=1) + "\n")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
