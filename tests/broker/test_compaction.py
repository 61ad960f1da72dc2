"""What Kafka's cleaner leaves of the accounts topic is all that a restore needs."""

from collections.abc import Iterator

import pytest

from stream_enforcer.kafka import topics
from stream_enforcer.kafka.broker import LocalKafka
from stream_enforcer.kafka.changelog import ACCOUNT_PREFIX
from tests.broker.stage import Stage, broken_chains, make_stage, until
from tests.builders import at, ip, usage, world

ACCOUNTS, DAYS = 20, 12
CLEANER_SECONDS = 90.0
EAGER = {
    "cleanup.policy": "compact",
    "segment.ms": "50",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "0",
}


@pytest.fixture(scope="module")
def eager() -> Iterator[str]:
    """A broker whose cleaner looks again at once."""
    with LocalKafka.start(properties={"log.cleaner.backoff.ms": "50"}) as broker:
        yield broker.bootstrap_servers


async def test_states_and_positions_outlive_what_was_compacted_away(
    eager: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "_CHANGELOG", EAGER)
    stage = await make_stage(eager)
    sent = 0
    async with stage.running(world()) as running:
        for day in range(DAYS):
            sent += await stage.send(
                usage(f"a{n}", ip=ip("us"), occurred_at=at(day), event_id=f"{n}-{day}")
                for n in range(ACCOUNTS)
            )
            await running.all_consumed(sent)
    await until(lambda: _compacted(stage, ACCOUNTS * DAYS // 2), CLEANER_SECONDS)
    async with stage.running(world()) as running:
        await until(running.ready)
        assert running.total("stream_enforcer_accounts") == ACCOUNTS
        await stage.send(
            usage(f"a{n}", ip=ip("cn"), occurred_at=at(DAYS), event_id=f"{n}-cn") for n in range(ACCOUNTS)
        )
        await running.all_consumed(ACCOUNTS)
    decisions = await stage.decisions()
    assert len(decisions) == 2 * ACCOUNTS
    assert not broken_chains(decisions)


async def test_who_was_forgotten_stays_so_when_its_tombstone_is_gone(
    eager: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "_CHANGELOG", EAGER)
    stage = await make_stage(eager)
    old = [usage(f"old{n}", occurred_at=at(0)) for n in range(ACCOUNTS)]
    async with stage.running(world()) as running:
        await running.all_consumed(await stage.send(old))
    async with stage.running(world(), account_retention_days=30) as running:
        for turn in range(3):
            await stage.send(usage(f"n{n}", event_id=f"{n}-{turn}") for n in range(ACCOUNTS))
            await running.all_consumed((turn + 1) * ACCOUNTS)
        await until(lambda: running.total("stream_enforcer_accounts_forgotten_total") == ACCOUNTS)
    await until(lambda: _gone(stage, b"old"), CLEANER_SECONDS)
    async with stage.running(world()) as running:
        await until(running.ready)
        assert running.total("stream_enforcer_accounts") == ACCOUNTS


async def _compacted(stage: Stage, most: int) -> bool:
    return len(await _states(stage)) <= most


async def _gone(stage: Stage, prefix: bytes) -> bool:
    return not any(key.startswith(ACCOUNT_PREFIX + prefix) for key in await _states(stage))


async def _states(stage: Stage) -> list[bytes]:
    keys = [record.key or b"" for record in await stage.read(stage.topics.accounts)]
    return [key for key in keys if key.startswith(ACCOUNT_PREFIX)]
