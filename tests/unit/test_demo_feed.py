"""The endless flow of the demo's events: as much as is asked for, and never an account twice."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

import orjson
import pytest

from stream_enforcer.demo import feed
from stream_enforcer.demo.events import TopicRole
from stream_enforcer.demo.feed import Event, Feeder, endless_events
from stream_enforcer.settings import Topics

ROUND = 500


class Sent:
    """A producer that has delivered at once."""

    def __init__(self) -> None:
        self.by_topic: Counter[str] = Counter()

    async def send(self, topic: str, _value: bytes, _key: bytes, _partition: int) -> asyncio.Future[None]:
        self.by_topic[topic] += 1
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def a_round(_count: int, seed: int, *, accounts: int) -> Iterator[tuple[TopicRole, bytes, bytes]]:
    assert accounts > 0
    for number in range(ROUND):
        account = f"acct-{number % 50:06d}"
        role: TopicRole = "usage" if number >= 50 else "signups"
        yield role, account.encode(), orjson.dumps({"account_id": account, "event_id": f"{seed}-{number}"})


@pytest.fixture
def two_rounds(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    monkeypatch.setattr(feed, "generate", a_round)
    return list(islice(endless_events("run"), 2 * ROUND))


def test_an_account_names_its_run_and_its_round(two_rounds: list[Event]) -> None:
    assert {event.key.rpartition(b"-")[0] for event in two_rounds[:ROUND]} == {b"acct-run-0"}
    assert {event.key.rpartition(b"-")[0] for event in two_rounds[ROUND:]} == {b"acct-run-1"}


def test_an_event_is_of_the_account_that_is_its_key(two_rounds: list[Event]) -> None:
    assert all(orjson.loads(event.value)["account_id"].encode() == event.key for event in two_rounds)


def test_no_two_rounds_have_the_same_dice(two_rounds: list[Event]) -> None:
    seeds = {orjson.loads(event.value)["event_id"].partition("-")[0] for event in two_rounds}
    assert len(seeds) == 2


async def test_a_flow_sends_each_event_once_and_ends_with_them(two_rounds: list[Event]) -> None:
    producer = Sent()
    feeder = Feeder(cast("Any", producer), Topics())
    await feeder.flow(iter(two_rounds[:700]), rate=10_000)
    assert feeder.total == 700
    assert producer.by_topic == {"signups": 100, "usage": 600}
