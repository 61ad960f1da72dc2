"""Which accounts share a key with a company, whenever and however they came into memory."""

from stream_enforcer.domain.account import Account
from stream_enforcer.domain.account_state import encode
from stream_enforcer.domain.links import links
from stream_enforcer.kafka.accounts import Accounts
from stream_enforcer.kafka.linked_accounts import LinkedAccounts
from tests.builders import Json, run, signup, world

KEYS = [("lei", "T"), ("domain", "t.example")]


def account(**fields: Json | str) -> Account:
    (state,) = run([signup("a", **fields)], world()).accounts.values()
    return state


BY_LEI = account(organization={"name": "T", "lei": "t"})
BY_DOMAIN = account(email_domain="t.example")
OTHER = account(organization={"name": "O", "lei": "O"}, email_domain="o.example")


def test_an_account_is_tied_by_its_claims_and_by_its_email_domains() -> None:
    assert ("lei", "T") in links(BY_LEI.evidence)
    assert ("domain", "t.example") in links(BY_DOMAIN.evidence)
    assert links(OTHER.evidence).isdisjoint(KEYS)


def test_accounts_are_found_once_each_however_often_they_were_noted() -> None:
    linked = LinkedAccounts()
    for _ in range(2):
        for key in (b"1", b"2", b"3"):
            linked.note(key, BY_LEI)
        linked.note(b"4", OTHER)
    assert linked.of(KEYS) == {b"1", b"2", b"3"}
    assert linked.of([("lei", "nobody")]) == set()


def test_the_index_is_made_a_few_accounts_at_a_time() -> None:
    accounts = Accounts()
    accounts.update({b"1": BY_LEI, b"2": BY_DOMAIN, b"3": OTHER})
    assert [accounts.link(2), accounts.link(2)] == [False, True]
    assert accounts.linked(KEYS) == {b"1", b"2"}


def test_accounts_that_come_or_change_later_are_in_the_index() -> None:
    accounts = Accounts()
    accounts.update({b"1": OTHER})
    assert accounts.link(9)
    accounts.update({b"1": BY_LEI, b"2": BY_DOMAIN, b"3": None})
    accounts.put_encoded(b"4", encode(BY_LEI))
    assert accounts.linked(KEYS) == {b"1", b"2"}
    assert accounts.link(9)
    assert accounts.linked(KEYS) == {b"1", b"2", b"4"}
