"""What an account has shown, folded from its events as a join-semilattice, and its last decision.

Every part of `Evidence` is a join: set union, the k smallest of a totally ordered set, a maximum, or a last
writer. So the order of an account's events does not matter, a repeated event changes nothing, and nothing
seen once is ever washed away (ADR 0003).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from stream_enforcer.domain.events import MS_PER_DAY, Event, Organization, Override, Signup, Usage
from stream_enforcer.domain.geo import IpFacts, NetworkKind
from stream_enforcer.domain.ownership.resolve import Claim

Action = Literal["allow", "suspend"]

MAX_DAYS: Final = 7
"""Days kept per country and network: the earliest ones. A policy cannot ask for more distinct days than this."""
MAX_CLAIMS: Final = 8
"""Organisation claims kept, and e-mail domains kept; `overflowed` says that there were more."""
NOWHERE: Final = ""
"""Country of a sighting whose address no geo table places."""


class Sighting(NamedTuple):
    """One country and network kind that an account was seen from, with its earliest UTC days (epoch days)."""

    country: str
    network: NetworkKind
    days: tuple[int, ...]


class DatedClaim(NamedTuple):
    """An organisation claim and the event that made it first; the order of claims is that of these fields."""

    occurred_at: int
    event_id: str
    claim: Claim


class HeldOverride(NamedTuple):
    """The override that stands: of all seen, the last by (occurred_at, event_id)."""

    occurred_at: int
    event_id: str
    override_id: str
    action: Literal["allow", "suspend", "none"]
    expires_at: int | None
    rules: tuple[str, ...] | None
    evidence_hash: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that judgement may use of an account's events.

    Attributes:
        clock: The latest day on which an event occurred, in epoch days: the account's own "today".
        signup, usage: Where signups and usage came from, sorted.
        declared, billing, phone: Country codes claimed, sorted.
        domains: E-mail domains, sorted.
        claims: Organisation claims, earliest first.
        claimed: Every country that a claim named, also of claims that are no longer kept.
        overflowed: Whether more claims or domains were shown than are kept.
        override: The override that stands, "none" included.
    """

    clock: int = 0
    signup: tuple[Sighting, ...] = ()
    usage: tuple[Sighting, ...] = ()
    declared: tuple[str, ...] = ()
    billing: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    claims: tuple[DatedClaim, ...] = ()
    claimed: tuple[str, ...] = ()
    overflowed: bool = False
    override: HeldOverride | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account's evidence and its last published decision.

    Attributes:
        evidence: See `Evidence`.
        standing: What policy last said without an override; a review leaves it as it was.
        sequence: Number of decisions published; 0 before the first.
        decision_id: Id of the last decision; empty before the first.
        action, review, codes: What the last decision said.
    """

    evidence: Evidence = Evidence()
    standing: Action = "allow"
    sequence: int = 0
    decision_id: str = ""
    action: Action | None = None
    review: bool = False
    codes: tuple[str, ...] = ()


NEW: Final = Account()


def may_be_forgotten(account: Account, before: int) -> bool:
    """Tell whether nothing but an old `allow` is lost with an account.

    Args:
        account: An account with a decision.
        before: Day since 1970; its latest event must be older.
    """
    plain = account.action == account.standing == "allow" and not account.review
    return plain and account.evidence.override is None and account.evidence.clock < before


def fold(evidence: Evidence, event: Event, ip: IpFacts | None) -> Evidence:
    """Join an event to the evidence.

    Args:
        evidence: What is known so far.
        event: A valid event of the same account.
        ip: What the geo tables say of the event's address; None when it has none.

    Returns:
        The same object when the event shows nothing new.
    """
    day = event.occurred_at // MS_PER_DAY
    if isinstance(event, Usage):
        if _known(evidence.usage, ip, day) and day <= evidence.clock:
            return evidence
        return _fold_usage(evidence, ip, day)
    if isinstance(event, Signup):
        return _fold_signup(evidence, event, ip, day)
    return _fold_override(evidence, event, day)


def _known(sightings: tuple[Sighting, ...], ip: IpFacts | None, day: int) -> bool:
    if ip is None:
        return True
    country = ip.country or NOWHERE
    network = ip.network
    for seen_country, seen_network, days in sightings:
        if seen_country == country and seen_network == network:
            return day in days or (len(days) >= MAX_DAYS and day > days[-1])
    return False


def _see(sightings: tuple[Sighting, ...], ip: IpFacts | None, day: int) -> tuple[Sighting, ...]:
    if ip is None or _known(sightings, ip, day):
        return sightings
    country = ip.country or NOWHERE
    others = tuple(s for s in sightings if (s.country, s.network) != (country, ip.network))
    before = next((s.days for s in sightings if (s.country, s.network) == (country, ip.network)), ())
    days = tuple(sorted({*before, day})[:MAX_DAYS])
    return tuple(sorted((*others, Sighting(country, ip.network, days))))


# Accounts that have shown the same share one Evidence object: less memory, and judgement is memoised on it.
@lru_cache(maxsize=1 << 16)
def _fold_usage(evidence: Evidence, ip: IpFacts | None, day: int) -> Evidence:
    return replace(evidence, clock=max(evidence.clock, day), usage=_see(evidence.usage, ip, day))


def _fold_signup(evidence: Evidence, event: Signup, ip: IpFacts | None, day: int) -> Evidence:
    joined = _join_claims(evidence, event) if event.organization or event.email_domain else evidence
    countries = (event.declared_country, event.billing_country, event.phone_country)
    joined = _fold_countries(joined, countries, ip, day)
    return evidence if joined == evidence else joined


@lru_cache(maxsize=1 << 16)
def _fold_countries(
    evidence: Evidence, countries: tuple[str | None, str | None, str | None], ip: IpFacts | None, day: int
) -> Evidence:
    declared, billing, phone = countries
    return replace(
        evidence,
        clock=max(evidence.clock, day),
        signup=_see(evidence.signup, ip, day),
        declared=_union(evidence.declared, declared),
        billing=_union(evidence.billing, billing),
        phone=_union(evidence.phone, phone),
    )


def _union(values: tuple[str, ...], value: str | None) -> tuple[str, ...]:
    return values if value is None or value in values else tuple(sorted((*values, value)))


def _join_claims(evidence: Evidence, event: Signup) -> Evidence:
    domains = _union(evidence.domains, event.email_domain)
    claims, claimed = evidence.claims, evidence.claimed
    if event.organization is not None:
        claim = _claim(event.organization)
        claims = _claims(claims, DatedClaim(event.occurred_at, event.event_id, claim))
        claimed = _union(claimed, claim.country or claim.registration_country)
    if claims is evidence.claims and domains is evidence.domains:
        return evidence
    return replace(
        evidence,
        domains=domains[:MAX_CLAIMS],
        claims=claims[:MAX_CLAIMS],
        claimed=claimed,
        overflowed=evidence.overflowed or len(domains) > MAX_CLAIMS or len(claims) > MAX_CLAIMS,
    )


def _claims(claims: tuple[DatedClaim, ...], new: DatedClaim) -> tuple[DatedClaim, ...]:
    for old in claims:
        if old.claim == new.claim:
            if old[:2] <= new[:2]:
                return claims
            return _earliest_first((*(c for c in claims if c is not old), new))
    return _earliest_first((*claims, new))


def _earliest_first(claims: tuple[DatedClaim, ...]) -> tuple[DatedClaim, ...]:
    return tuple(sorted(claims, key=lambda dated: (dated.occurred_at, dated.event_id, repr(dated.claim))))


def _claim(organization: Organization) -> Claim:
    return Claim(
        name=organization.name,
        country=organization.country,
        lei=organization.lei,
        registration_number=organization.registration_number,
        registration_country=organization.registration_country,
        domain=organization.domain,
    )


def _fold_override(evidence: Evidence, event: Override, day: int) -> Evidence:
    held = HeldOverride(
        event.occurred_at,
        event.event_id,
        event.override_id,
        event.action,
        event.expires_at,
        event.rules,
        event.evidence_hash,
    )
    stands = evidence.override
    # The whole tuple breaks ties between two overrides that share time and id, so that even then order is moot.
    if stands is not None and _rank(held) <= _rank(stands):
        held = stands
    joined = replace(evidence, clock=max(evidence.clock, day), override=held)
    return evidence if joined == evidence else joined


def _rank(override: HeldOverride) -> tuple[int, str, str]:
    return override.occurred_at, override.event_id, repr(override)
