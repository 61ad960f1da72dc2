"""Laws of judgement, over any facts and not only those that events can make."""

from dataclasses import fields, replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.facts import Facts
from stream_enforcer.domain.policy import OVERRIDE, Judgement, compile_policy, judge
from tests.builders import DEFAULT_POLICY

RULES = [compiled.rule.id for compiled in DEFAULT_POLICY.rules]
VERDICTS = st.sampled_from(["unknown", "refuted", "possible", "proved"])
WORDS = st.lists(st.sampled_from(["CN", "US", "military", "geo", "vpn"]), max_size=3, unique=True).map(tuple)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.just(""),
    int: st.integers(0, 9),
    bool: st.booleans(),
    tuple[str, ...]: WORDS,
}
BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "standing": st.sampled_from(["allow", "suspend"]),
    "override_id": st.just(""),
    "override_action": st.just(""),
    "override_rules": st.just(()),
    **{f"ownership_{name}": VERDICTS for name in ("control", "effective", "single_owner")},
}
all_facts = st.builds(
    Facts, **{spec.name: BY_NAME.get(spec.name, BY_TYPE[spec.type]) for spec in fields(Facts)}
)
covered = st.lists(st.sampled_from(RULES), min_size=1, max_size=5, unique=True).map(tuple)


def overridden(facts: Facts, action: str, rules: tuple[str, ...] = ()) -> Judgement:
    given_facts = replace(facts, override_id="o", override_action=action, override_rules=rules)
    return judge(given_facts, DEFAULT_POLICY)


@given(all_facts)
def test_the_outcomes_of_the_reasons_decide(facts: Facts) -> None:
    found = judge(facts, DEFAULT_POLICY)
    outcomes = [reason.outcome for reason in found.reasons]
    if "suspend" in outcomes:
        assert (found.action, found.review) == ("suspend", False)
    elif outcomes:
        assert (found.action, found.review) == (facts.standing, True)
    else:
        assert (found.action, found.review) == ("allow", False)
    assert outcomes == sorted(outcomes, key=["suspend", "review"].index)
    assert found.standing == found.action


@given(all_facts, st.randoms(use_true_random=False))
def test_the_order_of_rules_orders_reasons_and_decides_nothing(facts: Facts, random: Random) -> None:
    rules = list(DEFAULT_POLICY.document.rules)
    random.shuffle(rules)
    shuffled = compile_policy(DEFAULT_POLICY.document.model_copy(update={"rules": tuple(rules)}))
    one, other = judge(facts, DEFAULT_POLICY), judge(facts, shuffled)
    assert (one.action, one.review, one.standing) == (other.action, other.review, other.standing)
    assert {r.code: r for r in one.reasons} == {r.code: r for r in other.reasons}


@given(all_facts)
def test_an_override_of_all_rules_decides_alone(facts: Facts) -> None:
    for action in ("allow", "suspend"):
        found = overridden(facts, action)
        assert (found.action, found.review) == (action, False)
        assert found.reasons[0].code == OVERRIDE
        assert found.reasons[1:] == judge(facts, DEFAULT_POLICY).reasons
        assert found.standing == judge(facts, DEFAULT_POLICY).standing


@given(all_facts, covered)
def test_an_allow_of_some_rules_never_covers_another(facts: Facts, rules: tuple[str, ...]) -> None:
    plain = judge(facts, DEFAULT_POLICY)
    found = overridden(facts, "allow", rules)
    rest = [reason for reason in plain.reasons if reason.code not in rules]
    if len(rest) == len(plain.reasons):
        assert found == plain
    elif any(reason.outcome == "suspend" for reason in rest):
        assert (found.action, found.review) == ("suspend", False)
    else:
        assert (found.action, found.review) == ("allow", bool(rest))


@given(all_facts, covered)
def test_a_suspend_of_some_rules_holds_exactly_while_one_of_them_matches(
    facts: Facts, rules: tuple[str, ...]
) -> None:
    plain = judge(facts, DEFAULT_POLICY)
    found = overridden(facts, "suspend", rules)
    if any(reason.code in rules for reason in plain.reasons):
        assert (found.action, found.review, found.reasons[0].code) == ("suspend", False, OVERRIDE)
    else:
        assert found == plain


@given(all_facts)
def test_a_reason_s_evidence_is_of_the_facts(facts: Facts) -> None:
    given_facts = facts.to_json()
    for reason in judge(facts, DEFAULT_POLICY).reasons:
        assert reason.evidence
        assert reason.evidence.items() <= given_facts.items()
