"""Laws of a partition: how its records are cut into batches and transactions cannot be seen in what it publishes."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.account import Account
from stream_enforcer.kafka.changelog import Checkpoint, Restored, WorldId
from stream_enforcer.kafka.dead_letters import DeadLetter
from stream_enforcer.kafka.partition import Partition, Terms
from stream_enforcer.kafka.work import Work
from tests.builders import KINDS, ClientRecord, Json, client_record, record, world
from tests.strategies import OWNERSHIP, histories

TERMS = Terms(KINDS, "transitions", "enforcer")
WORLD = world(OWNERSHIP)


class Published(NamedTuple):
    """What committed transactions leave behind."""

    decisions: list[tuple[bytes, bytes]]
    dead_letters: list[DeadLetter]
    accounts: dict[bytes, Account | None]
    offsets: dict[str, int]


class Shell:
    """The task without its broker: reads a log, and commits or loses what was judged."""

    def __init__(self, log: Sequence[ClientRecord]) -> None:
        self.log = log
        self.partition = Partition(0, TERMS, WORLD, Restored())
        self.read = 0
        self.committing_to = 0
        self.committed_to = 0
        self.published = Published([], [], {}, {})

    def take(self, count: int) -> None:
        for item in self.log[self.read : self.read + count]:
            self.partition.take(item.topic, [item], now_ms=0)
        self.read = min(self.read + count, len(self.log))

    def start_commit(self) -> None:
        if self.partition.committing is None:
            self.partition.next_work()
            self.committing_to = self.read

    def end_commit(self) -> None:
        work = self.partition.committing
        if work is not None:
            self._publish(work)
            self.partition.committed()
            self.partition.restored.checkpoint = Checkpoint(
                dict(self.published.offsets), 1, WorldId("p", "r")
            )
            self.committed_to = self.committing_to

    def _publish(self, work: Work) -> None:
        self.published.decisions.extend((key, value) for key, value, _ in work.decisions)
        self.published.dead_letters.extend(work.dead_letters)
        self.published.accounts.update(work.states)
        self.published.offsets.update(work.offsets)

    def lose(self) -> None:
        self.partition.drop()
        self.read = self.committed_to

    def finish(self) -> Published:
        self.end_commit()
        self.take(len(self.log))
        self.start_commit()
        self.end_commit()
        return self.published


def client_log(history: list[Json], broken: set[int]) -> list[ClientRecord]:
    """Give the records of a history, each topic with offsets of its own, some of them without a value."""
    offsets = dict.fromkeys(KINDS, 0)
    log = []
    for number, event in enumerate(history):
        item = client_record(record(event, offset=offsets[record(event).topic]))
        offsets[item.topic] += 1
        empty = ClientRecord(
            item.topic, item.partition, item.offset, item.timestamp, 0, item.key, None, (("h", b"v"),)
        )
        log.append(empty if number in broken else item)
    return log


logs = st.builds(client_log, histories("a", "b", max_size=20), st.sets(st.integers(0, 19), max_size=3))
deeds = st.lists(st.integers(1, 5) | st.sampled_from(["start commit", "end commit", "lose"]), max_size=25)


@given(logs, deeds)
def test_any_cut_into_batches_and_transactions_publishes_what_one_batch_does(
    log: list[ClientRecord], done: list[int | str]
) -> None:
    whole = Shell(log).finish()
    shell = Shell(log)
    for deed in done:
        match deed:
            case "start commit":
                shell.start_commit()
            case "end commit":
                shell.end_commit()
            case "lose":
                shell.lose()
            case int(count):
                shell.take(count)
    assert shell.finish() == whole


@given(logs, st.integers(0, 20))
def test_what_is_lost_leaves_no_trace(log: list[ClientRecord], kept: int) -> None:
    shell = Shell(log)
    shell.take(kept)
    shell.start_commit()
    shell.end_commit()
    before = {key: shell.partition.account(key) for key in (b"a", b"b")}
    expected = {topic: shell.partition.expected(topic) for topic in KINDS}
    shell.take(len(log))
    shell.start_commit()
    shell.lose()
    assert {key: shell.partition.account(key) for key in (b"a", b"b")} == before
    assert {topic: shell.partition.expected(topic) for topic in KINDS} == expected


@given(logs)
def test_a_batch_of_a_topic_is_the_same_taken_whole_or_record_by_record(log: list[ClientRecord]) -> None:
    one, other = (Partition(0, TERMS, WORLD, Restored()) for _ in range(2))
    for topic in KINDS:
        records = [item for item in log if item.topic == topic]
        if records:
            one.take(topic, records, 0)
        for item in records:
            other.take(topic, [item], 0)
    assert one.pending == other.pending
