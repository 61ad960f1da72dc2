import pytest

from stream_enforcer.domain.ownership.graph import Entity, Identifiers, OwnershipGraph
from stream_enforcer.domain.ownership.resolve import Claim, Match, Resolver, normal_name

ACME = Entity(
    "acme",
    "ACME Holdings Ltd.",
    "company",
    country="GB",
    headquarters="IE",
    aliases=("Acme Group",),
    identifiers=Identifiers("5493001KJTIIGC8Y1R12", "SC123", "acme.example"),
)
OTHER = Entity(
    "other", "Other", "company", country="FR", identifiers=Identifiers(registration_number="SC123")
)
HOMONYMS = (
    Entity("m-de", "Mercury GmbH", "company", country="DE"),
    Entity("m-us", "Mercury Inc", "company", country="US"),
)
NOWHERE = Entity("nowhere", "Nowhere", "company")
PERSON = Entity("p", "Li Wei", "person")
RESOLVER = Resolver.build(OwnershipGraph.build([ACME, OTHER, *HOMONYMS, NOWHERE, PERSON], [], hash="h"))
BY_ID = Match("acme", "identifier", 100)


@pytest.mark.parametrize(
    ("claim", "match"),
    [
        (Claim(lei=" 5493001kjtiigc8y1r12 "), BY_ID),
        (Claim(registration_number="sc123 ", registration_country="GB"), BY_ID),
        (Claim(registration_number="SC123", country="GB"), BY_ID),
        (
            Claim(registration_number="SC123", registration_country="FR", country="GB"),
            Match("other", "identifier", 100),
        ),
        (Claim(registration_number="SC123"), None),
        (Claim(domain="WWW.Acme.Example"), BY_ID),
        (Claim(domain="www.acme.example.org"), None),
        (Claim(lei="5493001KJTIIGC8Y1R12", name="Other"), BY_ID),
        (Claim(lei="unknown", domain="acme.example"), BY_ID),
        (Claim(name="Acme Holdings", country="GB"), Match("acme", "name", 95)),
        (Claim(name="Acme Holdings", country="IE"), Match("acme", "name", 95)),
        (Claim(name="ACME GROUP, Inc."), Match("acme", "name", 80)),
        (Claim(name="Acme Holdings", country="US"), None),
        (Claim(name="Nowhere", country="US"), Match("nowhere", "name", 80)),
        (Claim(name="Mercury", country="DE"), Match("m-de", "name", 95)),
        (Claim(name="Mercury"), None),
        (Claim(name="Acme Holding"), None),
        (Claim(name="Li Wei"), None),
        (Claim(name=" . "), None),
        (Claim(), None),
    ],
)
def test_a_claim_names_one_entity_or_none(claim: Claim, match: Match | None) -> None:
    assert RESOLVER.resolve(claim) == match


def test_an_identifier_of_two_entities_identifies_neither() -> None:
    twin = Entity("twin", "Twin", "company", identifiers=Identifiers(lei="5493001KJTIIGC8Y1R12"))
    resolver = Resolver.build(OwnershipGraph.build([ACME, twin], [], hash="h"))
    assert resolver.resolve(Claim(lei="5493001KJTIIGC8Y1R12")) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ACME, Ltd.", "acme limited"),
        ("Acme Co., Ltd", "ACME"),
        ("Acme & Co", "acme"),
        ("Smith & Sons", "Smith and Sons"),
        ("L.L.C. Acme LLC", "llc acme"),
        ("\uff21\uff23\uff2d\uff25", "acme"),
        ("Stra\u00dfe AG", "strasse"),
        ("O\u2019Neill S.A.", "ONeill"),
        ("PJSC Gazprom", "Gazprom"),
        ("\u041e\u041e\u041e \u042f", "\u042f"),
        ("\u534e\u4e3a\u6280\u672f\u6709\u9650\u516c\u53f8", "\u534e\u4e3a\u6280\u672f"),
        ("\u0634\u0631\u0643\u064a", "\u0634\u0631\u06a9\u06cc"),
    ],
)
def test_names_that_differ_in_form_only_are_the_same(one: str, other: str) -> None:
    assert normal_name(one) == normal_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Acme Bank", "Acme"), ("Caf\u00e9", "Cafe"), ("Limited", "Company"), ("A B", "AB")]
)
def test_names_that_differ_in_substance_are_not(one: str, other: str) -> None:
    assert normal_name(one) != normal_name(other)
