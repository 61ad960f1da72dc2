"""Load a world from the files that settings or a command line name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stream_enforcer.domain.world import World
from stream_enforcer.reference.geo import load_geo
from stream_enforcer.reference.ownership import read_ownership
from stream_enforcer.reference.policy_file import load_policy


class Loaded(NamedTuple):
    """A world, and how many ownership statements were left out of it, by reason."""

    world: World
    skipped: Mapping[str, int]


def load_world(policy: Path | None, geo: Sequence[str], ownership: Sequence[Path]) -> Loaded:
    """Load policy, geo tables and ownership files as one world.

    Without geo sources every address is unknown; without ownership files there is no graph. Decisions then say
    that they are degraded, where it matters for the account.

    Args:
        policy: The policy file; None for the packaged default.
        geo: Geo sources as `load_geo` takes them.
        ownership: Ownership files of any format that `load_ownership` knows.

    Raises:
        BadPolicy: The policy cannot be used.
        BadReference: A geo source or an ownership file cannot be used.
    """
    compiled = load_policy(policy)
    tables = load_geo(geo)
    if not ownership:
        return Loaded(World.build(compiled, tables, None), {})
    read = read_ownership(ownership)
    return Loaded(World.build(compiled, tables, read.graph), read.skipped)
