"""Whatever goes wrong and whenever: the decisions are those of the pure core over the same records, each once."""

from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stream_enforcer.domain.events import MS_PER_DAY, Usage, decode
from stream_enforcer.domain.grounds import grounds_of
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.kafka.fake.broker import Step
from stream_enforcer.testing import EnforcerDriver, RawRecord
from tests.broker.stage import broken_chains
from tests.builders import KINDS, TOPICS, Json, Outcome, record, run, world
from tests.strategies import OWNERSHIP, overrides, signups, usages

WORLD = world(OWNERSHIP)
ACCOUNTS = st.sampled_from(["a", "b", "c"])
EVENTS = st.lists(st.one_of(signups(ACCOUNTS), usages(ACCOUNTS), overrides(ACCOUNTS)), min_size=1, max_size=4)
STEPS = st.sampled_from(get_args(Step))
Fault = Callable[[EnforcerDriver, Step], None]
FAULTS: tuple[Fault, ...] = (
    EnforcerDriver.crash_before,
    EnforcerDriver.crash_after,
    EnforcerDriver.fail_before,
    EnforcerDriver.fail_after,
)
BROKEN = RawRecord("usage", b"a", b"no JSON")
LONG_ENOUGH = 30.0


class Enforcer(RuleBasedStateMachine):
    """Two copies of the same story: what the driver published, and the records that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.driver = EnforcerDriver(WORLD)
        self.piped: list[StoredRecord] = []
        self.published: list[Json] = []
        self.buried = 0

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.driver.close()

    def note(self, *records: StoredRecord) -> None:
        """Give records the offsets that they get in their topics."""
        for item in records:
            offset = sum(other.topic == item.topic for other in self.piped)
            self.piped.append(StoredRecord(item.topic, 0, offset, item.timestamp, item.key, item.value))

    @rule(events=EVENTS)
    def events_arrive(self, events: list[Json]) -> None:
        self.note(*map(record, events))
        self.driver.pipe(*events)

    @rule()
    def something_that_is_no_event_arrives(self) -> None:
        self.note(StoredRecord(BROKEN.topic, 0, 0, 0, BROKEN.key, BROKEN.value))
        self.driver.pipe(BROKEN)

    @precondition(lambda self: self.piped)
    @rule(data=st.data())
    def the_source_starts_over_from_an_earlier_record(self, data: st.DataObject) -> None:
        since = data.draw(st.integers(max(0, len(self.piped) - 6), len(self.piped) - 1))
        again = self.piped[since:]
        self.note(*again)
        self.driver.pipe(*(RawRecord(item.topic, item.key, item.value) for item in again))

    @rule(events=EVENTS, step=STEPS, fault=st.sampled_from(FAULTS))
    def events_arrive_and_a_step_goes_wrong(self, events: list[Json], step: Step, fault: Fault) -> None:
        fault(self.driver, step)
        self.events_arrive(events)

    @rule()
    def the_replica_is_killed(self) -> None:
        self.driver.restart()

    @precondition(lambda self: not self.driver.crashed)
    @rule()
    def the_group_rebalances(self) -> None:
        self.driver.rebalance()

    @precondition(lambda self: not self.driver.crashed)
    @rule()
    def another_replica_takes_over(self) -> None:
        self.driver.usurp()

    @precondition(lambda self: not self.driver.crashed)
    @rule(events=EVENTS, step=STEPS)
    def another_replica_takes_over_and_a_call_of_the_first_one_fails(
        self, events: list[Json], step: Step
    ) -> None:
        self.driver.fail_before(step)
        self.another_replica_takes_over()
        self.events_arrive(events)

    @rule(seconds=st.sampled_from([0.05, 1.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.driver.advance(seconds)

    @rule()
    def settle(self) -> None:
        """Let all that is waiting be done; a replica that is alive has to get there with the memory it has."""
        self.driver.advance(LONG_ENOUGH)
        if self.driver.crashed:
            self.driver.restart()
        self.everything_is_judged()

    @invariant()
    def nothing_is_lost(self) -> None:
        """What is published is a beginning of what the pure core says, to the byte and in order."""
        self.published += self.driver.read()
        self.buried += len(self.driver.dead_letters())
        said = self.oracle()
        assert self.published == said.decisions[: len(self.published)]
        assert self.buried <= len(said.dead_letters)
        assert broken_chains(self.published) == []

    def oracle(self) -> Outcome:
        return run(self.piped, WORLD)

    def month(self, account: str) -> int:
        """Add up what the records of an account cost on each day, and then the last thirty days."""
        days: Counter[int] = Counter()
        for item in self.piped:
            event = decode(item, KINDS[item.topic])
            if isinstance(event, Usage) and event.account_id == account and event.cost_usd_micros:
                days[event.occurred_at // MS_PER_DAY] += event.cost_usd_micros
        return sum(days[day] for day in days if day > max(days) - 30)

    def suspended(self, said: Outcome) -> dict[tuple[str, str], int]:
        """Add up the months of suspended accounts, by the first reason and the country that it names."""
        micros: Counter[tuple[str, str]] = Counter()
        for key, account in said.accounts.items():
            if account.action == "suspend":
                grounds = grounds_of(
                    WORLD.verdict(account.evidence, account.standing), WORLD.policy.restricted
                )
                micros[account.codes[0], grounds.jurisdiction or "none"] += self.month(key.decode())
        return dict(+micros)

    def everything_is_judged(self) -> None:
        self.nothing_is_lost()
        said = self.oracle()
        assert len(self.published) == len(said.decisions)
        assert self.buried == len(said.dead_letters)
        for account in ("a", "b", "c"):
            assert self.driver.state_of(account) == said.accounts.get(account.encode())
            assert self.driver.cost_of(account) == self.month(account)
        assert self.driver.suspended_cost() == self.suspended(said)
        checkpoint = self.driver.checkpoint()
        counts = {topic: sum(item.topic == topic for item in self.piped) for topic in TOPICS.values()}
        assert dict.fromkeys(counts, 0) | dict(checkpoint.offsets if checkpoint else {}) == counts


TestEnforcer: Any = Enforcer.TestCase
TestEnforcer.settings = settings(max_examples=150, stateful_step_count=20)
