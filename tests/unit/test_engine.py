"""From one record to what it causes, override by override and emission by emission."""

from collections.abc import Sequence
from typing import Any

import pytest

from stream_enforcer.domain.account import Account
from stream_enforcer.domain.decision import Trigger
from stream_enforcer.domain.engine import NOTHING, Step, reconcile, step
from stream_enforcer.domain.records import StoredRecord
from tests.builders import (
    DEFAULT_POLICY,
    FIRST_DAY,
    GEO,
    FixedGeo,
    Json,
    at,
    codes,
    company,
    ip,
    last_decision,
    override,
    record,
    run,
    signup,
    stake,
    usage,
    world,
)

WORLD = world()
FROM_CN = signup(ip=ip("cn"))
DECLARED_CN = signup(declared_country="CN", ip=ip("us"))
PHONE_CN = signup(phone_country="CN", ip=ip("us"))
CLEAN = signup(ip=ip("us"))


def says(decision: Json) -> tuple[str, bool, list[str]]:
    return decision["action"], decision["review"], codes(decision)


def end(*events: Json) -> tuple[str, bool, list[str]]:
    return says(last_decision(events, WORLD))


def test_an_account_s_first_event_always_gives_a_decision() -> None:
    for event in (usage(), signup(), override(), override(action="none")):
        assert [d["sequence"] for d in run([event], WORLD).decisions] == [1]


def test_usage_that_shows_nothing_new_causes_nothing() -> None:
    account = run([usage(ip=ip("us"))], WORLD).accounts[b"a"]
    again = record(usage(ip=ip("us"), event_id="another"), offset=1)
    assert step(again, "usage", account, WORLD, "transitions") is NOTHING


def test_evidence_that_changes_no_verdict_changes_the_state_alone() -> None:
    account = run([usage(ip=ip("us"))], WORLD).accounts[b"a"]
    caused = step(record(usage(ip=ip("hk")), offset=1), "usage", account, WORLD, "transitions")
    assert caused.decision is None
    assert caused.account is not None
    assert caused.account.sequence == 1
    assert caused.account.evidence != account.evidence


def test_a_malformed_record_causes_one_dead_letter_and_nothing_else() -> None:
    for value in (None, b"", b"[" * 100_000, b"{}"):
        caused = step(StoredRecord("usage", 0, 3, 0, b"a", value), "usage", None, WORLD, "every")
        assert caused == Step(malformed=caused.malformed)
        assert caused.malformed is not None


def test_the_trigger_names_the_record_and_its_event() -> None:
    decision = run([usage(), FROM_CN], WORLD).decisions[1]
    assert decision["trigger"] == {
        "kind": "event",
        "topic": "signups",
        "partition": 0,
        "offset": 1,
        "event_id": FROM_CN["event_id"],
    }
    assert decision["event_time"] == "2026-03-01T00:00:00.000Z"


def test_an_override_s_decision_is_triggered_by_the_override() -> None:
    assert run([override()], WORLD).decisions[0]["trigger"]["kind"] == "override"


def test_emit_every_is_for_signups_and_usage_only() -> None:
    events = [CLEAN, usage(ip=ip("us")), usage(ip=ip("us"), event_id="more"), override(action="none")]
    assert [d["trigger"]["offset"] for d in run(events, WORLD, "every").decisions] == [0, 1, 2]


def test_a_review_leaves_an_allowed_account_allowed() -> None:
    assert end(PHONE_CN) == ("allow", True, ["phone-country-restricted"])


ENDING = [
    company("cn", "CN"),
    company("t", "SG", identifiers={"lei": "T"}),
    stake("cn", "t", 60, until="2026-03-05"),
]
OWNED: Json = {"organization": {"name": "T", "lei": "T"}}


def test_a_review_leaves_a_suspended_account_suspended() -> None:
    events = [signup(**OWNED, phone_country="CN"), usage(occurred_at=at(4))]
    before, after = run(events, world(ENDING)).decisions
    assert says(before) == ("suspend", False, ["ownership-restricted", "phone-country-restricted"])
    assert says(after) == ("suspend", True, ["phone-country-restricted"])


def test_a_suspension_whose_reasons_are_gone_is_lifted() -> None:
    events = [signup(**OWNED), usage(occurred_at=at(3)), usage(occurred_at=at(4))]
    assert [says(d)[:2] for d in run(events, world(ENDING)).decisions] == [
        ("suspend", False),
        ("allow", False),
    ]


# Overrides


def test_an_allow_without_rules_covers_every_rule() -> None:
    expected = ["override", "declared-country-restricted", "phone-country-restricted"]
    assert end(signup(declared_country="CN", phone_country="CN"), override()) == ("allow", False, expected)


def test_an_allow_covers_the_rules_it_names_and_no_other() -> None:
    covers = override(rules=["declared-country-restricted"])
    assert end(DECLARED_CN, covers)[:2] == ("allow", False)
    assert end(DECLARED_CN, FROM_CN, covers)[:2] == ("suspend", False)
    assert end(DECLARED_CN, PHONE_CN, covers)[:2] == ("allow", True)


def test_an_allow_of_rules_that_do_not_match_changes_nothing() -> None:
    assert end(FROM_CN, override(rules=["listed-entity"])) == end(FROM_CN)
    assert end(PHONE_CN, override(rules=["listed-entity"])) == end(PHONE_CN)


def test_a_suspend_without_rules_suspends_whatever_policy_says() -> None:
    assert end(CLEAN, override(action="suspend")) == ("suspend", False, ["override"])


def test_a_suspend_of_rules_holds_while_one_of_them_matches() -> None:
    holds = override(action="suspend", rules=["phone-country-restricted"])
    assert end(PHONE_CN, holds) == ("suspend", False, ["override", "phone-country-restricted"])
    assert end(CLEAN, holds) == ("allow", False, [])


@pytest.mark.parametrize("action", ["allow", "suspend"])
def test_none_lifts_an_earlier_override(action: str) -> None:
    for base in (CLEAN, FROM_CN):
        lifted = override(action="none", occurred_at=at(0, 2))
        assert end(base, override(action=action, occurred_at=at(0, 1)), lifted) == end(base)


def test_a_lifted_override_is_not_named() -> None:
    decision = last_decision([override(), override(action="none", occurred_at=at(0, 1)), CLEAN], WORLD)
    assert (decision["override_id"], decision["facts"]["override_id"]) == (None, "")


def test_none_does_not_lift_a_later_override() -> None:
    assert (
        end(override(action="none", occurred_at=at(0, 1)), override(occurred_at=at(0, 2)), FROM_CN)[0]
        == "allow"
    )


def test_what_an_override_ended_is_what_policy_says_again() -> None:
    events = [FROM_CN, override(), override(action="none", occurred_at=at(0, 1)), usage(ip=ip("us"))]
    assert [d["action"] for d in run(events, WORLD).decisions] == ["suspend", "allow", "suspend"]


@pytest.mark.parametrize(
    ("expires", "day", "in_force"),
    [
        (at(3), 2, True),
        (at(3), 3, False),
        (at(3, 1), 3, True),  # a day that began before it expires
        (at(3, 1), 4, False),
        (at(3, 86_399_999), 3, True),
        (at(0), 0, False),
    ],
)
def test_an_override_ends_with_the_first_event_on_a_day_that_begins_at_or_after_its_expiry(
    expires: int, day: int, in_force: bool
) -> None:
    events = [FROM_CN, override(expires_at=expires), usage(occurred_at=at(day, 86_399_999))]
    for order in (events, [events[2], events[0], events[1]]):
        decision = run(order, WORLD, "every").decisions[-1]
        assert decision["action"] == ("allow" if in_force else "suspend")
        assert decision["override_id"] == ("o1" if in_force else None)


def test_another_account_s_clock_does_not_end_an_override() -> None:
    outcome = run([FROM_CN, override(expires_at=at(1)), usage("b", occurred_at=at(9))], WORLD)
    assert outcome.accounts[b"a"].action == "allow"


def test_a_pinned_allow_holds_for_that_evidence_alone() -> None:
    seen = last_decision([FROM_CN], WORLD)["evidence_hash"]
    pinned = override(action="allow", evidence_hash=seen)
    assert end(FROM_CN, pinned)[0] == "allow"
    assert end(FROM_CN, override(action="allow", evidence_hash="0" * 64)) == end(FROM_CN)
    more = usage(ip=ip("hk"))
    decision = last_decision([FROM_CN, pinned, more], WORLD)
    assert says(decision) == end(FROM_CN, more)
    assert (decision["override_id"], decision["facts"]["override_action"]) == (None, "")


def test_nothing_that_an_account_shows_lifts_a_pinned_suspension() -> None:
    seen = last_decision([CLEAN], WORLD)["evidence_hash"]
    pinned = override(action="suspend", evidence_hash=seen)
    assert end(CLEAN, pinned, usage(ip=ip("us-vpn")))[0] == "suspend"


def test_a_pinned_override_holds_while_only_time_passes() -> None:
    seen = last_decision([FROM_CN], WORLD)["evidence_hash"]
    assert end(FROM_CN, override(evidence_hash=seen), usage(occurred_at=at(5)))[0] == "allow"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"occurred_at": at(1), "event_id": "z"}, {"occurred_at": at(2), "event_id": "a"}),
        ({"occurred_at": at(1), "event_id": "a"}, {"occurred_at": at(1), "event_id": "b"}),
    ],
)
def test_the_last_override_by_time_then_event_id_wins_however_they_arrive(first: Json, second: Json) -> None:
    early, late = override(action="suspend", **first), override(action="allow", override_id="o2", **second)
    for order in ([early, late], [late, early]):
        assert run([FROM_CN, *order], WORLD).accounts[b"a"].action == "allow"


# A changed world


def changed(kind: Any = "policy") -> Trigger:
    return Trigger(kind, "enforcer-accounts", 0, 12, None, FIRST_DAY)


def look(events: Sequence[Json], before: Any, after: Any) -> tuple[Account, Step]:
    account = run(events, before).accounts[b"a"]
    return account, reconcile("a", account, after, changed("reference"))


def test_a_world_that_changes_nothing_for_an_account_causes_nothing() -> None:
    assert look([FROM_CN], WORLD, world(geo=FixedGeo({}, built_on="2026-02-10")))[1] is NOTHING


def test_a_changed_world_publishes_a_difference_with_its_trigger() -> None:
    owned = world([company("cn", "CN"), company("t", "SG", identifiers={"lei": "T"}), stake("cn", "t", 60)])
    before, caused = look([signup(**OWNED)], WORLD, owned)
    assert caused.account is not None
    assert caused.decision is not None
    assert (caused.account.action, caused.account.sequence) == ("suspend", before.sequence + 1)
    assert b'"trigger":{"kind":"reference","offset":12,"partition":0,"topic":"enforcer-accounts"}' in (
        caused.decision.value
    )


def test_a_changed_world_leaves_a_suspension_under_review_standing() -> None:
    owned = world([company("cn", "CN"), company("t", "SG", identifiers={"lei": "T"}), stake("cn", "t", 60)])
    _, caused = look([signup(**OWNED, phone_country="CN")], owned, WORLD)
    assert caused.account is not None
    assert (caused.account.action, caused.account.review) == ("suspend", True)


def test_old_geo_tables_make_a_decision_degraded_and_ask_for_review() -> None:
    for geo in (FixedGeo(GEO.table, "2025-02-28"), FixedGeo(GEO.table, None)):
        decision = last_decision([CLEAN], world(geo=geo, policy=DEFAULT_POLICY))
        assert says(decision) == ("allow", True, ["degraded-inputs"])
        assert decision["degraded"] == ["geo"]


def test_a_claim_that_more_claims_push_out_still_counts_by_its_country_in_any_order() -> None:
    claims = [
        signup(organization={"name": f"n{n}"}, occurred_at=at(0, n), event_id=f"e{n}") for n in range(8)
    ]
    hidden = signup(organization={"name": "n9", "country": "CN"}, occurred_at=at(1))
    for order in ([*claims, hidden], [hidden, *claims], [*claims[:4], hidden, *claims[4:]]):
        account = run(order, WORLD).accounts[b"a"]
        assert (account.action, account.codes) == ("suspend", ("headquarters-restricted", "degraded-inputs"))


def test_more_claims_than_are_kept_ask_for_review() -> None:
    claims = [signup(organization={"name": f"n{n}"}, event_id=f"e{n}") for n in range(9)]
    account = run(claims, WORLD).accounts[b"a"]
    assert (account.action, account.review, account.codes) == ("allow", True, ("degraded-inputs",))
