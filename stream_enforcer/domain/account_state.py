"""An account as bytes: what the changelog holds of it."""

from functools import lru_cache
from typing import Any, Final

import orjson

from stream_enforcer.domain.account import Account, DatedClaim, Evidence, HeldOverride, Sighting
from stream_enforcer.domain.ownership.resolve import Claim

FORMAT: Final = 1


def encode(account: Account) -> bytes:
    """Encode an account for the changelog: a versioned JSON array, the same bytes for equal accounts."""
    e = account.evidence
    claims = [[d.occurred_at, d.event_id, *_claim_fields(d.claim)] for d in e.claims]
    evidence = [
        e.clock,
        e.signup,
        e.usage,
        e.declared,
        e.billing,
        e.phone,
        e.domains,
        claims,
        e.claimed,
        e.overflowed,
    ]
    last = [
        account.standing,
        account.sequence,
        account.decision_id,
        account.action,
        account.review,
        account.codes,
    ]
    return orjson.dumps([FORMAT, evidence, e.override, last], default=tuple)


def _claim_fields(claim: Claim) -> tuple[str | None, ...]:
    return (
        claim.name,
        claim.country,
        claim.lei,
        claim.registration_number,
        claim.registration_country,
        claim.domain,
    )


class UnknownFormat(ValueError):
    """An account was written by a version of this program that this one does not know."""


def decode(value: bytes) -> Account:
    """Decode what `encode` wrote.

    Raises:
        UnknownFormat: The state was written in another format.
        orjson.JSONDecodeError: The bytes are not JSON.
    """
    data: list[Any] = orjson.loads(value)
    if data[0] != FORMAT:
        raise UnknownFormat(f"account state has format {data[0]!r}; this version reads format {FORMAT}")
    (clock, signup, usage, declared, billing, phone, domains, claims, claimed, overflowed), override, last = (
        data[1:]
    )
    evidence = Evidence(
        clock=clock,
        signup=_sightings(signup),
        usage=_sightings(usage),
        declared=tuple(declared),
        billing=tuple(billing),
        phone=tuple(phone),
        domains=tuple(domains),
        claims=tuple(DatedClaim(at, event_id, Claim(*fields)) for at, event_id, *fields in claims),
        claimed=tuple(claimed),
        overflowed=overflowed,
        override=None if override is None else _override(override),
    )
    standing, sequence, decision_id, action, review, codes = last
    return Account(_shared(evidence), standing, sequence, decision_id, action, review, tuple(codes))


@lru_cache(maxsize=1 << 16)
def _shared(evidence: Evidence) -> Evidence:
    return evidence


def _sightings(rows: list[Any]) -> tuple[Sighting, ...]:
    return tuple(Sighting(country, network, tuple(days)) for country, network, days in rows)


def _override(row: list[Any]) -> HeldOverride:
    at, event_id, override_id, action, expires_at, rules, evidence_hash = row
    return HeldOverride(
        at, event_id, override_id, action, expires_at, None if rules is None else tuple(rules), evidence_hash
    )
