"""Laws of the engine: what order, redelivery and anonymous networks cannot change."""

import json
from itertools import groupby
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.account import Account
from stream_enforcer.domain.decision import PublishedDecision, compute_id
from stream_enforcer.domain.engine import Emit
from stream_enforcer.domain.policy import judge
from stream_enforcer.domain.world import World
from tests.builders import Json, codes, facts_of, record, run, usage, world
from tests.strategies import OWNERSHIP, anonymous_addresses, histories, times

WORLD = world(OWNERSHIP)
emits = st.sampled_from(["transitions", "every"])


def state(account: Account, judged_in: World = WORLD) -> tuple[Any, ...]:
    """Give all that an account's history must not depend on: evidence, and every field of the verdict."""
    now = judged_in.verdict(account.evidence, account.standing)
    said = (account.standing, account.action, account.review, account.codes)
    written = {**now.before_event_time, **now.before_previous_action, **now.before_sequence}
    return account.evidence, said, now.judgement, orjson.dumps(written)


@given(histories("a", "b"), st.randoms(use_true_random=False))
def test_any_interleaving_of_an_account_s_events_ends_in_the_same_verdict(
    history: list[Json], random: Random
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    one, other = run(history, WORLD), run(shuffled, WORLD)
    assert {key: state(account) for key, account in one.accounts.items()} == {
        key: state(account) for key, account in other.accounts.items()
    }


@given(histories("a", "b"), st.randoms(use_true_random=False))
def test_what_other_accounts_do_changes_nothing(history: list[Json], random: Random) -> None:
    alone = run([event for event in history if event["account_id"] == "a"], WORLD)
    together = run(history, WORLD)
    assert alone.accounts.get(b"a", Account()).evidence == together.accounts.get(b"a", Account()).evidence
    assert [codes(d) for d in alone.decisions] == [
        codes(d) for d in together.decisions if d["account_id"] == "a"
    ]


@given(histories("a", "b"), st.data())
def test_redelivery_adds_nothing(history: list[Json], data: st.DataObject) -> None:
    first = run(history, WORLD)
    again = data.draw(st.lists(st.sampled_from(history), max_size=10))
    second = run(again, WORLD, accounts=first.accounts)
    assert second.decisions == []
    assert second.accounts == first.accounts


@given(histories("a", "b"), emits)
def test_the_same_records_in_the_same_world_give_the_same_bytes(history: list[Json], emit: Emit) -> None:
    twin = world(OWNERSHIP)  # another object, so no cache is shared
    assert run(history, WORLD, emit).values == run(history, twin, emit).values


@given(histories("a", "b"), emits)
def test_sequences_have_no_gap_and_each_decision_supersedes_the_last(history: list[Json], emit: Emit) -> None:
    decisions = sorted(run(history, WORLD, emit).decisions, key=lambda d: (d["account_id"], d["sequence"]))
    for _, chain in groupby(decisions, key=lambda d: d["account_id"]):
        before: Json = {"decision_id": None, "action": None}
        for number, decision in enumerate(chain, start=1):
            assert decision["sequence"] == number
            assert decision["supersedes"] == before["decision_id"]
            assert decision["previous_action"] == before["action"]
            before = decision


@given(histories("a", "b"), emits)
def test_a_decision_is_canonical_and_its_id_recomputes(history: list[Json], emit: Emit) -> None:
    outcome = run(history, WORLD, emit)
    for value, decision in zip(outcome.values, outcome.decisions, strict=True):
        assert compute_id(decision) == decision["decision_id"]
        canonical = json.dumps(decision, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert value == canonical.encode()
        PublishedDecision.model_validate_json(value)


@given(histories("a"), emits)
def test_no_decision_has_a_float(history: list[Json], emit: Emit) -> None:
    def refuse(text: str) -> float:
        pytest.fail(f"a float: {text}")

    for value in run(history, WORLD, emit).values:
        json.loads(value, parse_float=refuse)


@given(histories("a", "b"), emits)
def test_judging_a_decision_s_facts_again_gives_the_decision_again(history: list[Json], emit: Emit) -> None:
    for decision in run(history, WORLD, emit).decisions:
        again = judge(facts_of(decision), WORLD.policy)
        assert (again.action, again.review) == (decision["action"], decision["review"])
        assert orjson.loads(orjson.dumps([r.to_json() for r in again.reasons])) == decision["reasons"]


@given(histories("a", "b"))
def test_emit_every_publishes_one_decision_per_signup_and_usage_event(history: list[Json]) -> None:
    published = [
        (d["trigger"]["topic"], d["trigger"]["offset"]) for d in run(history, WORLD, "every").decisions
    ]
    expected = [
        (topic, offset)
        for offset, topic in enumerate(record(e).topic for e in history)
        if topic != "overrides"
    ]
    assert [place for place in published if place[0] != "overrides"] == expected
    assert len(set(published)) == len(published)


@given(histories("a", "b"))
def test_emit_transitions_publishes_an_account_s_first_event_and_each_change(history: list[Json]) -> None:
    every = run(history, WORLD, "every").decisions
    said: dict[str, tuple[Any, ...]] = {}
    changes = []
    for decision in every:
        now = (decision["action"], decision["review"], codes(decision))
        if said.get(decision["account_id"]) != now:
            changes.append((decision["account_id"], decision["trigger"], now))
        said[decision["account_id"]] = now
    assert changes == [
        (d["account_id"], d["trigger"], (d["action"], d["review"], codes(d)))
        for d in run(history, WORLD).decisions
    ]


@given(histories("a"), anonymous_addresses, times, st.integers(0, 12))
def test_an_anonymous_network_never_clears_anything(
    history: list[Json], address: str, time: int, place: int
) -> None:
    # The same event without an address: time alone may end an override.
    plain = [*history[:place], usage(occurred_at=time), *history[place:]]
    hidden = [*history[:place], usage(occurred_at=time, ip=address), *history[place:]]
    before = run(plain, WORLD, "every").decisions[-1]
    after = run(hidden, WORLD, "every").decisions[-1]
    if before["action"] == "suspend":
        assert after["action"] == "suspend"
    else:
        assert after["action"] == "allow"  # and by default it alone suspends nobody
    assert suspending(before) <= suspending(after)
    assert set(codes(before)) <= set(codes(after))


def suspending(decision: Json) -> set[str]:
    return {reason["code"] for reason in decision["reasons"] if reason["outcome"] == "suspend"}
