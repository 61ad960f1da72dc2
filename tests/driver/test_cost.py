"""What accounts cost, in the service: each use once, and of the suspended ones by rule and country."""

from stream_enforcer.testing import EnforcerDriver
from tests.builders import at, ip, override, signup, usage, world

WORLD = world()
DOLLAR = 1_000_000


def test_the_cost_of_suspended_accounts_is_told_by_rule_and_country() -> None:
    with EnforcerDriver(WORLD) as driver:
        driver.pipe(
            usage("served", ip=ip("us"), cost_usd_micros=7 * DOLLAR),
            usage("cn-1", ip=ip("us"), cost_usd_micros=5 * DOLLAR),
            signup("cn-1", ip=ip("cn")),
            signup("cn-2", ip=ip("cn")),
            usage("cn-2", ip=ip("cn"), cost_usd_micros=3 * DOLLAR),
        )
        assert driver.suspended_cost() == {("signup-from-restricted-region", "CN"): 8 * DOLLAR}
        assert driver.cost_of("served") == 7 * DOLLAR


def test_who_is_let_in_again_costs_nothing_as_a_suspended_account() -> None:
    with EnforcerDriver(WORLD) as driver:
        driver.pipe(signup("cn", ip=ip("cn")), usage("cn", ip=ip("cn"), cost_usd_micros=DOLLAR))
        driver.pipe(override("cn", "allow", occurred_at=at(1)))
        assert driver.suspended_cost() == {}
        assert driver.cost_of("cn") == DOLLAR


def test_late_usage_counts_on_its_own_day_and_old_usage_not_at_all() -> None:
    with EnforcerDriver(WORLD) as driver:
        driver.pipe(usage("a", occurred_at=at(40), cost_usd_micros=1))
        driver.pipe(usage("a", occurred_at=at(11), cost_usd_micros=20))
        driver.pipe(usage("a", occurred_at=at(10), cost_usd_micros=400))
        assert driver.cost_of("a") == 21


def test_costs_outlive_a_crash_in_the_middle_of_a_transaction() -> None:
    with EnforcerDriver(WORLD) as driver:
        driver.pipe(signup("cn", ip=ip("cn")), usage("cn", ip=ip("cn"), cost_usd_micros=DOLLAR))
        driver.crash_before("commit")
        driver.pipe(usage("cn", ip=ip("cn"), cost_usd_micros=DOLLAR))
        driver.restart()
        driver.advance(1)
        assert driver.cost_of("cn") == 2 * DOLLAR
        assert driver.suspended_cost() == {("signup-from-restricted-region", "CN"): 2 * DOLLAR}


def test_a_forgotten_account_leaves_no_cost() -> None:
    with EnforcerDriver(WORLD, account_retention_days=30) as driver:
        driver.pipe(usage("old", ip=ip("us"), cost_usd_micros=DOLLAR))
        driver.advance(40 * 86_400)
        driver.pipe(usage("new", ip=ip("us"), occurred_at=at(40)))
        driver.advance(1)
        assert driver.state_of("old") is None
        assert driver.cost_of("old") == 0
        driver.restart()
        assert driver.cost_of("old") == 0
