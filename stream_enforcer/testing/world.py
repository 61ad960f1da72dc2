"""Worlds of a few addresses and companies, for tests."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from stream_enforcer.domain.geo import IpFacts
from stream_enforcer.domain.ownership.graph import Entity, OwnershipGraph, Stake
from stream_enforcer.domain.policy import Policy
from stream_enforcer.domain.world import World
from stream_enforcer.reference.native import parse_native
from stream_enforcer.reference.policy_file import load_policy

NOWHERE: Final = IpFacts(None, None, "unknown")


class _Addresses:
    """Geo tables that know the addresses that they were given; any other is nowhere."""

    def __init__(self, countries: Mapping[str, str | IpFacts]) -> None:
        self._facts = {
            ip: facts if isinstance(facts, IpFacts) else IpFacts(facts, None, "residential")
            for ip, facts in countries.items()
        }
        self.built_on: str | None = "2026-03-01"
        self.hash = sha256(repr(sorted(self._facts.items(), key=lambda row: row[0])).encode()).hexdigest()

    def lookup(self, ip: str, /) -> IpFacts:
        return self._facts.get(ip, NOWHERE)


def policy_world(
    policy: Policy | Path | None = None,
    countries: Mapping[str, str | IpFacts] | None = None,
    ownership: Iterable[Mapping[str, Any]] | None = None,
    as_of: str | None = "2026-03-01",
) -> World:
    """Build a world to test a policy in.

    Args:
        policy: The policy or its file; None for the packaged one.
        countries: Country of each address, or all that is known of it; a country alone means a residential
            network. Addresses that are not named are nowhere.
        ownership: Native ownership records; None where the world has no ownership data.
        as_of: Day that the ownership records describe, ISO.

    Raises:
        BadPolicy: The policy file cannot be read.
        BadReference: An ownership record is not valid.
    """
    loaded = policy if isinstance(policy, Policy) else load_policy(policy)
    graph = None if ownership is None else _graph(ownership, as_of)
    return World.build(loaded, _Addresses(countries or {}), graph)


def _graph(ownership: Iterable[Mapping[str, Any]], as_of: str | None) -> OwnershipGraph:
    lines = [orjson.dumps(dict(line)) for line in ownership]
    records = [parse_native(line, path="ownership", line=n) for n, line in enumerate(lines, start=1)]
    return OwnershipGraph.build(
        [record for record in records if isinstance(record, Entity)],
        [record for record in records if isinstance(record, Stake)],
        hash=sha256(b"\n".join(lines)).hexdigest(),
        as_of=as_of,
    )
