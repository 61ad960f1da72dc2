"""The world: policy, geo tables and ownership as one value, by hash."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from weakref import proxy

import orjson

from stream_enforcer.domain.account import Action, Evidence
from stream_enforcer.domain.facts import NOT_EVIDENCE, Gathered, gather
from stream_enforcer.domain.geo import GeoLookup
from stream_enforcer.domain.ownership import to_json
from stream_enforcer.domain.ownership.graph import OwnershipGraph
from stream_enforcer.domain.ownership.resolve import Claim, Resolution, Resolver
from stream_enforcer.domain.ownership.semantics import Finding, assess
from stream_enforcer.domain.policy import Judgement, Policy, judge

_REMEMBERED: Final = 1 << 16


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


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class World:
    """Everything but the account that a judgement depends on. Swapped whole, never changed.

    What it has worked out it remembers, and what it remembers ends with it: ownership that changes by the second
    must not keep a thousand yesterdays in memory.

    Attributes:
        policy: The compiled policy.
        geo: The geo tables.
        graph: The ownership data, or None where there is none.
        reference: What decisions say of the reference data.
        resolve: Find the entity that a claim means, and how sure that is.
        assess: Assess who owns an entity on a day (ISO date).
        policy_said, reference_said: What decisions say of them, as JSON.
        verdict: Judge evidence, of an account of a standing. Accounts that have shown the same share the work.
    """

    policy: Policy = field(repr=False)
    geo: GeoLookup = field(repr=False)
    graph: OwnershipGraph | None = field(repr=False)
    resolver: Resolver | None = field(repr=False)
    reference: Mapping[str, Any]
    resolve: Callable[[Claim], Resolution] = field(init=False, repr=False)
    assess: Callable[[str, str], Finding] = field(init=False, repr=False)
    verdict: Callable[[Evidence, Action], Verdict] = field(init=False, repr=False)
    _conclude: Callable[[Gathered, str | None], Verdict] = field(init=False, repr=False)
    policy_said: orjson.Fragment = field(init=False, repr=False)
    reference_said: orjson.Fragment = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "policy_said", _fragment(self.policy.identity))
        object.__setattr__(self, "reference_said", _fragment(dict(self.reference)))
        me = proxy(self)  # a reference to itself would keep it until the collector's rarest round
        object.__setattr__(self, "resolve", lru_cache(_REMEMBERED)(partial(_resolve, self.resolver)))
        object.__setattr__(self, "assess", lru_cache(_REMEMBERED)(partial(_assess, self.graph, self.policy)))
        object.__setattr__(self, "verdict", lru_cache(_REMEMBERED)(partial(_verdict, me)))
        object.__setattr__(self, "_conclude", lru_cache(_REMEMBERED)(partial(_conclude, me)))

    @classmethod
    def build(cls, policy: Policy, geo: GeoLookup, graph: OwnershipGraph | None) -> "World":
        """Put a world together from loaded parts."""
        ownership = {"hash": graph.hash if graph else None, "as_of": graph.as_of if graph else None}
        reference = {"geo": {"hash": geo.hash, "built_at": geo.built_on}, "ownership": ownership}
        resolver = Resolver.build(graph, policy.name_score_at_least) if graph else None
        return cls(policy, geo, graph, resolver, MappingProxyType(reference))

    @property
    def reference_hash(self) -> str:
        """SHA-256 hex over the hashes of the reference data."""
        return self.reference_hash_with(self.reference["ownership"]["hash"])

    def reference_hash_with(self, ownership_hash: str | None) -> str:
        """Return what `reference_hash` is with ownership data of another hash and the same date."""
        ownership = {**self.reference["ownership"], "hash": ownership_hash}
        reference = {"geo": self.reference["geo"], "ownership": ownership}
        return sha256(orjson.dumps(reference, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _resolve(resolver: Resolver | None, claim: Claim) -> Resolution:
    return resolver.resolution(claim) if resolver else Resolution(None, ambiguous=False)


def _assess(graph: OwnershipGraph | None, policy: Policy, entity: str, as_of: str) -> Finding:
    if graph is None:
        raise ValueError("there is no ownership data to assess an entity by")
    return assess(graph, entity, as_of, policy.question)


def _verdict(world: World, evidence: Evidence, standing: Action) -> Verdict:
    override = evidence.override
    pinned = override.evidence_hash if override is not None and override.action == "allow" else None
    # Evidence of different accounts often comes to the same facts: what follows from those is worked out once.
    return world._conclude(gather(evidence, standing, world), pinned)  # noqa: SLF001 - a part of this class


def _conclude(world: World, gathered: Gathered, pinned: str | None) -> Verdict:
    """Judge facts.

    Args:
        world: The world.
        gathered: The facts, and what is known of the owners.
        pinned: Hash of the evidence that an override which lets in was given for; None where it was for any.
    """
    evidence_hash = _evidence_hash(gathered)
    if pinned not in (None, evidence_hash):
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
            "policy": world.policy_said,
        },
        before_sequence={
            "reasons": _fragment([reason.to_json() for reason in judgement.reasons]),
            "reference": world.reference_said,
            "review": judgement.review,
        },
    )


def _fragment(value: Any) -> orjson.Fragment:
    # What orjson returns keeps the buffer that it wrote into, of 4 KiB and more; a verdict is remembered.
    return orjson.Fragment(bytes(memoryview(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))))


def _evidence_hash(gathered: Gathered) -> str:
    facts = {name: value for name, value in gathered.facts.to_json().items() if name not in NOT_EVIDENCE}
    return sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _ownership(gathered: Gathered, world: World) -> dict[str, Any] | None:
    if gathered.worst is None:
        return None
    match, finding = gathered.worst
    return to_json(finding, match, world.policy.question)
