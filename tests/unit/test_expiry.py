"""Accounts of which nothing was seen for long are forgotten, and never one that somebody still needs."""

from dataclasses import replace

import pytest

from stream_enforcer.domain.account import may_be_forgotten
from stream_enforcer.domain.account_state import encode
from stream_enforcer.domain.events import MS_PER_DAY
from stream_enforcer.kafka import expiry
from stream_enforcer.kafka.accounts import Accounts
from stream_enforcer.kafka.changelog import Checkpoint, Restored, WorldId
from stream_enforcer.kafka.expiry import Expiry
from stream_enforcer.kafka.partition import Partition, Terms
from stream_enforcer.kafka.publication import next_checkpoint, outgoing
from stream_enforcer.settings import Topics
from stream_enforcer.testing import EnforcerDriver, policy_world
from stream_enforcer.testing import usage as seen_usage
from stream_enforcer.testing.events import FIRST_DAY
from tests.builders import KINDS, Json, client_record, ip, override, record, run, signup, usage, world

WORLD = world()
DAY = 20_000
DAYS_KEPT = 30


def on(day: int) -> int:
    return day * MS_PER_DAY


def partition(*events: Json) -> Partition:
    accounts = Accounts()
    for key, account in run(events, WORLD).accounts.items():
        accounts.put_encoded(key, encode(account))
    terms = Terms(KINDS, "transitions", "enforcer")
    return Partition(0, terms, WORLD, Restored(accounts, Checkpoint({}, 1, WorldId("p", "r"))))


def take(into: Partition, event: Json, timestamp: int) -> None:
    item = replace(client_record(record(event)), timestamp=timestamp)
    into.take(item.topic, [item], now_ms=timestamp)


@pytest.mark.parametrize(
    ("event", "forgotten"),
    [
        (usage(ip=ip("us"), occurred_at=on(DAY)), True),
        (usage(ip=ip("us"), occurred_at=on(DAY + 1)), False),
        (signup(ip=ip("cn"), occurred_at=on(DAY)), False),
        (signup(phone_country="CN", occurred_at=on(DAY)), False),
        (override(occurred_at=on(DAY)), False),
    ],
    ids=["long ago", "of late", "suspended", "for review", "with an override"],
)
def test_only_an_account_that_was_plainly_allowed_and_not_seen_since_may_go(
    event: Json, forgotten: bool
) -> None:
    (account,) = run([event], WORLD).accounts.values()
    assert may_be_forgotten(account, DAY + 1) is forgotten


def test_who_is_due_goes_with_a_tombstone_and_the_rest_stays() -> None:
    part = partition(usage("old", occurred_at=on(DAY)), usage("new", occurred_at=on(DAY + 1)))
    take(part, usage("c", occurred_at=on(DAY + 31)), on(DAY + 31))
    assert not Expiry(DAYS_KEPT).work(part, on(DAY + 40))
    assert {key for key, account in part.pending.states.items() if account is None} == {b"old"}
    assert part.pending.forgotten == 1
    work = part.next_work()
    (_, accounts) = outgoing(work, next_checkpoint(None, work, 1, (WorldId("p", "r"), None)), Topics())
    assert (b"a:old", None, []) in list(accounts.entries)
    part.committed()
    assert set(part.restored.accounts) == {b"new", b"c"}


def test_nobody_is_forgotten_unless_it_is_set() -> None:
    part = partition(usage("old", occurred_at=on(DAY)))
    take(part, usage("c", occurred_at=on(DAY + 5_000)), on(DAY + 5_000))
    assert not Expiry(None).work(part, on(DAY + 5_000))
    assert set(part.pending.states) == {b"c"}


def test_the_stream_s_day_counts_while_old_records_are_read() -> None:
    part = partition(usage("old", occurred_at=on(DAY)))
    take(part, usage("c", occurred_at=on(DAY + 30)), on(DAY + 30))
    Expiry(DAYS_KEPT).work(part, on(DAY + 5_000))
    assert set(part.pending.states) == {b"c"}


def test_a_record_from_the_future_makes_nobody_older() -> None:
    part = partition(usage("old", occurred_at=on(DAY)))
    take(part, usage("c", occurred_at=on(DAY + 1)), on(DAY + 5_000))
    Expiry(DAYS_KEPT).work(part, on(DAY + 30))
    assert set(part.pending.states) == {b"c"}


def test_who_comes_back_before_it_is_committed_stays() -> None:
    part = partition(usage("old", occurred_at=on(DAY), ip=ip("us")))
    take(part, usage("old", occurred_at=on(DAY + 31), ip=ip("us")), on(DAY + 31))
    part.next_work()
    Expiry(DAYS_KEPT).work(part, on(DAY + 40))
    assert not part.pending.states


def test_who_comes_back_afterwards_is_new() -> None:
    part = partition(usage("old", occurred_at=on(DAY), ip=ip("us")))
    take(part, usage("c", occurred_at=on(DAY + 31)), on(DAY + 31))
    Expiry(DAYS_KEPT).work(part, on(DAY + 40))
    assert part.account(b"old") is None
    take(part, usage("old", occurred_at=on(DAY + 32), ip=ip("us")), on(DAY + 32))
    account = part.account(b"old")
    assert account is not None
    assert account.sequence == 1


def test_many_accounts_are_looked_at_a_few_at_a_time_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "CHUNK", 2)
    part = partition(*(usage(name, occurred_at=on(DAY)) for name in "abcde"))
    take(part, usage("z", occurred_at=on(DAY + 31)), on(DAY + 31))
    due = Expiry(DAYS_KEPT)
    assert [due.work(part, on(DAY + 40)) for _ in range(4)] == [True, True, False, False]
    assert part.pending.forgotten == 5


def test_a_look_at_an_account_does_not_make_it_larger() -> None:
    part = partition(usage(occurred_at=on(DAY)))
    assert part.restored.accounts.peek(b"a") is not part.restored.accounts.peek(b"a")


def test_the_service_forgets_and_stays_so_after_a_restart() -> None:
    day = FIRST_DAY
    with EnforcerDriver(policy_world(), account_retention_days=DAYS_KEPT) as driver:
        driver.pipe(seen_usage("old", occurred_at=day))
        driver.advance(31 * MS_PER_DAY / 1000)
        driver.pipe(seen_usage("new", occurred_at=day + 31 * MS_PER_DAY))
        assert driver.state_of("old") is None
        driver.restart()
        assert driver.state_of("old") is None
        assert driver.state_of("new") is not None
        driver.pipe(seen_usage("old", occurred_at=day + 32 * MS_PER_DAY))
        assert [(d["account_id"], d["sequence"]) for d in driver.read()] == [
            ("old", 1),
            ("new", 1),
            ("old", 1),
        ]
