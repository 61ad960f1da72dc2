"""What a decision says, and that it can be told from any other."""

import pytest
from pydantic import ValidationError

from stream_enforcer.domain.decision import PublishedDecision, compute_id
from stream_enforcer.domain.facts import FACT_NAMES
from tests.builders import Json, at, company, ip, last_decision, override, run, signup, stake, usage, world

WORLD = world(
    [company("cn", "CN"), company("t", "SG", identifiers={"lei": "T"}), stake("cn", "t", "50.000001")],
    as_of="2026-01-15",
)
EVENTS = [
    signup("Ünïcode 账户", ip=ip("us"), organization={"name": "T", "lei": "T"}),
    override("Ünïcode 账户", occurred_at=at(0, 1)),
]


@pytest.fixture(name="decision")
def _decision() -> Json:
    return run(EVENTS, WORLD).decisions[0]


def test_a_decision_has_the_fields_of_the_contract_and_no_other(decision: Json) -> None:
    assert set(decision) == {
        *("decision_id", "account_id", "sequence", "supersedes", "action", "previous_action", "review"),
        *("reasons", "trigger", "event_time", "policy", "reference", "facts", "ownership", "degraded"),
        *("override_id", "evidence_hash"),
    }
    assert set(decision["facts"]) == set(FACT_NAMES)


def test_a_decision_is_valid_by_its_published_model() -> None:
    for value in run(EVENTS, WORLD, "every").values:
        PublishedDecision.model_validate_json(value)


def test_the_published_model_refuses_what_no_decision_says(decision: Json) -> None:
    for wrong in ({"action": "ban"}, {"sequence": 0}, {"more": 1}, {"review": 1}, {"decision_id": "x"}):
        with pytest.raises(ValidationError):
            PublishedDecision.model_validate({**decision, **wrong})


def test_a_changed_field_changes_the_id(decision: Json) -> None:
    assert compute_id(decision) == decision["decision_id"]
    for name in set(decision) - {"decision_id"}:
        assert compute_id({**decision, name: "other"}) != decision["decision_id"]


def test_a_decision_names_the_world_that_it_was_judged_in(decision: Json) -> None:
    assert WORLD.graph is not None
    assert decision["policy"] == {
        "id": "restricted-regions",
        "version": "1",
        "hash": WORLD.policy.hash,
        "mode": "enforce",
    }
    assert decision["reference"] == {
        "geo": {"hash": WORLD.geo.hash, "built_at": "2026-02-01"},
        "ownership": {"hash": WORLD.graph.hash, "as_of": "2026-01-15"},
    }


def test_a_reason_carries_the_values_that_matched(decision: Json) -> None:
    assert decision["reasons"] == [
        {
            "code": "ownership-restricted",
            "rule": "ownership-restricted",
            "outcome": "suspend",
            "message": "More than the threshold is owned, directly or indirectly, by restricted holders.",
            "evidence": {"ownership_control": "proved", "ownership_effective": "proved"},
        }
    ]


def test_shares_are_exact_integers_in_millionths_of_a_percent(decision: Json) -> None:
    assert decision["ownership"]["threshold"] == 50_000_000
    assert decision["ownership"]["control"] == {"verdict": "proved", "min": 50_000_001, "max": 50_000_001}


def test_no_organisation_gives_no_ownership() -> None:
    assert run([usage()], WORLD).decisions[0]["ownership"] is None


def test_an_override_in_force_is_named() -> None:
    decision = run(EVENTS, WORLD).decisions[1]
    assert (decision["action"], decision["previous_action"]) == ("allow", "suspend")
    assert decision["override_id"] == decision["facts"]["override_id"] == "o1"
    assert decision["reasons"][0] == {
        "code": "override",
        "rule": "override",
        "outcome": "allow",
        "message": "Two people decided this by an override.",
        "evidence": {"override_id": "o1", "override_rules": []},
    }


def test_the_evidence_hash_is_of_what_was_shown_alone() -> None:
    base = [signup(ip=ip("us"))]
    hashes = {
        name: last_decision([*base, event], WORLD)["evidence_hash"]
        for name, event in {
            "nothing": usage(),
            "a later day": usage(occurred_at=at(9)),
            "an override": override(occurred_at=at(0, 1)),
            "an address": usage(ip=ip("hk")),
        }.items()
    }
    assert hashes["nothing"] == hashes["a later day"] == hashes["an override"] != hashes["an address"]
