"""The driver runs the real task: what it journals, and what no crash, lost answer or second owner may change."""

from collections.abc import Iterator
from typing import get_args

import pytest

from stream_enforcer.domain.policy import Policy
from stream_enforcer.kafka.dead_letters import DeadLetter
from stream_enforcer.kafka.fake.broker import Step
from stream_enforcer.kafka.task import LAST_BACKOFF, TELL_GROUP_SECONDS
from stream_enforcer.reference.policy_file import parse_policy
from stream_enforcer.testing import EnforcerDriver, RawRecord, override, policy_world, signup, usage

STEPS: tuple[Step, ...] = get_args(Step)
COUNTRIES = {"1.2.3.4": "CN", "5.6.7.8": "US"}
WORLD = policy_world(countries=COUNTRIES)
CHINESE = signup("a", ip="1.2.3.4")


@pytest.fixture
def driver() -> Iterator[EnforcerDriver]:
    """A driver whose group was last told long enough ago that the next commit tells it."""
    with EnforcerDriver(WORLD) as driver:
        driver.advance(TELL_GROUP_SECONDS)
        yield driver


def policy_on(country: str) -> Policy:
    when = '"signup_countries.exists(c, c in restricted)"'
    rule = f"{{id: from-there, when: {when}, outcome: suspend, reason: It signed up from there.}}"
    return parse_policy(f"id: test\nversion: '1'\nrestricted: [{country}]\nrules: [{rule}]\n", "test")


def since(driver: EnforcerDriver, place: int) -> list[str]:
    return [str(entry[0]) for entry in driver.journal[place:]]


def test_a_commit_follows_the_acknowledgement_of_all_that_was_sent(driver: EnforcerDriver) -> None:
    place = len(driver.journal)
    driver.pipe(CHINESE)
    assert driver.journal[place:] == [
        ("begin",),
        ("offsets",),
        ("send", "decisions", 1),
        ("send", "enforcer-accounts", 2),
        ("ack", "decisions"),
        ("ack", "enforcer-accounts"),
        ("commit",),
    ]


def test_read_gives_each_decision_once(driver: EnforcerDriver) -> None:
    driver.pipe(CHINESE)
    assert [decision["action"] for decision in driver.read()] == ["suspend"]
    assert driver.read() == []
    driver.pipe(override("a", "allow"))
    assert [decision["sequence"] for decision in driver.read()] == [2]


def test_an_accounts_state_is_what_was_committed(driver: EnforcerDriver) -> None:
    assert driver.state_of("a") is None
    driver.fail_before("commit")
    driver.pipe(CHINESE)
    assert driver.state_of("a") is None
    driver.advance(1)
    state = driver.state_of("a")
    assert state is not None
    assert (state.action, state.sequence) == ("suspend", 1)


@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_published_where_the_replica_died_before_the_commit(
    step: Step, driver: EnforcerDriver
) -> None:
    driver.crash_before(step)
    driver.pipe(CHINESE)
    assert driver.crashed
    assert driver.read() == []
    driver.restart()
    assert [decision["sequence"] for decision in driver.read()] == [1]


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_after_a_step_neither_loses_nor_repeats(step: Step, driver: EnforcerDriver) -> None:
    driver.crash_after(step)
    driver.pipe(CHINESE)
    early = driver.read()
    assert len(early) == (step == "commit")
    driver.restart()
    assert [decision["sequence"] for decision in early + driver.read()] == [1]


@pytest.mark.parametrize("step", STEPS)
def test_a_call_that_fails_aborts_and_the_task_starts_over(step: Step, driver: EnforcerDriver) -> None:
    place = len(driver.journal)
    driver.fail_before(step)
    driver.pipe(CHINESE)
    assert not driver.crashed
    assert driver.read() == []
    driver.advance(LAST_BACKOFF)
    assert [decision["sequence"] for decision in driver.read()] == [1]
    words = [word for word in since(driver, place) if word in ("begin", "abort", "start", "commit")]
    assert words[:5] == ["begin", "abort", "start", "begin", "commit"]


@pytest.mark.parametrize("step", STEPS)
def test_an_acknowledgement_that_is_lost_neither_loses_nor_repeats(
    step: Step, driver: EnforcerDriver
) -> None:
    driver.fail_after(step)
    driver.pipe(CHINESE, usage("b", ip="5.6.7.8"))
    driver.advance(LAST_BACKOFF)
    assert [(d["account_id"], d["sequence"]) for d in driver.read()] == [("a", 1), ("b", 1)]


def test_a_task_that_starts_over_settles_what_it_left_open(driver: EnforcerDriver) -> None:
    driver.crash_before("commit")
    driver.pipe(CHINESE)
    place = len(driver.journal)
    driver.restart()
    assert since(driver, place)[:2] == ["abort", "start"]


def test_records_wait_for_a_replica_that_is_down(driver: EnforcerDriver) -> None:
    driver.crash_before("send")
    driver.pipe(CHINESE)
    driver.pipe(usage("b"))
    driver.restart()
    assert [decision["account_id"] for decision in driver.read()] == ["a", "b"]


def test_a_dead_replica_has_no_memory_to_ask(driver: EnforcerDriver) -> None:
    driver.crash_before("send")
    driver.pipe(CHINESE)
    with pytest.raises(RuntimeError, match="restart"):
        driver.state_of("a")


def test_records_are_judged_in_the_order_in_which_they_were_piped_whatever_their_topics(
    driver: EnforcerDriver,
) -> None:
    driver.crash_before("send")
    driver.pipe(usage("a"), signup("b"), usage("c"), override("d"), signup("e"))
    driver.restart()
    assert [decision["account_id"] for decision in driver.read()] == ["a", "b", "c", "d", "e"]


def test_a_source_that_starts_over_causes_nothing_new(driver: EnforcerDriver) -> None:
    driver.pipe(CHINESE, usage("a", ip="5.6.7.8"))
    assert len(driver.read()) == 1
    driver.redeliver()
    assert driver.read() == []
    checkpoint = driver.checkpoint()
    assert checkpoint is not None
    assert (checkpoint.offsets["signups"], checkpoint.offsets["usage"]) == (2, 2)


def test_a_rebalance_commits_what_was_gathered_and_keeps_the_memory(driver: EnforcerDriver) -> None:
    driver.pipe(CHINESE)
    before = driver.state_of("a")
    driver.rebalance()
    assert driver.state_of("a") is before
    driver.pipe(usage("b"))
    assert [decision["account_id"] for decision in driver.read()] == ["a", "b"]


def test_a_second_owner_fences_the_first_which_then_publishes_nothing(driver: EnforcerDriver) -> None:
    driver.usurp()
    place = len(driver.journal)
    driver.pipe(CHINESE)
    assert "fenced" in since(driver, place)
    assert since(driver, place).count("commit") == 1
    assert [decision["sequence"] for decision in driver.read()] == [1]


def test_a_fenced_owner_never_fences_its_successor(driver: EnforcerDriver) -> None:
    driver.usurp()
    driver.pipe(CHINESE)
    driver.advance(600)
    assert since(driver, 0).count("start") == 2


def test_the_group_is_told_with_the_first_commit_and_then_once_a_second(driver: EnforcerDriver) -> None:
    place = len(driver.journal)
    driver.pipe(CHINESE)
    assert since(driver, place).count("offsets") == 1
    driver.pipe(usage("b"))
    driver.pipe(usage("c"))
    driver.advance(TELL_GROUP_SECONDS / 2)
    assert since(driver, place).count("offsets") == 1
    driver.advance(TELL_GROUP_SECONDS / 2)
    assert since(driver, place).count("offsets") == 2
    driver.advance(10 * TELL_GROUP_SECONDS)
    assert since(driver, place).count("offsets") == 2


def test_what_is_no_event_is_buried(driver: EnforcerDriver) -> None:
    driver.pipe(RawRecord("usage", b"a", b"no JSON"))
    (letter,) = driver.dead_letters()
    assert isinstance(letter, DeadLetter)
    assert (letter.value, dict(letter.headers)["dlq.error.class"]) == (b"no JSON", b"json_invalid")
    assert driver.dead_letters() == []
    assert driver.read() == []


def test_another_policy_judges_every_account_again(driver: EnforcerDriver) -> None:
    driver.pipe(CHINESE, signup("b", ip="5.6.7.8"))
    assert [decision["action"] for decision in driver.read()] == ["suspend", "allow"]
    driver.restart(policy_world(policy_on("US"), COUNTRIES))
    assert [(d["account_id"], d["action"], d["sequence"], d["trigger"]["kind"]) for d in driver.read()] == [
        ("a", "allow", 2, "policy"),
        ("b", "suspend", 2, "policy"),
    ]


def test_every_event_is_answered_where_every_decision_is_published() -> None:
    with EnforcerDriver(WORLD, emit="every") as driver:
        driver.pipe(usage("a"), usage("a"))
        assert [decision["sequence"] for decision in driver.read()] == [1, 2]


def test_partitions_are_judged_each_by_its_own_task() -> None:
    with EnforcerDriver(WORLD, partitions=3) as driver:
        accounts = [f"account-{number}" for number in range(12)]
        driver.pipe(*(usage(account) for account in accounts))
        assert {decision["account_id"] for decision in driver.read()} == set(accounts)
        assert all(driver.checkpoint(number) is not None for number in range(3))
        assert since(driver, 0).count("start") == 3
