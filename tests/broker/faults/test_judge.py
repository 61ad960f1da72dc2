"""The judge sees every kind of harm that an output can come to."""

from collections.abc import Callable

import pytest

from tests.broker.faults.chains import Chains
from tests.broker.faults.judge import Findings, Inputs, Outputs, compare
from tests.builders import Json, Outcome, at, ip, run, signup, usage, world

EVENTS = [
    usage("one", ip=ip("us"), event_id="1"),
    signup("two", ip=ip("us"), event_id="2"),
    usage("one", ip=ip("cn"), occurred_at=at(1), event_id="3"),
    usage("two", ip=ip("us"), event_id="4"),
    usage("one", ip=ip("us"), event_id="5"),
]


def decided() -> Outcome:
    return run(EVENTS, world(), emit="every")


def inputs() -> Inputs:
    found = Inputs(records=len(EVENTS), accounts=dict(decided().accounts))
    for event in EVENTS:
        key = event["account_id"].encode()
        found.events[key] += 1
        found.topics.setdefault(key, set()).add(event["type"])
    return found


def chains(decisions: list[Json]) -> Chains:
    seen = Chains()
    for decision in decisions:
        seen.see(decision)
    return seen


def judged(after: list[Json], meanwhile: list[Json] | None = None, dead_letters: int = 0) -> Findings:
    watched = chains(after if meanwhile is None else meanwhile)
    return compare(0, inputs(), Outputs(chains(after), watched, dead_letters, None))


def test_what_the_events_give_is_no_fault() -> None:
    found = judged(decided().decisions)
    assert found.failures == []
    assert (found.records, found.decisions, found.one_topic, found.lost, found.repeated) == (5, 5, 1, 0, 0)


@pytest.mark.parametrize("place", range(len(EVENTS)))
def test_a_decision_that_is_missing_is_lost(place: int) -> None:
    decisions = decided().decisions
    found = judged(decisions[:place] + decisions[place + 1 :])
    assert found.lost == 1
    assert found.failures


@pytest.mark.parametrize("place", range(len(EVENTS)))
def test_a_decision_that_comes_again_is_repeated(place: int) -> None:
    decisions = decided().decisions
    found = judged([*decisions, decisions[place]])
    assert found.repeated == 1
    assert found.failures


@pytest.mark.parametrize("place", range(len(EVENTS)))
def test_what_the_concurrent_reader_missed_is_lost(place: int) -> None:
    decisions = decided().decisions
    assert judged(decisions, decisions[:place] + decisions[place + 1 :]).failures


def _other_action(decision: Json) -> None:
    decision["action"] = "allow" if decision["action"] == "suspend" else "suspend"


def _other_id(decision: Json) -> None:
    decision["decision_id"] = "0" * 64


@pytest.mark.parametrize("change", [_other_action, _other_id])
def test_a_last_decision_that_the_events_do_not_give_is_seen(change: Callable[[Json], None]) -> None:
    decisions = decided().decisions
    change(decisions[-1])
    assert judged(decisions).failures


def test_a_decision_of_nobody_is_seen() -> None:
    stranger = run([usage("stranger", ip=ip("us"))], world(), emit="every").decisions
    assert judged([*decided().decisions, *stranger]).failures


def test_a_dead_letter_of_a_good_record_is_repeated() -> None:
    assert judged(decided().decisions, dead_letters=1).repeated == 1
