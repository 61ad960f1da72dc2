"""The driver: the service's own tasks, a broker in memory, and a clock that the test moves."""

from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Self, TypeVar
from unittest.mock import patch

import orjson

from stream_enforcer.domain.account import Account
from stream_enforcer.domain.cost import month
from stream_enforcer.domain.engine import Emit
from stream_enforcer.domain.world import World
from stream_enforcer.kafka import task as task_module
from stream_enforcer.kafka.changelog import Checkpoint
from stream_enforcer.kafka.dead_letters import DeadLetter
from stream_enforcer.kafka.decisions import search_order
from stream_enforcer.kafka.fake.broker import FakeBroker, JournalEntry, Row, Step, Written
from stream_enforcer.kafka.fake.clock import FakeClock, FakeTimeLoop
from stream_enforcer.kafka.fake.host import Fault
from stream_enforcer.kafka.fake.replica import Replica
from stream_enforcer.settings import Settings, Topics
from stream_enforcer.testing.events import FIRST_DAY, Json

T = TypeVar("T")


class RawRecord(NamedTuple):
    """A record as it is, for what is not a well-formed event.

    Attributes:
        topic: "signups", "usage" or "overrides".
        key: The key; an event's is its account id in UTF-8.
        value: The value.
        headers: The headers, name and value.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class EnforcerDriver:
    """Runs the service's own tasks over a broker in memory, with a clock that only the test moves.

    Use it as a context manager. Every method returns when nothing is left to do at the clock's time. Records are
    judged in the order in which they were piped, also when they waited for a restart.

    Attributes:
        journal: What the producers did, in order; see `stream_enforcer.kafka.fake.broker.JournalEntry`.
    """

    def __init__(
        self,
        world: World,
        emit: Emit = "transitions",
        partitions: int = 1,
        account_retention_days: int | None = None,
    ) -> None:
        self._settings = Settings(
            emit=emit,
            topics=Topics(partitions=partitions),
            account_retention_days=account_retention_days,
        )
        self._world = world
        self._clock = FakeClock(FIRST_DAY)
        self._loop = FakeTimeLoop(self._clock)
        self._broker = FakeBroker(now_ms=self._clock.now_ms())
        self._piped: list[RawRecord] = []
        self._read: set[int] = set()
        self._zombies: list[Replica] = []
        self._replica = self._started()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the replica as a crash does, and close the loop."""
        self._complete(self._replica.die())
        self._loop.close()

    @property
    def journal(self) -> list[JournalEntry]:
        """What the producers did, in order."""
        return self._broker.journal

    def pipe(self, *items: Json | RawRecord) -> None:
        """Produce events, or records as they are, to the partitions of their accounts, and let them be judged."""
        records = [item if isinstance(item, RawRecord) else self._record(item) for item in items]
        self._piped += records
        self._produce(records)

    def pipe_ownership(self, *statements: Json | str) -> None:
        """Publish ownership statements, in the native form, and let the accounts that they touch be judged again.

        Args:
            statements: Each replaces what has its id; a text is the id of one to be removed.
        """
        topic = self._settings.topics.ownership
        for statement in statements:
            gone = isinstance(statement, str)
            key = statement if isinstance(statement, str) else str(statement["id"])
            self._broker.append(topic, 0, Row(key.encode(), None if gone else orjson.dumps(statement)))
        self._work()

    def swap(self, world: World) -> None:
        """Put a world of other files in force while the replica runs."""
        self._world = world
        self._complete(self._up().rebase(world))
        self._go()
        self._work()

    def read(self) -> list[Json]:
        """Return the decisions that were committed since the last call, in order."""
        return [orjson.loads(row.value or b"null") for row in self._unread(self._settings.topics.decisions)]

    def dead_letters(self) -> list[DeadLetter]:
        """Return the dead letters that were committed since the last call, in order."""
        rows = self._unread(self._settings.topics.dead_letters)
        return [DeadLetter(row.key, row.value, list(row.headers)) for row in rows]

    def state_of(self, account: str) -> Account | None:
        """Return an account's committed state, or None for one that was never seen.

        Raises:
            RuntimeError: The replica has crashed, and its memory with it.
        """
        key = account.encode()
        return self._up().account(key, self._partition(key))

    def cost_of(self, account: str) -> int:
        """Return what an account's last thirty days of use cost, in micro-dollars, of what was committed.

        Raises:
            RuntimeError: The replica has crashed, and its memory with it.
        """
        key = account.encode()
        return month(self._up().spent(key, self._partition(key)))

    def suspended_cost(self) -> dict[tuple[str, str], int]:
        """Return what suspended accounts cost in a month, in micro-dollars, by rule and jurisdiction.

        Raises:
            RuntimeError: The replica has crashed, and its memory with it.
        """
        return self._up().suspended_cost()

    def checkpoint(self, partition: int = 0) -> Checkpoint | None:
        """Return the last committed checkpoint of a partition, or None before the first.

        Raises:
            RuntimeError: The replica has crashed, and its memory with it.
        """
        return self._up().checkpoint(partition)

    @property
    def world(self) -> World:
        """The world in force: the files' data, as ownership statements amend them.

        Raises:
            RuntimeError: The replica has crashed, and its memory with it.
        """
        return self._up().world

    def advance(self, seconds: float) -> None:
        """Move the clock, and do all that falls due on the way."""
        end = self._clock.now + seconds
        self._work()
        while self._clock.now < end:
            self._go(min(self._loop.due, end))
            self._work()

    def restart(self, world: World | None = None) -> None:
        """Kill the replica if it is up, and start one with an empty memory; with another world if one is given."""
        self._complete(self._replica.die())
        self._zombies.clear()
        self._world = world or self._world
        self._replica = self._started()

    def rebalance(self) -> None:
        """Let the group take every partition away and give it back: drain, and reopen with what is in memory."""
        self._complete(self._up().reopen())
        self._go()
        self._work()

    def usurp(self) -> None:
        """Start a second replica while the first one still takes records and knows nothing of it.

        From here on the driver speaks for the second one.
        """
        self._up().host.evicted = True
        self._zombies.append(self._up())
        self._replica = self._started()

    def redeliver(self, since: int = 0) -> None:
        """Produce what was piped once more, from the `since`-th record on, as a source does that starts over."""
        self._produce(self._piped[since:])

    def crash_before(self, step: Step) -> None:
        """Let the replica die when it next comes to a step of a transaction; `restart` starts another."""
        self._replica.host.fault = Fault(step, "before", crash=True)

    def crash_after(self, step: Step) -> None:
        """Let the replica die when the broker has done a step and before the replica hears of it."""
        self._replica.host.fault = Fault(step, "after", crash=True)

    def fail_before(self, step: Step) -> None:
        """Let the client's next such call fail undone; the task starts over after a pause: `advance(1)`."""
        self._replica.host.fault = Fault(step, "before", crash=False)

    def fail_after(self, step: Step) -> None:
        """Let the client's next such call be done and its acknowledgement be lost; see `fail_before`."""
        self._replica.host.fault = Fault(step, "after", crash=False)

    @property
    def crashed(self) -> bool:
        """Whether the replica is dead."""
        return self._replica.host.down

    def _record(self, event: Json) -> RawRecord:
        topics = self._settings.topics
        topic = {"signup": topics.signups, "usage": topics.usage, "override": topics.overrides}[event["type"]]
        return RawRecord(topic, str(event["account_id"]).encode(), orjson.dumps(event))

    def _produce(self, records: Iterable[RawRecord]) -> None:
        for topic, key, value, headers in records:
            self._broker.append(topic, self._partition(key or b""), Row(key, value, headers))
        self._work()

    def _partition(self, key: bytes) -> int:
        return search_order(key, self._settings.topics.partitions)[0]

    def _unread(self, topic: str) -> Iterable[Row]:
        rows: list[Written] = self._broker.committed(topic, self._settings.topics.partitions)
        new = [written for written in rows if written.order not in self._read]
        self._read.update(written.order for written in new)
        return [written.row for written in new if written.row is not None]

    def _up(self) -> Replica:
        if self._replica.host.down:
            raise RuntimeError("the replica has crashed; call restart()")
        return self._replica

    def _started(self) -> Replica:
        replica = self._new_replica()
        self._complete(replica.start())
        self._go()
        self._replica = replica
        self._work()
        return replica

    def _new_replica(self) -> Replica:
        return Replica(self._settings, self._world, self._broker)

    def _work(self) -> None:
        """Hand over what is there until nothing more happens at this time."""
        fed = True
        while fed:
            fed = False
            for replica in (*self._zombies, self._replica):
                if not replica.host.down and replica.failure is None:
                    fed |= self._complete(replica.feed(self._clock.now_ms()))
                    self._go()
        if self._replica.failure is not None:
            raise self._replica.failure

    def _go(self, moment: float | None = None) -> None:
        with self._clock_in_force():
            self._loop.go(self._clock.now if moment is None else moment)

    def _complete(self, work: Coroutine[Any, Any, T]) -> T:
        with self._clock_in_force():
            return self._loop.complete(work)

    @contextmanager
    def _clock_in_force(self) -> Iterator[None]:
        # The task asks the module `time`; the loop's own time is the same clock.
        with patch.object(task_module, "time", self._clock):
            yield
        self._broker.now_ms = self._clock.now_ms()
