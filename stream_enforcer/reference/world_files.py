"""Load a world from the files that settings or a command line name."""

from collections.abc import Sequence
from pathlib import Path

from stream_enforcer.domain.world import World
from stream_enforcer.reference.geo import load_geo
from stream_enforcer.reference.ownership import load_ownership
from stream_enforcer.reference.policy_file import load_policy


def load_world(policy: Path | None, geo: Sequence[str], ownership: Sequence[Path]) -> World:
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
    graph = load_ownership(ownership) if ownership else None
    return World.build(compiled, load_geo(geo), graph)
