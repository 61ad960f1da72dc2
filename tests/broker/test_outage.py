"""Kafka that is not there: said plainly, waited for, and never a reason not to end."""

import asyncio
import os
import signal
import time
from pathlib import Path

import orjson
import pytest

from stream_enforcer.demo.replica import Replica, free_port
from stream_enforcer.kafka.broker import LocalKafka
from stream_enforcer.settings import PREFIX
from tests.broker.stage import make_stage, until
from tests.builders import ip, signup, world

DRAIN_SECONDS = 5.0


def test_an_unreachable_kafka_is_said_without_a_flood_and_a_signal_still_ends_the_service(
    tmp_path: Path,
) -> None:
    replica = Replica.start(
        "alone", tmp_path, {f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    )
    try:
        asyncio.run(until(lambda: "trying again" in replica.log.read_text()))
        answer = replica.probe("/readyz")
        assert answer["ok"] is False
        assert "Kafka is not reachable" in answer["reasons"]
        assert replica.probe("/livez")["ok"] is True
        started = time.monotonic()
        assert replica.stop() == 0
        assert time.monotonic() - started < DRAIN_SECONDS
    finally:
        if replica.running():
            replica.kill()
    log = replica.log.read_text()
    assert "Traceback" not in log
    lines = [orjson.loads(line) for line in log.splitlines()]
    assert len(lines) < 20
    assert next(line["level"] for line in lines if "trying again" in line["event"]) == "warning"


async def test_a_broker_that_comes_back_finds_the_service_where_it_was() -> None:
    port = free_port()
    broker = await asyncio.to_thread(LocalKafka.start, port=port)
    stage = await make_stage(broker.bootstrap_servers)
    async with stage.running(world()) as running:
        await until(running.ready)
        sent = await stage.send([signup(f"a{n}", ip=ip("us")) for n in range(20)])
        await running.all_consumed(sent)
        os.kill(broker.pid, signal.SIGSTOP)
        await until(lambda: not running.ready(), 60)
        os.kill(broker.pid, signal.SIGCONT)
        await until(running.ready, 60)
        sent += await stage.send([signup(f"b{n}", ip=ip("us")) for n in range(20)])
        await until(lambda: running.consumed() == sent, 60)
    decisions = await stage.decisions()
    assert len(decisions) == sent
    await asyncio.to_thread(broker.stop)


@pytest.mark.parametrize("silent", [False, True], ids=["gone", "silent"])
async def test_a_broker_that_does_not_answer_does_not_keep_the_service_from_ending_in_its_time(
    silent: bool,
) -> None:
    broker = await asyncio.to_thread(LocalKafka.start)
    stage = await make_stage(broker.bootstrap_servers)
    async with stage.running(world(), drain_timeout_ms=int(DRAIN_SECONDS * 1000)) as running:
        await until(running.ready)
        await stage.send([signup(f"a{n}", ip=ip("us")) for n in range(20)])
        if silent:
            os.kill(broker.pid, signal.SIGSTOP)
        else:
            await asyncio.to_thread(broker.stop)
        started = time.monotonic()
        running.service.stop()
        await running.task
    assert time.monotonic() - started < DRAIN_SECONDS
    left = [task for task in asyncio.all_tasks() if "Sender" in repr(task.get_coro())]
    assert left == []  # a sender that is left would try again for ever
    if silent:
        os.kill(broker.pid, signal.SIGCONT)
    await asyncio.to_thread(broker.stop)
