"""How one partition is read to its end: by its position, with patience, and only while it is asked for."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.kafka import history_reader
from stream_enforcer.kafka.history_bounds import Span
from stream_enforcer.kafka.history_reader import NO_PROGRESS_SECONDS, PartitionReader
from stream_enforcer.replay.history import NEVER, BadHistory, Position

TP = TopicPartition("usage", 0)
PATIENCE = 60.0


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time is moved by the test alone."""

    moment = 0.0

    def time(self) -> float:
        return self.moment


class Consumer:
    """Answers from a list: the offsets of records and the position behind them; then nothing, for ever."""

    def __init__(self, answers: Sequence[tuple[list[int], int]], stable: int | None, seconds: float) -> None:
        self._answers = list(answers)
        self._stable = stable
        self._seconds = seconds
        self._position = 0
        self.polls = 0
        self.answered = 0
        self.silent = False
        self.first = 0

    def assign(self, tps: list[TopicPartition]) -> None:
        assert tps == [TP]

    def seek(self, _tp: TopicPartition, offset: int) -> None:
        self._position = offset

    async def getmany(self, tp: TopicPartition, **_: int) -> dict[Any, Any]:
        self.polls += 1
        if not self.silent:
            self.answered += 1
        if self._position < self.first:
            raise OffsetOutOfRangeError({tp: self._position})
        if not self._answers:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, Clock)
            loop.moment += self._seconds
            return {}
        offsets, self._position = self._answers.pop(0)
        return {tp: [record(offset) for offset in offsets]} if offsets else {}

    async def position(self, _tp: TopicPartition) -> int:
        return self._position

    async def beginning_offsets(self, _tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {TP: self.first}

    def last_stable_offset(self, _tp: TopicPartition) -> int | None:
        return self._stable

    def last_poll_timestamp(self, _tp: TopicPartition) -> int:
        return self.answered


def record(offset: int) -> StoredRecord:
    return StoredRecord("usage", 0, offset, 0, None, b"")


def span(end: int, start: int = 0, *, exact: bool = False) -> Span:
    return Span(TP, "usage", Position(start, NEVER), end, exact, None)


def run(consumer: Consumer, what: Span, *, idle: float = 0.0) -> list[int]:
    """Read to the end, idling between the calls as a merge does that waits for other partitions."""

    async def all_of_it() -> list[int]:
        reader = PartitionReader(consumer, what, PATIENCE)
        found: list[int] = []
        while records := await reader.next(10):
            found += [read.offset for read in records]
            loop = asyncio.get_running_loop()
            assert isinstance(loop, Clock)
            loop.moment += idle
        return found

    with asyncio.Runner(loop_factory=Clock) as runner:
        return runner.run(all_of_it())


def test_the_position_ends_a_reading_though_the_end_has_no_record() -> None:
    consumer = Consumer([([0, 1], 2), ([], 4), ([5], 6), ([], 9)], stable=9, seconds=1)
    assert run(consumer, span(9)) == [0, 1, 5]
    assert consumer.polls == 4


@pytest.mark.parametrize("answer", [[3, 4, 5], [4, 9], [5, 6]])
def test_records_from_the_end_on_are_left_out(answer: list[int]) -> None:
    consumer = Consumer([([0], 1), (answer, 10)], stable=10, seconds=1)
    assert run(consumer, span(5)) == [0, *(offset for offset in answer if offset < 5)]


def test_a_tail_that_the_cleaner_removed_is_an_end_when_the_broker_said_so_repeatedly() -> None:
    consumer = Consumer([([0, 1], 2)], stable=9, seconds=0.2)
    assert run(consumer, span(9)) == [0, 1]
    assert consumer.polls == 1 + 1 + history_reader.ANSWERS_AT_A_CLEANED_TAIL


def test_silence_is_no_end_and_an_error_after_a_while() -> None:
    consumer = Consumer([([0, 1], 2)], stable=9, seconds=1)
    consumer.silent = True
    with pytest.raises(BadHistory, match=r"^usage-0: nothing comes; the reading stands at 2 of 9$"):
        run(consumer, span(9))
    assert consumer.polls > NO_PROGRESS_SECONDS


def test_an_open_transaction_is_waited_for_as_long_as_it_may_take() -> None:
    consumer = Consumer([([0, 1], 2)], stable=2, seconds=1)
    with pytest.raises(
        BadHistory, match=r"^usage-0: a transaction from offset 2 on is still open after 61 s"
    ):
        run(consumer, span(9))


def test_a_reader_that_nobody_asked_for_long_has_its_patience_still() -> None:
    consumer = Consumer([([0], 1), ([], 1), ([1], 2), ([], 2), ([2], 3)], stable=3, seconds=1)
    assert run(consumer, span(3), idle=10 * NO_PROGRESS_SECONDS) == [0, 1, 2]


def test_what_went_before_the_first_read_is_passed_over() -> None:
    consumer = Consumer([([4, 5], 6)], stable=6, seconds=1)
    consumer.first = 4
    assert run(consumer, span(6)) == [4, 5]


def test_all_that_went_before_the_first_read_is_a_reading_of_nothing() -> None:
    consumer = Consumer([], stable=6, seconds=1)
    consumer.first = 8
    assert run(consumer, span(6)) == []


@pytest.mark.parametrize(("answers", "exact"), [([([0], 1)], False), ([], True)])
def test_what_went_behind_the_first_read_or_a_given_start_is_an_error(
    answers: list[tuple[list[int], int]], exact: bool
) -> None:
    consumer = Consumer(answers, stable=9, seconds=1)

    async def read() -> None:
        reader = PartitionReader(consumer, span(9, exact=exact), PATIENCE)
        for _ in answers:
            await reader.next(10)
        consumer.first = 5
        with pytest.raises(BadHistory, match=r"^usage-0: the records from offset [01] on were removed while"):
            await reader.next(10)

    with asyncio.Runner(loop_factory=Clock) as runner:
        runner.run(read())
