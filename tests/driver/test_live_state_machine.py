"""Whatever goes wrong while ownership changes: every account ends as the world in force has it."""

from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from stream_enforcer.domain.decision import Trigger
from stream_enforcer.domain.engine import NOTHING, reconcile
from stream_enforcer.kafka.fake.broker import Step
from stream_enforcer.testing import EnforcerDriver
from tests.broker.stage import broken_chains
from tests.builders import Json, company, stake, world
from tests.driver.test_state_machine import ACCOUNTS, FAULTS, LONG_ENOUGH, Fault
from tests.strategies import OWNERSHIP, overrides, signups, usages

WORLDS = [world(OWNERSHIP), world(OWNERSHIP[:-2]), world()]
EVENTS = st.lists(st.one_of(signups(ACCOUNTS), usages(ACCOUNTS), overrides(ACCOUNTS)), min_size=1, max_size=3)
STEPS = st.sampled_from(get_args(Step))
STATEMENTS = st.lists(
    st.sampled_from(
        [
            stake("cn-holding", "clean", 70),
            stake("cn-holding", "clean", 5),
            "cn-holding>clean",
            stake("cn-holding", "proved", share_min=20, share_max=80),
            "cn-holding>proved",
            stake("clean", "possible", 90),
            "clean>possible",
            company("cn-holding", "GB"),
            "cn-holding",
            company("new", "SG", identifiers={"lei": "PROVED"}),
            company("new", "CN", identifiers={"lei": "new"}, aliases=["In no register"]),
            "new",
            {"kind": "stake", "id": "cn-holding>clean"},
        ]
    ),
    min_size=1,
    max_size=3,
)
NOW = Trigger("reference", "t", 0, 0, None, 0)


class LiveEnforcer(RuleBasedStateMachine):
    """A service whose ownership data change all the time."""

    def __init__(self) -> None:
        super().__init__()
        self.driver = EnforcerDriver(WORLDS[0])
        self.published: list[Json] = []

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.driver.close()

    @rule(events=EVENTS)
    def events_arrive(self, events: list[Json]) -> None:
        self.driver.pipe(*events)

    @rule(statements=STATEMENTS)
    def ownership_changes(self, statements: list[Json | str]) -> None:
        self.driver.pipe_ownership(*statements)

    @rule(statements=STATEMENTS, step=STEPS, fault=st.sampled_from(FAULTS))
    def ownership_changes_and_a_step_goes_wrong(
        self, statements: list[Json | str], step: Step, fault: Fault
    ) -> None:
        fault(self.driver, step)
        self.driver.pipe_ownership(*statements)

    @precondition(lambda self: not self.driver.crashed)
    @rule(files=st.sampled_from(WORLDS))
    def the_files_change(self, files: Any) -> None:
        self.driver.swap(files)

    @rule(files=st.sampled_from(WORLDS))
    def the_replica_is_killed_and_starts_with_other_files(self, files: Any) -> None:
        self.driver.restart(files)

    @precondition(lambda self: not self.driver.crashed)
    @rule()
    def the_group_rebalances(self) -> None:
        self.driver.rebalance()

    @precondition(lambda self: not self.driver.crashed)
    @rule()
    def another_replica_takes_over(self) -> None:
        self.driver.usurp()

    @rule(seconds=st.sampled_from([0.05, 1.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.driver.advance(seconds)

    @rule()
    def settle(self) -> None:
        self.driver.advance(LONG_ENOUGH)
        if self.driver.crashed:
            self.driver.restart()
        self.published += self.driver.read()
        assert broken_chains(self.published) == []
        for account in ("a", "b", "c"):
            self.stands_as_the_world_has_it(account)

    def stands_as_the_world_has_it(self, account: str) -> None:
        state = self.driver.state_of(account)
        told = [decision for decision in self.published if decision["account_id"] == account]
        assert len(told) == (state.sequence if state else 0)
        if state is not None:
            assert told[-1]["action"] == state.action
            assert reconcile(account, state, self.driver.world, NOW) is NOTHING


TestLiveEnforcer: Any = LiveEnforcer.TestCase
TestLiveEnforcer.settings = settings(max_examples=100, stateful_step_count=20)
