"""When a partition gives nothing more: the broker has said so, several times; silence is none of its answers."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from stream_enforcer.domain.account_state import encode
from stream_enforcer.kafka import changelog
from stream_enforcer.kafka.changelog import ACCOUNT_PREFIX, Restored
from stream_enforcer.kafka.cleaned_tail import ANSWERS, CleanedTail
from tests.builders import run, usage, world

TP = TopicPartition("t", 0)


class Reader:
    """Stands for a consumer: its polls follow a script of records, silence and empty answers."""

    def __init__(self, *script: str, end: int = 10) -> None:
        self.script = list(script)
        self.at = 0
        self.answered = 0
        self.stable: int | None = end

    def last_poll_timestamp(self, _: TopicPartition) -> int:
        return self.answered

    def last_stable_offset(self, _: TopicPartition) -> int | None:
        return self.stable

    async def position(self, _: TopicPartition) -> int:
        return self.at

    async def getmany(self, tp: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms > 0
        step = self.script.pop(0)
        if step == "silence":
            return {}
        self.answered += 1
        if step == "nothing":
            return {}
        (state,) = run([usage(step)], world()).accounts.values()
        record = SimpleNamespace(offset=self.at, key=ACCOUNT_PREFIX + step.encode(), value=encode(state))
        self.at += 1
        return {tp: [record]}


@pytest.fixture
def tail() -> Callable[[Reader], CleanedTail]:
    return lambda reader: CleanedTail(reader, TP, 10)


def test_silence_is_no_end_however_long(tail: Callable[[Reader], CleanedTail]) -> None:
    ended = tail(Reader())
    assert not any(ended.reached(3) for _ in range(100))


def test_several_empty_answers_at_one_place_are(tail: Callable[[Reader], CleanedTail]) -> None:
    reader = Reader()
    ended = tail(reader)
    found = []
    for _ in range(ANSWERS + 1):
        found.append(ended.reached(3))
        reader.answered += 1
    assert found == [*[False] * ANSWERS, True]
    assert not ended.reached(4)


@pytest.mark.parametrize("stable", [None, 9])
def test_a_broker_that_knows_of_no_such_end_is_not_believed(
    tail: Callable[[Reader], CleanedTail], stable: int | None
) -> None:
    reader = Reader()
    reader.stable = stable
    ended = tail(reader)
    for _ in range(20):
        assert not ended.reached(3)
        reader.answered += 1


async def test_a_restore_from_a_slow_broker_forgets_nothing() -> None:
    accounts = "abcdefghij"
    restored = Restored()
    script = [step for account in accounts for step in (account, *["silence"] * 5)]
    await changelog._read(Reader(*script), TP, len(accounts), restored)
    assert sorted(restored.accounts) == [account.encode() for account in accounts]


async def test_a_restore_ends_where_the_cleaner_left_nothing_more() -> None:
    restored = Restored()
    await changelog._read(Reader("a", "b", *["nothing"] * (ANSWERS + 1)), TP, 10, restored)
    assert sorted(restored.accounts) == [b"a", b"b"]
