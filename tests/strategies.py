"""Hypothesis strategies: what accounts do, claim and are overridden by."""

from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

from stream_enforcer.domain.geo import IpFacts
from tests.builders import ADDRESSES, Json, at, company, override, signup, stake, usage

OWNERSHIP: Final[tuple[Json, ...]] = (
    company("cn-holding", "CN"),
    company("cn-seated", "KY", headquarters="CN", identifiers={"lei": "SEATED"}),
    company("proved", "SG", identifiers={"lei": "PROVED", "domain": "proved.example"}),
    company("possible", "SG", identifiers={"lei": "POSSIBLE"}),
    company("clean", "SG", identifiers={"lei": "CLEAN", "domain": "clean.example"}),
    company("listed", "SG", identifiers={"lei": "LISTED"}, listings=[{"topic": "sanction"}]),
    stake("cn-holding", "proved", 60),
    stake("cn-holding", "possible", share_min=33, share_max=67),
    stake("cn-holding", "clean", 10),
)
"""A small register without dates: one company of each kind."""

CLAIMS: Final[tuple[Json, ...]] = (
    {"name": "Proved", "lei": "PROVED"},
    {"name": "Possible", "lei": "POSSIBLE"},
    {"name": "Clean", "lei": "CLEAN", "country": "CN"},
    {"name": "Listed", "lei": "LISTED"},
    {"name": "Seated", "lei": "SEATED"},
    {"name": "proved works"},
    {"name": "In no register", "country": "US"},
    {"name": "In no register", "country": "KP"},
)
"""No more than an account's evidence keeps: past that the order of events is allowed to show."""

DOMAINS: Final = ("proved.example", "clean.example", "mail.example", "post.example")

countries = st.sampled_from(["CN", "KP", "US", "DE"])
claims = st.sampled_from(CLAIMS)
times = st.integers(0, 12 * 86_400_000 - 1).map(lambda ms: at(ms=ms))
anonymous_addresses = st.sampled_from(
    [address for name, (address, _) in ADDRESSES.items() if name.split("-")[-1] in ("vpn", "tor", "hosting")]
)
addresses = st.sampled_from([address for address, _ in ADDRESSES.values()])
ip_facts = st.builds(
    IpFacts,
    country=st.sampled_from(["CN", "US", None]),
    asn=st.none(),
    network=st.sampled_from(["residential", "hosting", "vpn", "tor", "unknown"]),
)


def _event(
    build: Callable[..., Json], accounts: st.SearchStrategy[str], **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {"account": accounts, "occurred_at": times, "event_id": st.uuids().map(str)}, optional=optional
    ).map(lambda fields: build(**fields))


def signups(accounts: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    return _event(
        signup,
        accounts,
        ip=addresses,
        declared_country=countries,
        billing_country=countries,
        phone_country=countries,
        email_domain=st.sampled_from(DOMAINS),
        organization=claims,
    )


def usages(accounts: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    numbers = st.integers(0, 10**15)
    return _event(usage, accounts, ip=addresses, input_tokens=numbers, cost_usd_micros=numbers)


def overrides(accounts: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    optional: dict[str, st.SearchStrategy[Any]] = {
        "expires_at": times,
        "rules": st.lists(
            st.sampled_from(["headquarters-restricted", "seen-in-restricted-region", "no-such-rule"]),
            min_size=1,
            max_size=2,
        ),
        "evidence_hash": st.sampled_from(["0" * 64, "f" * 64]),
    }
    return _event(
        override,
        accounts,
        action=st.sampled_from(["allow", "suspend", "none"]),
        **optional,
    )


def events(*accounts: str) -> st.SearchStrategy[Json]:
    """Events of any kind, of some of the accounts."""
    ids = st.sampled_from(accounts or ("a",))
    return st.one_of(usages(ids), signups(ids), overrides(ids))


def histories(*accounts: str, max_size: int = 12) -> st.SearchStrategy[list[Json]]:
    """Lists of events, in the order in which they arrive: not that in which they occurred."""
    return st.lists(events(*accounts), min_size=1, max_size=max_size)
