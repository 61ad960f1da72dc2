import pytest

from stream_enforcer.domain.ownership import to_json
from stream_enforcer.domain.ownership.graph import Entity, Identifiers, OwnershipGraph
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import (
    MOST_CANDIDATES,
    NAME_SCORE_AT_LEAST,
    Claim,
    Match,
    Resolver,
    RunnerUp,
)
from stream_enforcer.domain.ownership.semantics import assess

LEI = "5493001KJTIIGC8Y1R12"
ACME = Entity(
    "acme",
    "ACME Holdings Ltd.",
    "company",
    country="GB",
    headquarters="IE",
    aliases=("Acme Group",),
    identifiers=Identifiers(LEI, "SC123", "acme.example"),
)
OTHER = Entity(
    "other", "Other", "company", country="FR", identifiers=Identifiers(registration_number="SC123")
)
HOMONYMS = (
    Entity("m-de", "Mercury GmbH", "company", country="DE"),
    Entity("m-us", "Mercury Inc", "company", country="US"),
)
NOWHERE = Entity("nowhere", "Nowhere", "company")
PERSON = Entity("p", "Li Wei", "person", identifiers=Identifiers("PERSON", "9", "li.example"))
GAZPROM = Entity(
    "gazprom", "\u041f\u0410\u041e \u00ab\u0413\u0430\u0437\u043f\u0440\u043e\u043c\u00bb", "company", "RU"
)
HUAWEI = Entity(
    "huawei", "\u534e\u4e3a\u6280\u672f\u6709\u9650\u516c\u53f8", "company", "CN", aliases=("Huawei",)
)
OIL = Entity(
    "oil", "\u0634\u0631\u06a9\u062a \u0645\u0644\u06cc \u0646\u0641\u062a", "company", headquarters="IR"
)


def resolver(*entities: Entity, at_least: int = NAME_SCORE_AT_LEAST) -> Resolver:
    return Resolver.build(OwnershipGraph.build(entities, [], hash="h"), at_least)


RESOLVER = resolver(ACME, OTHER, *HOMONYMS, NOWHERE, PERSON, GAZPROM, HUAWEI, OIL)


def by(identifier: str, entity: str = "acme") -> Match:
    return Match(entity, "identifier", 100, (identifier,))


def named(entity: str, score: int, *features: str, runner_up: RunnerUp | None = None) -> Match:
    return Match(entity, "name", score, features, runner_up)


@pytest.mark.parametrize(
    ("claim", "match"),
    [
        (Claim(lei=f" {LEI.lower()} "), by("lei")),
        (Claim(registration_number="sc123 ", registration_country="GB"), by("registration")),
        (Claim(registration_number="SC123", country="GB"), by("registration")),
        (
            Claim(registration_number="SC123", registration_country="FR", country="GB"),
            by("registration", "other"),
        ),
        (Claim(registration_number="SC123"), None),
        (Claim(domain="WWW.Acme.Example"), by("domain")),
        (Claim(domain="www.acme.example.org"), None),
        (Claim(lei=LEI, name="Other"), by("lei")),
        (Claim(lei="unknown", domain="acme.example"), by("domain")),
        (Claim(lei="PERSON"), None),
        (Claim(domain="li.example"), None),
        (Claim(name="Li Wei"), None),
        (Claim(name=" . "), None),
        (Claim(), None),
    ],
)
def test_an_identifier_names_one_entity_or_none(claim: Claim, match: Match | None) -> None:
    assert RESOLVER.resolve(claim) == match


@pytest.mark.parametrize(
    ("claim", "match"),
    [
        (
            Claim(name="Acme Holdings", country="GB"),
            named("acme", 100, "same-words", "form-missing", "country-agrees"),
        ),
        (
            Claim(name="Acme Holdings", country="IE"),
            named("acme", 100, "same-words", "form-missing", "country-agrees"),
        ),
        (
            Claim(name="Acme Holdings", country="US", registration_country="IE"),
            named("acme", 100, "same-words", "form-missing", "country-agrees"),
        ),
        (
            Claim(name="ACME GROUP, Inc."),
            named("acme", 95, "same-words", "form-missing", "alias", "country-unknown"),
        ),
        (Claim(name="Acme Holdings", country="US"), None),
        (
            Claim(name="Holdings Acme", country="GB"),
            named("acme", 98, "reordered", "form-missing", "country-agrees"),
        ),
        (Claim(name="Acme Holding"), None),
        (Claim(name="Nowhere", country="US"), named("nowhere", 95, "same-words", "country-unknown")),
        (Claim(name="No where"), named("nowhere", 92, "respaced", "country-unknown")),
        (
            Claim(name="Mercury", country="DE"),
            named(
                *("m-de", 100, "same-words", "form-missing", "country-agrees"), runner_up=RunnerUp("m-us", 70)
            ),
        ),
        (
            Claim(name="PJSC Gazprom", country="RU"),
            named("gazprom", 100, "same-words", "form-agrees", "script-differs", "country-agrees"),
        ),
        (
            Claim(name="Gasprom", country="RU"),
            named("gazprom", 85, "similar", "form-missing", "script-differs", "country-agrees"),
        ),
        (
            Claim(name="\u534e\u4e3a\u6280\u672f", country="CN"),
            named("huawei", 100, "same-words", "form-missing", "country-agrees"),
        ),
        (
            Claim(name="\u0634\u0631\u0643\u062a \u0645\u0644\u064a \u0646\u0641\u062a", country="IR"),
            named("oil", 100, "same-words", "country-agrees"),
        ),
    ],
)
def test_a_name_points_to_the_organisation_that_is_most_alike(claim: Claim, match: Match | None) -> None:
    assert RESOLVER.resolve(claim) == match


def test_the_name_that_is_most_alike_counts_be_it_the_first_or_an_alias() -> None:
    renamed = Entity("r", "Crystalord Ltd", "company", aliases=("Cristalord Ltd", "Kristalord Ltd"))
    assert resolver(renamed).resolve(Claim(name="Kristalord")) == named(
        *("r", 95, "same-words", "form-missing", "alias", "country-unknown")
    )
    assert resolver(renamed).resolve(Claim(name="Crystalord")) == named(
        *("r", 95, "same-words", "form-missing", "country-unknown")
    )


def test_the_least_score_of_a_match_is_the_caller_s() -> None:
    claim = Claim(name="Gasprom", country="RU")
    assert resolver(GAZPROM, at_least=85).resolve(claim) is not None
    assert resolver(GAZPROM, at_least=86).resolve(claim) is None
    abroad = Claim(name="Gazprom", country="US")
    assert resolver(GAZPROM).resolve(abroad) is None
    found = resolver(GAZPROM, at_least=70).resolve(abroad)
    assert found == named("gazprom", 70, "same-words", "form-missing", "script-differs", "country-differs")


def test_an_identifier_of_two_entities_identifies_neither() -> None:
    twin = Entity("twin", "Twin", "company", identifiers=Identifiers(lei=LEI))
    both = resolver(ACME, twin)
    assert both.resolution(Claim(lei=LEI)) == (None, True)
    assert both.resolve(Claim(lei=LEI, domain="acme.example")) == by("domain")
    assert both.resolution(Claim(lei=LEI, name="Nobody")) == (None, True)
    named_too = both.resolve(Claim(lei=LEI, name="Twin"))
    assert named_too is not None
    assert (named_too.entity, named_too.kind) == ("twin", "name")


def test_two_that_are_equally_alike_are_none_and_that_is_said() -> None:
    assert RESOLVER.resolution(Claim(name="Mercury")) == (None, True)
    assert RESOLVER.resolution(Claim(name="Venus")) == (None, False)
    assert RESOLVER.resolution(Claim(name="Mercury", country="FR")) == (None, False)


def test_the_legal_form_tells_two_of_one_name_apart() -> None:
    found = RESOLVER.resolve(Claim(name="Mercury AG"))
    assert found is None
    german = Entity("m-ag", "Mercury AG", "company", country="DE")
    found = resolver(*HOMONYMS, german).resolve(Claim(name="Mercury AG", country="DE"))
    assert found == named(
        "m-ag", 100, "same-words", "form-agrees", "country-agrees", runner_up=RunnerUp("m-de", 85)
    )


class Counted:
    """An index of so many organisations that have each key."""

    def __init__(self, *found: Entity) -> None:
        self.found = found
        self.asked: list[int] = []

    def candidates(self, key: tuple[str, ...], limit: int) -> tuple[Entity, ...]:
        assert key == ("name", "common")
        self.asked.append(limit)
        return self.found[:limit]


def test_a_name_of_more_than_are_looked_at_is_ambiguous_and_no_more_are_asked_for() -> None:
    many = [Entity(str(n), "Common", "company", country="DE") for n in range(MOST_CANDIDATES * 3)]
    few = Counted(*many[: MOST_CANDIDATES - 1], Entity("fr", "Common", "company", country="FR"))
    crowd = Counted(*many[:MOST_CANDIDATES], Entity("fr", "Common", "company", country="FR"))
    claim = Claim(name="Common", country="FR")
    found = Resolver(few, NAME_SCORE_AT_LEAST).resolve(claim)
    assert found is not None
    assert found.entity == "fr"
    assert Resolver(crowd, NAME_SCORE_AT_LEAST).resolution(claim) == (None, True)
    assert few.asked == crowd.asked == [MOST_CANDIDATES + 1]


def test_a_sound_that_many_share_says_nothing() -> None:
    alike = [Entity(str(n), "Kassa" + "h" * n, "company") for n in range(MOST_CANDIDATES + 1)]
    assert resolver(*alike).resolution(Claim(name="Cassa Bassa Kassa")) == (None, False)
    assert resolver(*alike).resolution(Claim(name="Qassa")) == (None, False)
    assert resolver(*alike[:2]).resolution(Claim(name="Kaza")).match is None


def test_a_decision_shows_why_it_is_this_entity() -> None:
    graph = OwnershipGraph.build([ACME], [], hash="h")
    question = Question(frozenset({"CN"}))
    finding = assess(graph, "acme", "2026-01-01", question)
    match = named("acme", 90, "similar", "country-agrees", runner_up=RunnerUp("other", 71))
    assert to_json(finding, match, question)["match"] == {
        "kind": "name",
        "score": 90,
        "features": ["similar", "country-agrees"],
        "runner_up": {"entity": "other", "score": 71},
    }
    assert to_json(finding, by("lei"), question)["match"] == {
        "kind": "identifier",
        "score": 100,
        "features": ["lei"],
        "runner_up": None,
    }
