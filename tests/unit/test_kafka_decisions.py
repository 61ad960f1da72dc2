"""Reading an account's last decision: bounded, whatever stands at the partition's end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from stream_enforcer.domain.cost import Spent
from stream_enforcer.kafka import bounded_read, decisions
from stream_enforcer.kafka.bounded_read import ReadStalled
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.decisions import LastWord, last_word, search_order
from stream_enforcer.kafka.topics import TopicsMismatch
from stream_enforcer.settings import Settings


@dataclass(frozen=True, slots=True)
class _Record:
    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(slots=True)
class _Partition:
    """Records with gaps, where transaction markers stood or the cleaner was; `end` is what the broker says."""

    records: Sequence[_Record]
    end: int
    begin: int = 0
    reaches_end: bool = True
    stable: int | None = None


@dataclass(slots=True)
class _Reader:
    partitions: Mapping[int, _Partition]
    read: list[int] = field(default_factory=list)
    at: int = 0
    stopped: bool = False
    now: TopicPartition | None = None
    polls: int = 0
    on_tenth_poll: Callable[[], None] = lambda: None

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopped = True

    @property
    def part(self) -> _Partition:
        assert self.now is not None
        return self.partitions[self.now.partition]

    def assign(self, tps: list[TopicPartition]) -> None:
        (self.now,) = tps
        if self.now.topic == "decisions":
            self.read.append(self.now.partition)

    async def beginning_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: self.partitions[tp.partition].begin for tp in tps}

    async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: self.partitions[tp.partition].end for tp in tps}

    def seek(self, tp: TopicPartition, offset: int) -> None:
        assert tp == self.now
        assert self.part.begin <= offset <= self.part.end
        self.at = offset

    async def position(self, tp: TopicPartition) -> int:
        assert tp == self.now
        return self.at

    def last_poll_timestamp(self, tp: TopicPartition) -> int:
        assert tp == self.now
        return self.polls

    def last_stable_offset(self, tp: TopicPartition) -> int | None:
        assert tp == self.now
        return self.part.stable

    async def getmany(self, tp: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[_Record]]:
        assert timeout_ms > 0
        self.polls += 1
        if self.polls == 10:
            self.on_tenth_poll()
        batch = [record for record in self.part.records if record.offset >= self.at][:2]
        if batch:
            self.at = batch[-1].offset + 1
        elif self.part.reaches_end:
            self.at = max(self.at, self.part.end)
        return {tp: batch} if batch else {}


def _use(monkeypatch: pytest.MonkeyPatch, *partitions: _Partition) -> _Reader:
    reader = _Reader(dict(enumerate(partitions)))

    async def counts(_: Clients) -> dict[str, int]:
        return {"decisions": len(partitions)} if partitions else {"signups": 4}

    monkeypatch.setattr(Clients, "reader", lambda _: reader)
    monkeypatch.setattr(decisions, "partition_counts", counts)
    return reader


def _said(offset: int, key: str, value: str) -> _Record:
    return _Record(offset, key.encode(), value.encode())


async def last_decision(settings: Settings, account: str) -> bytes | None:
    found = await last_word(settings, account)
    return None if found is None else found.decision


async def test_the_accounts_last_value_before_the_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [
        _said(0, "a", "1"),
        _said(1, "b", "x"),
        _said(3, "a", "2"),
        _said(4, "b", "y"),
        _said(9, "a", "late"),
    ]
    reader = _use(monkeypatch, _Partition(records, end=6))
    assert await last_decision(Settings(), "a") == b"2"
    assert reader.stopped


async def test_an_empty_partition_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = _use(monkeypatch, _Partition([], begin=7, end=7))
    assert await last_decision(Settings(), "a") is None
    assert reader.stopped


async def test_a_tombstone_is_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, _Partition([_said(0, "a", "1"), _Record(1, b"a", None)], end=2))
    assert await last_decision(Settings(), "a") == b"1"


@pytest.mark.parametrize(
    ("costs", "spent"),
    [([], None), ([b"[1,1,2]", b"[1,1,5]"], b"[1,1,5]"), ([b"[1,1,2]", None], None)],
    ids=["none", "the last", "forgotten"],
)
async def test_the_accounts_cost_comes_with_its_decision(
    costs: list[bytes | None], spent: Spent | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [_Record(offset, b"c:a", value) for offset, value in enumerate(costs, start=1)]
    _use(monkeypatch, _Partition([_said(0, "a", "1"), *others], end=1 + len(others)))
    assert await last_word(Settings(), "a") == LastWord(b"1", spent)


async def test_a_tail_that_the_cleaner_removed_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [_said(0, "a", "1")]
    _use(monkeypatch, _Partition(records, end=5, reaches_end=False, stable=5))
    assert await last_decision(Settings(), "a") == b"1"


@pytest.mark.parametrize("stable", [None, 4])
async def test_an_end_that_never_comes_is_an_error(
    stable: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = _use(monkeypatch, _Partition([], begin=1, end=5, reaches_end=False, stable=stable))
    reader.on_tenth_poll = lambda: monkeypatch.setattr(bounded_read, "NO_PROGRESS_SECONDS", 0.0)
    with pytest.raises(ReadStalled, match="topic decisions, partition 0: stands at 1 of 5"):
        await last_decision(Settings(), "a")
    assert reader.stopped


async def test_without_the_topic_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch)
    with pytest.raises(
        TopicsMismatch, match="missing topics: decisions; run `stream-enforcer topics create`"
    ):
        await last_decision(Settings(), "a")


async def test_the_default_partitioners_partition_is_read_and_no_other_when_it_has_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home: Any = DefaultPartitioner()(b"a", [0, 1, 2, 3], [0, 1, 2, 3])
    parts = [_Partition([_said(0, "a", str(number))], end=1) for number in range(4)]
    reader = _use(monkeypatch, *parts)
    assert await last_decision(Settings(), "a") == str(home).encode()
    assert reader.read == [home]


async def test_an_account_that_another_partitioner_placed_is_found_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = search_order(b"a", 4)
    parts = [_Partition([], end=0) for _ in range(4)]
    parts[order[-1]] = _Partition([_said(0, "a", "1")], end=1)
    reader = _use(monkeypatch, *parts)
    assert await last_decision(Settings(), "a") == b"1"
    assert reader.read == order
    assert sorted(order) == [0, 1, 2, 3]
