"""What a policy is, how its rules are compiled, and what it says of facts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from stream_enforcer.domain.facts import FACT_NAMES, Facts
from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.domain.policy import (
    OVERRIDE,
    BadRules,
    Judgement,
    Policy,
    PolicyDocument,
    compile_policy,
    judge,
)
from tests.builders import DEFAULT_POLICY, Json, facts_of, last_decision, usage, world

NOTHING_KNOWN = facts_of(last_decision([usage()], world()))


def rule(when: str, outcome: str = "suspend", **fields: Any) -> Json:
    return {"id": "r", "when": when, "outcome": outcome, "reason": "Because.", **fields}


def document(*rules: Json, **fields: Any) -> PolicyDocument:
    numbered = [{**line, "id": f"r{n}"} for n, line in enumerate(rules)] if len(rules) > 1 else list(rules)
    written = {"id": "p", "version": "1", "restricted": ["CN", "KP"], "rules": numbered, **fields}
    return PolicyDocument.model_validate(written)


def policy(*rules: Json, **fields: Any) -> Policy:
    return compile_policy(document(*rules, **fields))


def said(found: Judgement) -> tuple[str, bool, list[str]]:
    return found.action, found.review, [reason.code for reason in found.reasons]


def facts(**fields: Any) -> Facts:
    return replace(NOTHING_KNOWN, **fields)


@pytest.mark.parametrize("compiled", DEFAULT_POLICY.rules, ids=lambda compiled: compiled.rule.id)
def test_every_rule_of_the_default_policy_mentions_only_facts_and_at_least_one(compiled: Any) -> None:
    assert compiled.mentions
    assert set(compiled.mentions) <= set(FACT_NAMES)


def test_the_default_policy_restricts_what_the_contract_says() -> None:
    assert DEFAULT_POLICY.restricted == {"CN", "RU", "IR", "KP"}
    assert (DEFAULT_POLICY.question.threshold, DEFAULT_POLICY.question.strict) == (FULL // 2, True)
    assert [(c.rule.id, c.rule.outcome, c.rule.mode) for c in DEFAULT_POLICY.rules] == [
        ("headquarters-restricted", "suspend", "enforce"),
        ("ownership-restricted", "suspend", "enforce"),
        ("ownership-possible", "review", "enforce"),
        ("listed-entity", "suspend", "enforce"),
        ("declared-country-restricted", "suspend", "enforce"),
        ("signup-from-restricted-region", "suspend", "enforce"),
        ("usage-from-restricted-region", "suspend", "enforce"),
        ("seen-in-restricted-region", "review", "enforce"),
        ("phone-country-restricted", "review", "enforce"),
        ("anonymous-network", "review", "enforce"),
        ("degraded-inputs", "review", "enforce"),
    ]


@pytest.mark.parametrize(
    ("when", "column", "message"),
    [
        ("anonymous &&", 13, "Syntax error"),
        ("anonymous || foo", 14, "undeclared reference to 'foo'"),
        ("coverage > 'a'", 10, "no matching overload"),
        ("coverage > 50.0", 10, "no matching overload"),
        ("coverage", 1, "must be a bool, this is INT"),
        ("restricted", 1, "must be a bool, this is LIST"),
        ("declared_countries.exists(c, c == 1)", 32, "no matching overload"),
    ],
)
def test_a_condition_that_cannot_mean_anything_is_refused_with_its_place(
    when: str, column: int, message: str
) -> None:
    with pytest.raises(BadRules, match=message) as caught:
        policy(rule("anonymous"), rule(when))
    ((index, line, at, _),) = caught.value.conditions
    assert (index, line, at) == (1, 1, column)


def test_the_place_of_a_fault_counts_the_condition_s_lines() -> None:
    with pytest.raises(BadRules) as caught:
        policy(rule("anonymous ||\n  foo"))
    ((_, line, column, _),) = caught.value.conditions
    assert (line, column) == (2, 3)


def test_every_bad_condition_is_told_at_once() -> None:
    with pytest.raises(BadRules) as caught:
        policy(rule("foo", id="a"), rule("anonymous", id="b"), rule("bar", id="c"))
    assert [condition.rule for condition in caught.value.conditions] == [0, 2]


@pytest.mark.parametrize(
    "fields",
    [
        {"restricted": []},
        {"restricted": ["cn"]},
        {"restricted": ["XX"]},
        {"rules": []},
        {"rules": [rule("anonymous"), rule("anonymous")]},
        {"rules": [rule("anonymous", id=OVERRIDE)]},
        {"rules": [rule("anonymous", id="Not A Slug")]},
        {"rules": [rule("anonymous", outcome="allow")]},
        {"rules": [rule(" ")]},
        {"rules": [rule("anonymous", severity=1)]},
        {"mode": "off"},
        {"version": 1},
        {"threshold": 50},
        {"ownership": {"threshold": 101}},
        {"ownership": {"threshold": -1}},
        {"ownership": {"threshold": "50.0000001"}},
        {"ownership": {"threshold": "NaN"}},
        {"ownership": {"threshold": 0, "strict": False}},
        {"ownership": {"name_score_at_least": -1}},
        {"ownership": {"name_score_at_least": 101}},
        {"ownership": {"name_score_at_least": 82.5}},
        {"max_age_days": {"geo": 0}},
    ],
)
def test_a_document_that_is_not_a_policy_is_refused(fields: Json) -> None:
    with pytest.raises(ValidationError):
        document(rule("anonymous"), **fields)


@pytest.mark.parametrize(
    ("threshold", "millionths"),
    [(50, 50_000_000), ("33.333333", 33_333_333), (0.1, 100_000), (0, 0), (100, FULL)],
)
def test_a_threshold_is_exact(threshold: Any, millionths: int) -> None:
    terms = {"threshold": threshold, "strict": True, "exceptions": ["e"]}
    question = policy(rule("anonymous"), ownership=terms).question
    assert (question.threshold, question.strict, question.exceptions) == (millionths, True, frozenset({"e"}))


def test_a_policy_s_hash_is_of_all_that_it_says() -> None:
    base = policy(rule("anonymous")).hash
    assert base == policy(rule(" anonymous ")).hash
    for other in (
        policy(rule("unlocated")),
        policy(rule("anonymous", "review")),
        policy(rule("anonymous", reason="Other.")),
        policy(rule("anonymous"), version="2"),
        policy(rule("anonymous"), restricted=["CN"]),
        policy(rule("anonymous"), mode="shadow"),
        policy(rule("anonymous"), ownership={"strict": False}),
        policy(rule("anonymous"), ownership={"name_score_at_least": 90}),
    ):
        assert other.hash != base


def test_a_matched_rule_gives_the_facts_that_it_mentions() -> None:
    mentions = "declared_countries.exists(c, c in restricted) && coverage >= 0"
    (reason,) = judge(facts(declared_countries=("CN", "US")), policy(rule(mentions))).reasons
    assert reason.evidence == {"declared_countries": ("CN", "US"), "coverage": 0}
    assert (reason.code, reason.outcome, reason.message) == ("r", "suspend", "Because.")


def test_suspensions_come_first_each_in_the_policy_s_order() -> None:
    rules = [rule("true", "review"), rule("true"), rule("true", "review"), rule("true"), rule("false")]
    assert said(judge(facts(), policy(*rules))) == ("suspend", False, ["r1", "r3", "r0", "r2"])


@pytest.mark.parametrize(
    ("standing", "outcomes", "action", "review"),
    [
        ("allow", [], "allow", False),
        ("suspend", [], "allow", False),
        ("allow", ["review"], "allow", True),
        ("suspend", ["review"], "suspend", True),
        ("allow", ["suspend"], "suspend", False),
        ("allow", ["review", "suspend"], "suspend", False),
    ],
)
def test_any_suspend_wins_and_a_review_leaves_the_action_as_it_stood(
    standing: str, outcomes: Sequence[str], action: str, review: bool
) -> None:
    rules = [*(rule("true", outcome) for outcome in outcomes), rule("false"), rule("false")]
    found = judge(facts(standing=standing), policy(*rules))
    assert (found.action, found.review, found.standing) == (action, review, action)


@pytest.mark.parametrize(
    "when",
    [
        "declared_countries[0] == 'CN'",
        "1 / coverage > 0",
        "as_of.matches('(')",
        "coverage - 1 + 9223372036854775807 + 2 > 0",
    ],
)
@pytest.mark.parametrize("outcome", ["suspend", "review"])
def test_a_condition_that_fails_on_the_facts_asks_a_person_to_look(when: str, outcome: str) -> None:
    found = judge(facts(), policy(rule(when, outcome)))
    assert said(found) == ("allow", True, ["r"])
    assert found.reasons[0].message == "This rule's condition could not be evaluated."


def test_a_shadow_rule_is_counted_and_changes_nothing() -> None:
    found = judge(
        facts(), policy(rule("true", mode="shadow"), rule("true", "review"), rule("1/0 > 0", mode="shadow"))
    )
    assert said(found) == ("allow", True, ["r1"])
    assert found.shadow == ("r0", "r2")


def test_an_override_of_an_unknown_rule_covers_nothing() -> None:
    overridden = {"override_id": "o", "override_rules": ("gone",)}
    for action in ("allow", "suspend"):
        found = judge(facts(override_action=action, **overridden), policy(rule("true")))
        assert said(found) == ("suspend", False, ["r"])


def test_an_override_does_not_change_what_policy_alone_says() -> None:
    for action, alone in (("allow", "suspend"), ("suspend", "allow")):
        when = "true" if alone == "suspend" else "false"
        found = judge(facts(override_action=action, override_id="o"), policy(rule(when)))
        assert (found.action, found.standing) == (action, alone)
