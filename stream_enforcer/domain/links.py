"""What ties an account to companies: the keys by which its claims could find one."""

from functools import lru_cache

from stream_enforcer.domain.account import Evidence
from stream_enforcer.domain.ownership.graph import Key
from stream_enforcer.domain.ownership.resolve import Claim, claim_keys


def links(evidence: Evidence) -> set[Key]:
    """Return the keys of all claims, and of the e-mail domains, which are looked up as claims of a domain.

    An account can be judged differently because of a company only if it shares one of these with the company.
    """
    found = {key for dated in evidence.claims for key in _keys(dated.claim)}
    for domain in evidence.domains:
        found.update(claim_keys(Claim(domain=domain)))
    return found


@lru_cache(maxsize=1 << 14)
def _keys(claim: Claim) -> tuple[Key, ...]:
    return tuple(claim_keys(claim))
