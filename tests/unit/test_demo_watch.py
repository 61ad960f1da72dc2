"""The demo's reader counts decisions by what speaks for them, and believes no chain unseen."""

from typing import Any

import orjson
import pytest

from stream_enforcer.demo.watch import Watch
from stream_enforcer.replay.verification import Refuted

FIRST: dict[str, Any] = {
    "account_id": "a",
    "decision_id": "1",
    "sequence": 1,
    "supersedes": None,
    "action": "allow",
    "previous_action": None,
    "review": False,
    "reasons": [],
    "trigger": {"kind": "event", "event_id": "e1"},
}
SECOND: dict[str, Any] = {
    **FIRST,
    "decision_id": "2",
    "sequence": 2,
    "supersedes": "1",
    "action": "suspend",
    "previous_action": "allow",
    "reasons": [
        {"code": "ownership-restricted", "outcome": "suspend"},
        {"code": "listed-entity", "outcome": "suspend"},
        {"code": "phone-country-restricted", "outcome": "review"},
    ],
    "trigger": {"kind": "event", "event_id": "e2"},
}


def seen(*decisions: dict[str, Any]) -> Watch:
    watch = Watch("a")
    for now, decision in enumerate(decisions):
        watch.take(orjson.dumps(decision), float(now))
    return watch


def test_only_reasons_of_the_outcome_count() -> None:
    watch = seen(FIRST, SECOND)
    assert watch.by_reason == {
        ("allow", "no rule matched"): 1,
        ("suspend", "ownership-restricted"): 1,
        ("suspend", "listed-entity"): 1,
    }
    assert (watch.decisions, watch.by_action) == (2, {"allow": 1, "suspend": 1})


def test_an_allowed_account_that_a_person_should_look_at_counts_as_review() -> None:
    reasons = [{"code": "phone-country-restricted", "outcome": "review"}]
    assert seen({**FIRST, "review": True, "reasons": reasons}).by_reason == {
        ("review", "phone-country-restricted"): 1
    }


def test_a_decision_is_timed_when_it_is_first_seen() -> None:
    again = {**FIRST, "account_id": "b"}
    assert seen(FIRST, SECOND, again).seen_at == {"e1": 0.0, "e2": 1.0}


def test_the_shown_accounts_last_decision_is_kept() -> None:
    assert seen(FIRST, SECOND, {**FIRST, "account_id": "b"}).shown == SECOND


@pytest.mark.parametrize("decisions", [(SECOND,), (FIRST, FIRST), (FIRST, {**SECOND, "sequence": 3})])
def test_a_gap_or_a_repeat_is_refuted(decisions: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(Refuted, match="sequence"):
        seen(*decisions)
