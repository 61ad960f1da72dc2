"""What a claim that only a name stands behind can do to an account, from the claim to the decision."""

import pytest

from stream_enforcer.domain.policy import Policy, PolicyDocument, compile_policy
from tests.builders import DEFAULT_POLICY, Json, codes, company, last_decision, signup, stake, world

LISTED = {"listings": [{"topic": "military"}]}
REGISTER = [
    company("arms", "DE", **LISTED),
    company("middle", "NL"),
    company("sub", "SG", name="Subsidiary Ltd", identifiers={"lei": "SUB"}),
    company("part", "SG", name="Partly Ltd", identifiers={"lei": "PART"}),
    company("twin-a", "SG", name="Gemini Ltd"),
    company("twin-b", "SG", name="Gemini Limited"),
    company("cn", "CN", name="\u534e\u4e3a\u6280\u672f\u6709\u9650\u516c\u53f8"),
    company("ru", "SG", name="\u041e\u041e\u041e \u0413\u0430\u0437\u043f\u0440\u043e\u043c"),
    stake("arms", "middle", 60),
    stake("middle", "sub", 70),
    stake("arms", "part", 40),
    stake("cn", "ru", 60),
]
WORLD = world(REGISTER)


def decision(name: str, policy: Policy = DEFAULT_POLICY, **claimed: str) -> Json:
    within = WORLD if policy is DEFAULT_POLICY else world(REGISTER, policy=policy)
    return last_decision([signup(organization={"name": name, **claimed})], within)


def name_score_at_least(score: int) -> Policy:
    terms = DEFAULT_POLICY.document.model_dump(mode="json")
    terms["ownership"]["name_score_at_least"] = score
    return compile_policy(PolicyDocument.model_validate(terms))


def test_a_company_that_a_listed_one_controls_over_another_is_suspended_when_identified() -> None:
    made = decision("Anything", lei="SUB")
    assert (made["action"], codes(made)) == ("suspend", ["listed-entity"])
    assert made["facts"]["listings"] == ["military"]
    assert made["ownership"]["match"] == {
        "kind": "identifier",
        "score": 100,
        "features": ["lei"],
        "runner_up": None,
    }


def test_by_its_name_alone_it_is_reviewed_and_never_suspended() -> None:
    made = decision("Subsidiary", country="SG")
    assert (made["action"], made["review"], codes(made)) == ("allow", True, ["ownership-possible"])
    assert (made["facts"]["listings"], made["facts"]["listings_by_name"]) == ([], ["military"])
    assert made["ownership"]["match"] == {
        "kind": "name",
        "score": 100,
        "features": ["same-words", "form-missing", "country-agrees"],
        "runner_up": None,
    }


def test_a_company_that_a_listed_one_has_a_part_of_is_not_listed() -> None:
    assert decision("Anything", lei="PART")["facts"]["listings"] == []
    assert codes(decision("Partly", country="SG")) == []


@pytest.mark.parametrize("name", ["PJSC Gazprom", "Gazprom", "\u0413\u0410\u0417\u041f\u0420\u041e\u041c"])
def test_what_is_proved_of_a_name_in_any_script_counts_as_possible(name: str) -> None:
    made = decision(name, country="SG")
    assert (made["action"], made["review"], codes(made)) == ("allow", True, ["ownership-possible"])
    assert made["ownership"]["control"]["verdict"] == "proved"
    assert made["facts"]["ownership_control"] == "possible"


def test_a_name_that_two_have_finds_neither_and_the_facts_say_so() -> None:
    made = decision("Gemini", country="SG")
    assert made["ownership"] is None
    assert made["facts"]["organization_match"] == "ambiguous"
    assert made["facts"]["organization_resolved"] is False
    assert made["facts"]["ownership_control"] == "unknown"


def test_an_ambiguous_claim_is_weaker_than_a_name_and_stronger_than_none() -> None:
    claims = [{"name": "Gemini"}, {"name": "Subsidiary"}, {"name": "Nobody Knows"}]
    events = [signup(organization=claim, event_id=str(n)) for n, claim in enumerate(claims)]
    assert last_decision(events[:2], WORLD)["facts"]["organization_match"] == "ambiguous"
    assert last_decision(events, WORLD)["facts"]["organization_match"] == "none"


def test_the_policy_says_how_alike_names_must_be() -> None:
    assert decision("Gasprom", country="SG")["ownership"]["match"]["score"] == 85
    assert decision("Gasprom", name_score_at_least(86), country="SG")["ownership"] is None
    assert decision("Gazprom", name_score_at_least(71), country="FR")["ownership"] is None
    assert decision("Gazprom", name_score_at_least(70), country="FR")["ownership"]["match"]["features"] == [
        "same-words",
        "form-missing",
        "script-differs",
        "country-differs",
    ]


def test_without_ownership_data_no_claim_is_ambiguous() -> None:
    made = last_decision([signup(organization={"name": "Gemini"})], world(None))
    assert made["facts"]["organization_match"] == "none"
