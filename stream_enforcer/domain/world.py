"""The world: policy, geo tables and ownership as one value, by hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from stream_enforcer.domain.account import Action, Evidence
from stream_enforcer.domain.facts import NOT_EVIDENCE, Gathered, gather
from stream_enforcer.domain.geo import GeoLookup
from stream_enforcer.domain.ownership import to_json
from stream_enforcer.domain.ownership.graph import OwnershipGraph
from stream_enforcer.domain.ownership.resolve import Claim, Match, Resolver
from stream_enforcer.domain.ownership.semantics import Finding, assess
from stream_enforcer.domain.policy import Judgement, Policy, judge


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Everything but the account that a judgement depends on. Swapped whole, never changed.

    Attributes:
        policy: The compiled policy.
        geo: The geo tables.
        graph: The ownership snapshot, or None where there is none.
        reference: What decisions say of the reference data.
    """

    policy: Policy
    geo: GeoLookup
    graph: OwnershipGraph | None
    resolver: Resolver | None
    reference: Mapping[str, Any] = field(repr=False)

    @classmethod
    def build(cls, policy: Policy, geo: GeoLookup, graph: OwnershipGraph | None) -> "World":
        """Put a world together from loaded parts."""
        reference = {
            "geo": {"hash": geo.hash, "built_at": geo.built_on},
            "ownership": {"hash": graph.hash if graph else None, "as_of": graph.as_of if graph else None},
        }
        resolver = Resolver.build(graph) if graph else None
        return cls(policy, geo, graph, resolver, MappingProxyType(reference))

    @property
    def reference_hash(self) -> str:
        """SHA-256 hex over the hashes of the reference data."""
        return sha256(orjson.dumps(dict(self.reference), option=orjson.OPT_SORT_KEYS)).hexdigest()

    def resolve(self, claim: Claim) -> Match | None:
        """Find the entity that a claim means."""
        return self.resolver.resolve(claim) if self.resolver else None

    def assess(self, entity: str, as_of: str) -> Finding:
        """Assess who owns an entity on a day (ISO date)."""
        return _assess(self, entity, as_of)


# A world is hashed by identity, so these caches never mix two worlds; what a swap leaves behind ages out.
@lru_cache(maxsize=1 << 16)
def _assess(world: World, entity: str, as_of: str) -> Finding:
    if world.graph is None:
        raise ValueError("there is no ownership data to assess an entity by")
    return assess(world.graph, entity, as_of, world.policy.question)


class Verdict(NamedTuple):
    """A judgement, and the parts of a decision that do not depend on which account it is for.

    Attributes:
        judgement: What policy says.
        codes: The reasons' codes.
        before_event_time, before_previous_action, before_sequence: Fields of the decision, ready to encode and
            sorted, in three runs that end where a field of the account comes in between.
    """

    judgement: Judgement
    codes: tuple[str, ...]
    before_event_time: Mapping[str, Any]
    before_previous_action: Mapping[str, Any]
    before_sequence: Mapping[str, Any]


@lru_cache(maxsize=1 << 16)
def verdict(evidence: Evidence, standing: Action, world: World) -> Verdict:
    """Judge evidence in a world. Accounts that have shown the same share the work."""
    gathered = gather(evidence, standing, world)
    evidence_hash = _evidence_hash(gathered)
    override = evidence.override
    if (
        override is not None
        and override.action == "allow"
        and override.evidence_hash not in (None, evidence_hash)
    ):
        # The people who let the account in saw other evidence: that is void. A suspension stays: nothing that
        # an account shows may lift it.
        void = gathered.facts.without_override()
        gathered = gathered._replace(facts=void)
    facts = gathered.facts
    judgement = judge(facts, world.policy)
    return Verdict(
        judgement=judgement,
        codes=tuple(reason.code for reason in judgement.reasons),
        before_event_time={"action": judgement.action, "degraded": facts.degraded},
        before_previous_action={
            "evidence_hash": evidence_hash,
            "facts": _fragment(facts.to_json()),
            "override_id": facts.override_id or None,
            "ownership": _fragment(_ownership(gathered, world)),
            "policy": _fragment(world.policy.identity),
        },
        before_sequence={
            "reasons": _fragment([reason.to_json() for reason in judgement.reasons]),
            "reference": _fragment(dict(world.reference)),
            "review": judgement.review,
        },
    )


def _fragment(value: Any) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def _evidence_hash(gathered: Gathered) -> str:
    facts = {name: value for name, value in gathered.facts.to_json().items() if name not in NOT_EVIDENCE}
    return sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _ownership(gathered: Gathered, world: World) -> dict[str, Any] | None:
    if gathered.worst is None:
        return None
    match, finding = gathered.worst
    return to_json(finding, match, world.policy.question)
