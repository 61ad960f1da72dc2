"""Ownership that changes, on a real broker: the right accounts are suspended, once, through kills of replicas."""

import asyncio
from pathlib import Path

import orjson

from stream_enforcer.demo.replica import Replica, total
from stream_enforcer.observe.catalogue import SECOND_LOOKS
from tests.broker.stage import Stage, broken_chains, until
from tests.broker.test_crash import environment, replicas
from tests.builders import Json, company, signup, stake

COMPANIES = 4
ACCOUNTS = [f"a{n}" for n in range(8_000)]
TAKEN_OVER = {0, 1, 2}
"""Of partitions with some 1,500 such accounts each: they are judged again in three transactions."""


def register() -> list[Json]:
    """A restricted holding, companies with an LEI each, and company 2 as a subsidiary of company 1."""
    companies = [company(f"c{n}", "SG", identifiers={"lei": f"LEI{n}"}) for n in range(COMPANIES)]
    return [company("holding", "CN"), *companies, stake("c1", "c2", 75)]


TAKEOVERS = [stake("holding", "c0", 51), stake("holding", "c1", 51)]


async def publish(stage: Stage, statements: list[Json]) -> None:
    producer = stage.clients.producer(None)
    await producer.start()
    try:
        for statement in statements:
            await producer.send(stage.topics.ownership, orjson.dumps(statement), statement["id"].encode())
        await producer.flush()
    finally:
        await producer.stop()


def company_of(account: str) -> int:
    return int(account[1:]) % COMPANIES


def signups() -> list[Json]:
    return [signup(a, organization={"name": "X", "lei": f"LEI{company_of(a)}"}, event_id=a) for a in ACCOUNTS]


async def looking_again(replica: Replica) -> bool:
    return total(await asyncio.to_thread(replica.samples), SECOND_LOOKS.name) > 0


async def test_a_takeover_suspends_exactly_its_accounts_once_while_replicas_are_killed(
    stage: Stage, tmp_path: Path
) -> None:
    await publish(stage, register())
    async with replicas(stage, tmp_path) as running:
        await stage.send(signups())

        async def told(at_least: int) -> bool:
            return len(await stage.decisions()) >= at_least

        await until(lambda: told(len(ACCOUNTS)), 60)
        for number, takeover in enumerate(TAKEOVERS):
            await publish(stage, [takeover])
            await until(lambda: looking_again(running[0]), 60)
            running.pop(0).kill()
            again = await asyncio.to_thread(Replica.start, f"again-{number}", tmp_path, environment(stage))
            running.append(again)
        affected = [account for account in ACCOUNTS if company_of(account) in TAKEN_OVER]
        await until(lambda: told(len(ACCOUNTS) + len(affected)), 90)
    decisions = await stage.decisions()
    suspended = [decision for decision in decisions if decision["action"] == "suspend"]
    assert sorted(decision["account_id"] for decision in suspended) == sorted(affected)
    assert len(decisions) == len(ACCOUNTS) + len(affected)
    assert broken_chains(decisions) == []
    assert {decision["trigger"]["topic"] for decision in suspended} == {stage.topics.ownership}
