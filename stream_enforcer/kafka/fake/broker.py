"""A broker in memory: logs with transactions and markers, fencing, group offsets, one ordered journal.

It models what the task relies on and no more: offsets that count markers, the last stable offset, aborted data that
committed readers never see, and a transactional id whose newest producer alone may write. It never cleans a topic.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Final, Literal, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import ProducerFenced
from aiokafka.structs import ConsumerRecord

from stream_enforcer.kafka.dead_letters import Header

Step = Literal["send", "offsets", "commit"]
"""A step of a transaction at which something can be made to go wrong."""
JournalEntry = tuple[str | int, ...]
"""`("start",)`, `("begin",)`, `("send", topic, records)`, `("ack", topic)`, `("offsets",)`, `("commit",)`,
`("abort",)` when a start settles what its predecessor left open, and `("fenced",)` when a producer is refused."""

CREATE_TIME: Final = 0


class State(Enum):
    """The state of a transaction."""

    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(slots=True, eq=False)
class Transaction:
    """One transaction: the logs that it wrote to, and the group offsets that it carries."""

    state: State = State.OPEN
    logs: dict[TopicPartition, int] = field(default_factory=dict)
    offsets: dict[TopicPartition, int] = field(default_factory=dict)


class Row(NamedTuple):
    """A record as producers give it."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """One offset of a log: a record, or a marker where `row` is None."""

    row: Row | None
    transaction: Transaction | None
    timestamp: int
    order: int


@dataclass(slots=True)
class Log:
    """A partition, from offset 0."""

    written: list[Written] = field(default_factory=list)
    open: dict[Transaction, int] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The high watermark."""
        return len(self.written)

    @property
    def stable(self) -> int:
        """The last stable offset: where the first open transaction begins, else the end."""
        return min(self.open.values(), default=self.end)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A producer's claim to its transactional id."""

    transactional_id: str
    epoch: int


@dataclass(slots=True)
class FakeBroker:
    """Holds the logs. Every method is one step that happens whole or not at all.

    Attributes:
        journal: What producers did, in order.
        now_ms: The broker's clock, epoch milliseconds.
    """

    journal: list[JournalEntry] = field(default_factory=list)
    now_ms: int = 0
    group: dict[TopicPartition, int] = field(default_factory=dict)
    _logs: defaultdict[TopicPartition, Log] = field(default_factory=lambda: defaultdict(Log))
    _epochs: dict[str, int] = field(default_factory=dict)
    _open: dict[str, Transaction] = field(default_factory=dict)
    _order: "count[int]" = field(default_factory=count)

    def log(self, tp: TopicPartition) -> Log:
        """Return a partition; every partition exists."""
        return self._logs[tp]

    def start(self, transactional_id: str) -> Ticket:
        """Fence every earlier producer of an id and abort what it left open."""
        epoch = self._epochs[transactional_id] = self._epochs.get(transactional_id, -1) + 1
        self._end(transactional_id, State.ABORTED)
        self.journal.append(("start",))
        return Ticket(transactional_id, epoch)

    def append(self, topic: str, partition: int, row: Row) -> int:
        """Append a record outside any transaction; return its offset."""
        log = self.log(TopicPartition(topic, partition))
        log.written.append(Written(row, None, self.now_ms, next(self._order)))
        return log.end - 1

    def send(self, ticket: Ticket, tp: TopicPartition, rows: Sequence[Row]) -> int:
        """Append records to the open transaction; return the first one's offset.

        Raises:
            ProducerFenced: A newer producer has the id.
        """
        transaction = self._opened(ticket)
        log = self.log(tp)
        first = log.end
        if tp not in transaction.logs:
            transaction.logs[tp] = log.open[transaction] = first
        log.written += [Written(row, transaction, self.now_ms, next(self._order)) for row in rows]
        self.journal.append(("send", tp.topic, len(rows)))
        return first

    def add_offsets(self, ticket: Ticket, offsets: dict[TopicPartition, int]) -> None:
        """Put group offsets into the open transaction.

        Raises:
            ProducerFenced: A newer producer has the id.
        """
        self._opened(ticket).offsets.update(offsets)
        self.journal.append(("offsets",))

    def commit(self, ticket: Ticket) -> None:
        """Commit the open transaction; one that wrote nothing leaves no trace.

        Raises:
            ProducerFenced: A newer producer has the id.
        """
        self._check(ticket)
        self._end(ticket.transactional_id, State.COMMITTED)

    def fetch(
        self, tp: TopicPartition, position: int, *, committed: bool, most: int
    ) -> tuple[list[ConsumerRecord[bytes, bytes]], int]:
        """Read up to `most` records from a position; return them and the next position, past what is not shown."""
        log = self.log(tp)
        found: list[ConsumerRecord[bytes, bytes]] = []
        end = log.stable if committed else log.end
        while position < end and len(found) < most:
            written = log.written[position]
            if shown(written, committed=committed):
                found.append(_record(tp, position, written))
            position += 1
        return found, position

    def oldest(self, tp: TopicPartition, position: int) -> int | None:
        """Return when the next record that committed readers see was written, as its place among all; or None."""
        written = self.log(tp).written[position : self.log(tp).stable]
        return next((w.order for w in written if shown(w, committed=True)), None)

    def committed(self, topic: str, partitions: int) -> list[Written]:
        """Return the committed records of a topic in the order in which they were written."""
        logs = [self.log(TopicPartition(topic, number)) for number in range(partitions)]
        seen = [w for log in logs for w in log.written[: log.stable] if shown(w, committed=True)]
        return sorted(seen, key=lambda written: written.order)

    def _check(self, ticket: Ticket) -> None:
        if self._epochs[ticket.transactional_id] != ticket.epoch:
            self.journal.append(("fenced",))
            raise ProducerFenced

    def _opened(self, ticket: Ticket) -> Transaction:
        self._check(ticket)
        return self._open.setdefault(ticket.transactional_id, Transaction())

    def _end(self, transactional_id: str, state: State) -> None:
        transaction = self._open.pop(transactional_id, None)
        if transaction is None:
            return
        transaction.state = state
        for tp in transaction.logs:
            log = self.log(tp)
            del log.open[transaction]
            log.written.append(Written(None, transaction, self.now_ms, next(self._order)))
        if state is State.COMMITTED:
            self.group.update(transaction.offsets)
        self.journal.append(("commit",) if state is State.COMMITTED else ("abort",))


def shown(written: Written, *, committed: bool) -> bool:
    """Tell whether a reader is shown what stands at an offset: never a marker, to committed readers no aborted data."""
    if written.row is None:
        return False
    aborted = written.transaction is not None and written.transaction.state is State.ABORTED
    return not (committed and aborted)


def _record(tp: TopicPartition, offset: int, written: Written) -> ConsumerRecord[bytes, bytes]:
    row = written.row
    if row is None:
        raise ValueError("a marker is no record")
    return ConsumerRecord(
        topic=tp.topic,
        partition=tp.partition,
        offset=offset,
        timestamp=written.timestamp,
        timestamp_type=CREATE_TIME,
        key=row.key,
        value=row.value,
        checksum=None,
        serialized_key_size=len(row.key or b""),
        serialized_value_size=len(row.value or b""),
        headers=tuple(row.headers),
    )
