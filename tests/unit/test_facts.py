"""The vocabulary of policies, and what evidence and reference data make of it."""

from dataclasses import fields
from typing import Any

import pytest

from stream_enforcer.domain.facts import FACT_NAMES, NOT_EVIDENCE, Facts
from stream_enforcer.domain.policy import CEL_TYPES
from stream_enforcer.domain.world import World
from tests.builders import (
    GEO,
    FixedGeo,
    Json,
    at,
    company,
    facts_of,
    ip,
    last_decision,
    signup,
    stake,
    usage,
    world,
)

REGISTER = [
    company("cn", "CN"),
    company("owned", "SG", identifiers={"lei": "OWNED", "domain": "owned.example"}),
    company("half", "SG", identifiers={"lei": "HALF"}),
    company("clean", "US", headquarters="HK", identifiers={"lei": "CLEAN", "registration_number": "7"}),
    company("listed", "DE", identifiers={"lei": "LISTED"}, listings=[{"topic": "sanction"}]),
    company("unplaced", identifiers={"lei": "UNPLACED"}),
    stake("cn", "owned", 60),
    stake("cn", "half", share_min=50, share_max=55),
    stake("cn", "clean", 10),
]
WORLD = world(REGISTER)


def facts(*events: Json, within: World = WORLD) -> Facts:
    return facts_of(last_decision(events, within))


def claim(lei: str | None = None, n: int = 0, **fields: Any) -> Json:
    organization = {"name": "Anonymous Works", **({} if lei is None else {"lei": lei}), **fields}
    return signup(organization=organization, occurred_at=at(0, n))


@pytest.mark.parametrize("spec", fields(Facts), ids=lambda spec: spec.name)
def test_every_fact_has_help_and_a_type_that_policies_know(spec: Any) -> None:
    assert len(spec.metadata["help"]) > 10
    assert spec.metadata["help"][0].isupper()
    assert spec.metadata["help"].endswith((".", "…"))
    assert spec.type in CEL_TYPES


def test_what_is_left_out_of_the_evidence_hash_is_a_fact() -> None:
    assert set(FACT_NAMES) > NOT_EVIDENCE


def test_of_an_account_without_events_nothing_is_known_and_nothing_guessed() -> None:
    found = facts(usage())
    assert found.as_of == "2026-03-01"
    assert (found.organization_claimed, found.organization_resolved) == (False, False)
    assert found.organization_match == "none"
    assert found.ownership_control == found.ownership_effective == found.ownership_single_owner == "unknown"
    assert (found.ownership_control_min, found.ownership_control_max) == (0, 100_000_000)
    assert (found.unlocated, found.anonymous, found.networks) == (False, False, ())
    assert found.degraded == ()


def test_an_anonymous_network_says_no_country_of_the_user_s_own() -> None:
    for name in ("cn-vpn", "cn-tor", "cn-hosting"):
        found = facts(usage(ip=ip(name)), signup(ip=ip(name)))
        assert (found.usage_countries, found.signup_countries, found.restricted_usage_days) == ((), (), 0)
        assert found.usage_anonymous_countries == found.signup_anonymous_countries == ("CN",)
        assert found.anonymous


def test_a_network_of_unknown_kind_is_not_anonymous() -> None:
    found = facts(usage(ip=ip("cn-unknown")))
    assert (found.usage_countries, found.anonymous, found.networks) == (("CN",), False, ("unknown",))


def test_an_address_that_no_table_places_is_said_to_be_unlocated() -> None:
    found = facts(usage(ip=ip("nowhere")))
    assert (found.unlocated, found.usage_countries) == (True, ())


def test_days_count_once_over_countries_and_networks() -> None:
    seen = [("cn", 0), ("cn-unknown", 0), ("kp", 0), ("ru", 1), ("cn-vpn", 2), ("us", 3)]
    assert facts(*(usage(ip=ip(name), occurred_at=at(day)) for name, day in seen)).restricted_usage_days == 2


def test_days_are_counted_to_seven() -> None:
    assert facts(*(usage(ip=ip("cn"), occurred_at=at(day)) for day in range(20))).restricted_usage_days == 7
    two = [usage(ip=ip("cn" if day % 2 else "kp"), occurred_at=at(day)) for day in range(20)]
    assert facts(*two).restricted_usage_days == 7


def test_days_of_signups_are_not_days_of_usage() -> None:
    assert facts(*(signup(ip=ip("cn"), occurred_at=at(day)) for day in range(4))).restricted_usage_days == 0


@pytest.mark.parametrize(
    ("made", "countries", "basis"),
    [
        ([claim("CLEAN")], ("HK",), ("headquarters",)),
        ([claim("OWNED")], ("SG",), ("registration",)),
        ([claim("CLEAN", country="CN")], ("HK",), ("headquarters",)),
        ([claim("NOBODY", country="CN")], ("CN",), ("claim",)),
        ([claim("NOBODY", registration_country="CN")], ("CN",), ("claim",)),
        ([claim("NOBODY")], (), ()),
        ([claim("UNPLACED", country="CN")], ("CN",), ("claim",)),
        ([claim(name="clean works", country="US")], ("US",), ("claim",)),
        ([claim(name="clean works")], (), ()),
        ([claim("CLEAN"), claim("OWNED", 1)], ("HK", "SG"), ("headquarters", "registration")),
        ([signup(email_domain="owned.example")], ("SG",), ("registration",)),
    ],
)
def test_headquarters_are_the_resolved_company_s_else_what_was_claimed(
    made: list[Json], countries: tuple[str, ...], basis: tuple[str, ...]
) -> None:
    found = facts(*made)
    assert (found.headquarters_countries, found.headquarters_basis) == (countries, basis)


@pytest.mark.parametrize(
    ("made", "resolved", "match"),
    [
        ([claim("CLEAN")], True, "identifier"),
        ([claim(name="clean works")], True, "name"),
        ([claim("NOBODY")], False, "none"),
        ([claim("CLEAN"), claim(name="owned works", n=1)], True, "name"),
        ([claim("CLEAN"), claim("NOBODY", 1)], False, "none"),
        ([signup(email_domain="owned.example")], True, "identifier"),
        ([signup(email_domain="mail.example")], False, "none"),
    ],
)
def test_the_weakest_claim_says_how_the_organisation_was_found(
    made: list[Json], resolved: bool, match: str
) -> None:
    found = facts(*made)
    assert (found.organization_resolved, found.organization_match) == (resolved, match)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        ([claim("OWNED")], "proved"),
        ([claim("HALF")], "possible"),
        ([claim("CLEAN")], "refuted"),
        ([claim("NOBODY")], "unknown"),
        ([claim(name="owned works")], "possible"),
        ([claim("OWNED"), claim("CLEAN", 1)], "proved"),
        ([claim("CLEAN"), claim("HALF", 1)], "possible"),
        ([claim("CLEAN"), claim("NOBODY", 1)], "unknown"),
        ([claim("CLEAN"), signup(email_domain="owned.example")], "proved"),
    ],
)
def test_ownership_is_the_most_restrictive_of_all_claims(made: list[Json], verdict: str) -> None:
    for order in (made, made[::-1]):
        found = facts(*order)
        assert found.ownership_control == found.ownership_effective == verdict


def test_the_decision_shows_the_most_restrictive_company() -> None:
    decision = last_decision([claim("CLEAN"), claim("OWNED", 1), claim("HALF", 2)], WORLD)
    assert decision["ownership"]["entity"] == "owned"


def test_coverage_is_that_of_the_least_known_claim() -> None:
    assert facts(claim("OWNED")).coverage == 60_000_000
    assert facts(claim("OWNED"), claim("CLEAN", 1)).coverage == 10_000_000


def test_a_name_alone_keeps_listings_and_headquarters_apart() -> None:
    found = facts(claim(name="listed works"))
    assert (found.listings, found.headquarters_countries) == ((), ())
    assert (found.listings_by_name, found.headquarters_by_name) == (("sanction",), ("DE",))
    found = facts(claim("LISTED"))
    assert (found.listings, found.listings_by_name) == (("sanction",), ())


@pytest.mark.parametrize(
    ("event", "as_of", "degraded"),
    [
        (claim("CLEAN"), None, ()),  # a register that does not say of which day it is
        (claim("CLEAN"), "2025-01-24", ("ownership",)),
        (claim("CLEAN"), "2025-01-25", ()),
        (signup(email_domain="owned.example"), "2025-01-01", ("ownership",)),
        (signup(email_domain="mail.example"), "2025-01-01", ()),
        (usage(), "2025-01-01", ()),
    ],
)
def test_a_register_older_than_its_limit_degrades_what_rests_on_it(
    event: Json, as_of: str | None, degraded: tuple[str, ...]
) -> None:
    assert facts(event, within=world(REGISTER, as_of=as_of)).degraded == degraded


def test_without_a_register_a_claim_is_degraded_and_unknown() -> None:
    found = facts(claim("OWNED"), within=world(None))
    assert (found.degraded, found.ownership_control) == (("ownership",), "unknown")
    assert facts(signup(email_domain="owned.example"), within=world(None)).degraded == ()


@pytest.mark.parametrize(
    ("built_on", "degraded"),
    [("2025-03-01", ()), ("2025-02-28", ("geo",)), (None, ("geo",)), ("2026-12-31", ())],
)
def test_geo_tables_older_than_their_limit_degrade_what_has_an_address(
    built_on: str | None, degraded: tuple[str, ...]
) -> None:
    within = world(geo=FixedGeo(GEO.table, built_on))
    assert facts(usage(ip=ip("us")), within=within).degraded == degraded
    assert facts(usage(), within=within).degraded == ()


def test_stakes_are_judged_on_the_account_s_latest_day() -> None:
    within = world([*REGISTER[:2], stake("cn", "owned", 60, since="2026-03-03", until="2026-03-05")])
    verdicts = [
        facts(claim("OWNED"), usage(occurred_at=at(day)), within=within).ownership_control for day in range(6)
    ]
    assert verdicts == ["refuted", "refuted", "proved", "proved", "refuted", "refuted"]
