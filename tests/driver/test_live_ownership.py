"""Ownership that changes while the service runs: exactly the accounts that it touches are judged again, once."""

from collections.abc import Iterator
from typing import get_args

import pytest

from stream_enforcer.kafka import second_looks
from stream_enforcer.kafka.fake.broker import Step
from stream_enforcer.kafka.task import TELL_GROUP_SECONDS
from stream_enforcer.testing import EnforcerDriver, override, policy_world, signup, usage
from tests.builders import Json, company, stake

HOLDER = company("cn", "CN")
OWNED = company("t", "SG", identifiers={"lei": "T"})
OTHER = company("o", "SG", identifiers={"lei": "O"})
BELOW = company("b", "SG", identifiers={"domain": "b.example"})
WORLD = policy_world(ownership=[HOLDER, OWNED, OTHER, BELOW, stake("t", "b", 80)])
TAKEN_OVER = stake("cn", "t", 60)
STEPS: tuple[Step, ...] = get_args(Step)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_looks, "CHUNK", 3)
    monkeypatch.setattr(second_looks, "INDEXED", 2)


@pytest.fixture
def driver() -> Iterator[EnforcerDriver]:
    with EnforcerDriver(WORLD) as driver:
        driver.pipe(
            *(of(f"t{n}", "T") for n in range(10)),
            *(of(f"o{n}", "O") for n in range(5)),
            signup("by-domain", email_domain="b.example"),
            signup("nobody", email_domain="else.example"),
        )
        driver.read()
        driver.advance(TELL_GROUP_SECONDS)
        yield driver


def of(account: str, lei: str) -> Json:
    return signup(account, organization={"name": "X", "lei": lei})


def actions(driver: EnforcerDriver) -> dict[str, str]:
    """Return what was decided, by account; nobody may be told twice."""
    decisions = driver.read()
    found = {decision["account_id"]: decision["action"] for decision in decisions}
    assert len(found) == len(decisions)
    return found


def second_looks_of(driver: EnforcerDriver) -> float:
    """Return how many accounts the replica has looked at again since its start."""
    metric = driver._replica._shared.metrics.second_looks
    return float(sum(metric.labels(changed)._value.get() for changed in ("policy", "reference")))


SUSPENDED = {**{f"t{n}": "suspend" for n in range(10)}, "by-domain": "suspend"}
LET_IN = dict.fromkeys(SUSPENDED, "allow")


def test_a_takeover_suspends_the_accounts_of_the_company_and_of_what_it_owns_and_no_others(
    driver: EnforcerDriver,
) -> None:
    driver.pipe_ownership(TAKEN_OVER)
    decisions = driver.read()
    assert {decision["account_id"] for decision in decisions} == SUSPENDED.keys()
    assert len(decisions) == len(SUSPENDED)
    assert {decision["action"] for decision in decisions} == {"suspend"}
    trigger = {"kind": "reference", "topic": "ownership", "partition": 0, "offset": 0}
    assert all(decision["trigger"] == trigger for decision in decisions)


def test_only_accounts_that_a_change_touches_are_looked_at(driver: EnforcerDriver) -> None:
    driver.pipe_ownership(TAKEN_OVER)
    assert second_looks_of(driver) == len(SUSPENDED)
    driver.pipe_ownership(stake("cn", "somebody else", 60))
    assert second_looks_of(driver) == len(SUSPENDED)


def test_a_removed_stake_lets_in_whom_it_suspended(driver: EnforcerDriver) -> None:
    driver.pipe_ownership(TAKEN_OVER)
    driver.read()
    driver.pipe_ownership(str(TAKEN_OVER["id"]))
    # A suspension by evidence that is gone is lifted by the same rule that made it.
    assert actions(driver) == LET_IN


def test_a_decision_names_the_hash_of_the_data_that_it_was_made_with(driver: EnforcerDriver) -> None:
    driver.pipe_ownership(TAKEN_OVER)
    hashes = {decision["reference"]["ownership"]["hash"] for decision in driver.read()}
    driver.pipe(of("late", "T"))
    assert hashes == {decision["reference"]["ownership"]["hash"] for decision in driver.read()}
    assert WORLD.graph is not None
    assert hashes.isdisjoint({WORLD.graph.hash})


def test_an_account_that_came_after_the_first_change_is_found_by_the_next(driver: EnforcerDriver) -> None:
    driver.pipe_ownership(stake("cn", "o", 1))
    driver.pipe(of("late", "T"))
    driver.read()
    driver.pipe_ownership(TAKEN_OVER)
    assert actions(driver) == SUSPENDED | {"late": "suspend"}


def test_a_company_that_comes_to_be_known_is_found_by_accounts_that_claimed_it_before() -> None:
    with EnforcerDriver(policy_world(ownership=[HOLDER])) as driver:
        driver.pipe(of("early", "T"))
        assert actions(driver) == {"early": "allow"}
        driver.pipe_ownership(OWNED, TAKEN_OVER)
        assert actions(driver) == {"early": "suspend"}


def test_without_ownership_files_the_topic_is_the_data() -> None:
    with EnforcerDriver(policy_world()) as driver:
        driver.pipe(of("a", "T"))
        driver.read()
        driver.pipe_ownership(HOLDER, OWNED, TAKEN_OVER)
        assert actions(driver) == {"a": "suspend"}
        assert driver.read() == []


def test_a_record_that_is_no_statement_changes_nothing_and_stops_nothing(driver: EnforcerDriver) -> None:
    driver.pipe_ownership({"kind": "stake", "id": "s", "holder": "cn"})
    driver.pipe_ownership(TAKEN_OVER)
    assert actions(driver) == SUSPENDED


def test_events_are_judged_with_the_new_data_while_others_are_looked_at_again(driver: EnforcerDriver) -> None:
    driver.fail_before("commit")
    driver.pipe_ownership(TAKEN_OVER)
    driver.pipe(of("new", "T"))
    driver.advance(1)
    assert actions(driver) == SUSPENDED | {"new": "suspend"}


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_midway_resumes_and_nobody_is_told_twice(
    driver: EnforcerDriver, step: Step, fault: str
) -> None:
    driver.pipe_ownership(stake("cn", "o", 60))
    first = actions(driver)
    driver.advance(2 * TELL_GROUP_SECONDS)
    getattr(driver, fault)(step)
    driver.pipe_ownership(TAKEN_OVER)
    assert driver.crashed
    driver.restart()
    assert first | actions(driver) == SUSPENDED | {f"o{n}": "suspend" for n in range(5)}


def test_after_a_crash_only_the_rest_of_what_was_touched_is_looked_at(driver: EnforcerDriver) -> None:
    driver.crash_after("commit")
    driver.pipe_ownership(TAKEN_OVER)
    first = actions(driver)
    assert 0 < len(first) < len(SUSPENDED)
    driver.restart()
    assert first | actions(driver) == SUSPENDED
    assert second_looks_of(driver) == len(SUSPENDED) - len(first)


def test_a_change_that_is_taken_back_before_all_were_told_is_taken_back_for_those_who_were(
    driver: EnforcerDriver,
) -> None:
    driver.crash_after("commit")
    driver.pipe_ownership(TAKEN_OVER)
    told = actions(driver)
    assert 0 < len(told) < len(SUSPENDED)
    driver.pipe_ownership(str(TAKEN_OVER["id"]))
    driver.restart()
    assert actions(driver) == dict.fromkeys(told, "allow")


def test_a_partition_that_missed_changes_looks_at_what_they_touched_alone(driver: EnforcerDriver) -> None:
    driver.pipe_ownership(stake("cn", "o", 10), stake("cn", "t", 10))
    driver.read()
    driver.restart()
    assert second_looks_of(driver) == 0
    driver.crash_before("commit")
    driver.pipe_ownership(TAKEN_OVER | {"id": "another"})
    driver.restart()
    assert actions(driver) == SUSPENDED
    assert second_looks_of(driver) == len(SUSPENDED)


def test_other_files_under_the_same_statements_are_taken_up_without_a_restart(driver: EnforcerDriver) -> None:
    driver.pipe_ownership(TAKEN_OVER)
    driver.read()
    driver.swap(policy_world(ownership=[HOLDER, OWNED, OTHER, BELOW]))
    assert actions(driver) == {"by-domain": "allow"}
    driver.swap(WORLD)
    assert actions(driver) == {"by-domain": "suspend"}


def test_a_rebalance_keeps_what_is_known(driver: EnforcerDriver) -> None:
    driver.pipe_ownership(TAKEN_OVER)
    driver.read()
    driver.rebalance()
    driver.pipe_ownership(str(TAKEN_OVER["id"]))
    assert actions(driver) == LET_IN
    assert second_looks_of(driver) == 2 * len(SUSPENDED)


def test_an_override_holds_whatever_becomes_of_the_owners(driver: EnforcerDriver) -> None:
    driver.pipe(override("t1", "allow", occurred_at=usage()["occurred_at"] + 1))
    driver.read()
    driver.pipe_ownership(TAKEN_OVER)
    assert actions(driver) == SUSPENDED | {"t1": "allow"}  # the reasons that it overrides are news
