"""One partition's states and work, without a broker: records in, work out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from stream_enforcer.domain.account import NEW, Account, may_be_forgotten
from stream_enforcer.domain.decision import Trigger, TriggerKind
from stream_enforcer.domain.engine import NOTHING, Emit, reconcile, step
from stream_enforcer.domain.events import MS_PER_DAY, EventKind
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.changelog import Restored
from stream_enforcer.kafka.dead_letters import Source, dead_letter
from stream_enforcer.kafka.decision_headers import decision_headers
from stream_enforcer.kafka.poison import PoisonCounter
from stream_enforcer.kafka.work import Work
from stream_enforcer.settings import Poison

UNTOUCHED: Final = NEW
"""Stands for what no layer holds; never itself a state, for every state has a decision."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What every partition of a service judges by.

    Attributes:
        kinds: What each input topic carries.
        emit: Which decisions to publish.
        group: The consumer group, named in dead letters.
        poison: How many malformed records stop a partition.
        source: What decisions name as their source as CloudEvents; None where they are none.
        traced: Whether to note which traces records belong to.
    """

    kinds: Mapping[str, EventKind]
    emit: Emit
    group: str
    poison: Poison = Poison()
    source: str | None = None
    traced: bool = False


class Cause(NamedTuple):
    """Why accounts are looked at again, and the record that says so.

    Attributes:
        kind: "policy" or "reference", whichever changed.
        topic, partition, offset: Where the change was found.
    """

    kind: TriggerKind
    topic: str
    partition: int
    offset: int


class Partition:
    """Account states with two layers of work over them: one being committed, one being gathered.

    A layer reads through to what lies under it. So a partition judges its next records while its last ones
    commit, and a commit that fails drops both layers and leaves the committed states as they were.

    Attributes:
        world: Policy and reference data to judge by.
        restored: The committed states and checkpoint.
        pending, committing: The layers.
        storm: Why no more records may be taken; None while they may.
        newest_ms: Latest timestamp of the records that ended a `take`, epoch milliseconds; 0 before the first.
    """

    def __init__(self, number: int, terms: Terms, world: World, restored: Restored) -> None:
        self.number = number
        self.terms = terms
        self.world = world
        self.restored = restored
        self.pending = Work()
        self.committing: Work | None = None
        self.storm: str | None = None
        self.newest_ms = 0
        self._counters = self._new_counters()

    def _new_counters(self) -> dict[str, PoisonCounter]:
        return {topic: PoisonCounter(self.terms.poison) for topic in self.terms.kinds}

    def account(self, key: bytes) -> Account | None:
        """Return an account's state as of all that was judged."""
        found = self.pending.states.get(key, UNTOUCHED)
        if found is UNTOUCHED and self.committing is not None:
            found = self.committing.states.get(key, UNTOUCHED)
        return self.restored.accounts.get(key) if found is UNTOUCHED else found

    def take(self, topic: str, records: Sequence[Any], now_ms: int) -> None:
        """Judge records of one input topic, in order, up to the first that makes the malformed ones too many.

        That one is the last: `storm` then says what is too much, and nothing may be taken any more.

        Args:
            topic: Their topic.
            records: The client's records.
            now_ms: The time, for dead letters' headers and for spans.
        """
        terms, world, emit = self.terms, self.world, self.terms.emit
        kind, work, account, uses = terms.kinds[topic], self.pending, self.account, self.pending.uses
        counter, counted = self._counters[topic], 0
        for place, record in enumerate(records):
            key = record.key
            caused = step(record, kind, None if key is None else account(key), world, emit)
            if caused is NOTHING:
                continue
            if caused.use is not None:
                uses.append((key, caused.use))
            if caused.account is not None:
                headers = decision_headers(caused.decision, record.headers, terms.source)
                work.add(key, caused, record.timestamp, headers)
            elif caused.malformed is not None:
                letter = dead_letter(Source.of(record), caused.malformed, terms.group, now_ms)
                work.bury(letter, caused.malformed.error)
                counter.well_formed(place - counted)
                counted = place + 1
                storm = counter.malformed()
                if storm is not None:
                    self.storm = f"{storm} in {topic}"
                    records = records[:counted]
                    break
        counter.well_formed(len(records) - counted)
        if terms.traced:
            work.traces.note(records, now_ms)
        last = records[-1]
        self.newest_ms = max(self.newest_ms, last.timestamp)
        work.moved(topic, last.offset + 1, len(records))

    def forget(self, keys: Sequence[bytes], before: int) -> None:
        """Remove accounts of which nothing is lost but what they did long ago; those with work of late stay.

        Args:
            keys: The accounts to look at.
            before: Day since 1970; the latest event of who is removed is older.
        """
        committing = {} if self.committing is None else self.committing.states
        for key in keys:
            if key in self.pending.states or key in committing:
                continue
            account = self.restored.accounts.peek(key)
            if account is not None and may_be_forgotten(account, before):
                self.pending.states[key] = None
                if key in self.restored.costs:
                    self.pending.uses.append((key, None))
                self.pending.forgotten += 1

    def expected(self, topic: str) -> int | None:
        """Return the next offset to read of an input topic; None where nothing is known."""
        offset = self.pending.offsets.get(topic)
        if offset is None and self.committing is not None:
            offset = self.committing.offsets.get(topic)
        if offset is None and self.restored.checkpoint is not None:
            offset = self.restored.checkpoint.offsets.get(topic)
        return offset

    @property
    def in_flight(self) -> int:
        """Records taken and not committed."""
        return self.pending.in_flight + (0 if self.committing is None else self.committing.in_flight)

    def next_work(self) -> Work:
        """Move what was gathered into the committing layer and return it."""
        self.committing, self.pending = self.pending, Work()
        self.committing.spent = self.restored.costs.after(self.committing.uses)
        return self.committing

    def committed(self) -> None:
        """Apply the committing layer to the committed states."""
        if self.committing is not None:
            self.restored.accounts.update(self.committing.states)
            self.restored.costs.update(self.committing.spent)
            self.committing = None

    def drop(self) -> None:
        """Forget all that is not committed, and count malformed records anew."""
        self.committing, self.pending = None, Work()
        self.storm, self._counters = None, self._new_counters()

    def look_again(self, keys: Sequence[bytes], cause: Cause, now_ms: int) -> None:
        """Judge accounts again because the world changed.

        Args:
            keys: Their keys.
            cause: Why.
            now_ms: The time, for the latency metric.
        """
        for key in keys:
            account = self.account(key)
            if account is None:
                continue
            trigger = Trigger(*cause, None, account.evidence.clock * MS_PER_DAY)
            caused = reconcile(key.decode(), account, self.world, trigger)
            self.pending.add(key, caused, now_ms, decision_headers(caused.decision, (), self.terms.source))
        self.pending.looked_at[cause.kind] += len(keys)
