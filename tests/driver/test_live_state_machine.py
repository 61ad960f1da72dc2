"""Whatever goes wrong while ownership changes: every account ends as the world in force has it."""

from typing import Any, get_args
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from stream_enforcer.domain.decision import Trigger
from stream_enforcer.domain.engine import NOTHING, reconcile
from stream_enforcer.kafka import second_looks
from stream_enforcer.kafka.fake.broker import Step
from stream_enforcer.testing import EnforcerDriver
from tests.broker.stage import broken_chains
from tests.builders import Json, company, signup, stake, world
from tests.driver.test_state_machine import FAULTS, LONG_ENOUGH, Fault
from tests.strategies import OWNERSHIP, overrides, usages

ACCOUNTS = [f"a{n}" for n in range(6)]
NAMES = st.sampled_from(ACCOUNTS)
WORLDS = [world(OWNERSHIP), world(OWNERSHIP[:-2]), world()]
CLAIMS = st.sampled_from(["PROVED", "POSSIBLE", "CLEAN", "LISTED", "new"])


def claiming(account: str, lei: str) -> Json:
    return signup(account, organization={"name": "In no register", "lei": lei})


SIGNUPS = st.builds(claiming, NAMES, CLAIMS)
EVENTS = st.lists(st.one_of(SIGNUPS, SIGNUPS, overrides(NAMES), usages(NAMES)), min_size=1, max_size=3)
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
        self.small = patch.multiple(second_looks, CHUNK=1, INDEXED=1)
        self.small.start()
        self.driver = EnforcerDriver(WORLDS[0])
        self.published: list[Json] = []
        leis = ["PROVED", "POSSIBLE", "CLEAN", "CLEAN", "new", "new"]
        self.driver.pipe(*(claiming(*pair) for pair in zip(ACCOUNTS, leis, strict=True)))

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.driver.close()
            self.small.stop()

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

    @rule()
    def the_replica_is_killed(self) -> None:
        self.driver.restart()

    @rule(statements=STATEMENTS, later=STATEMENTS)
    def the_replica_dies_while_it_looks_again_and_misses_more(
        self, statements: list[Json | str], later: list[Json | str]
    ) -> None:
        self.driver.crash_after("commit")
        self.driver.pipe_ownership(*statements)
        self.driver.pipe_ownership(*later)
        self.driver.restart()

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
        for account in ACCOUNTS:
            self.stands_as_the_world_has_it(account)

    def stands_as_the_world_has_it(self, account: str) -> None:
        state = self.driver.state_of(account)
        told = [decision for decision in self.published if decision["account_id"] == account]
        assert len(told) == (state.sequence if state else 0)
        if state is not None:
            assert told[-1]["action"] == state.action
            assert reconcile(account, state, self.driver.world, NOW) is NOTHING


TestLiveEnforcer: Any = LiveEnforcer.TestCase
TestLiveEnforcer.settings = settings(max_examples=200, stateful_step_count=25)
