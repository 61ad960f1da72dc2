"""Load a world from the files that settings or a command line name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stream_enforcer.domain.ownership.merging import Identity
from stream_enforcer.domain.world import World
from stream_enforcer.reference.geo import load_geo
from stream_enforcer.reference.ownership import read_ownership
from stream_enforcer.reference.policy_file import load_policy
from stream_enforcer.reference.report import SourceReport


class Loaded(NamedTuple):
    """A world, and what became of the statements of its ownership files.

    Attributes:
        skipped: How many statements, or parts of them, were left out, by reason.
        reports: One for each ownership file.
        dangling: Parties of stakes that no file describes.
        identity: What was found of companies that several records are of.
    """

    world: World
    skipped: Mapping[str, int]
    reports: tuple[SourceReport, ...] = ()
    dangling: int = 0
    identity: Identity = Identity()


def load_world(
    policy: Path | None,
    geo: Sequence[str],
    ownership: Sequence[Path],
    *,
    strict: bool = False,
    keep_apart: Path | None = None,
) -> Loaded:
    """Load policy, geo tables and ownership files as one world.

    Without geo sources every address is unknown; without ownership files there is no graph. Decisions then say
    that they are degraded, where it matters for the account.

    Args:
        policy: The policy file; None for the packaged default.
        geo: Geo sources as `load_geo` takes them.
        ownership: Ownership files of any format that `load_ownership` knows.
        strict: Refuse an ownership file at its first fault.
        keep_apart: A file of ids of records that are not to be merged, see `reference.keep_apart`.

    Raises:
        BadPolicy: The policy cannot be used.
        BadReference: A geo source or an ownership file cannot be used.
    """
    compiled = load_policy(policy)
    tables = load_geo(geo)
    if not ownership:
        return Loaded(World.build(compiled, tables, None), {})
    read = read_ownership(ownership, strict=strict, keep_apart=keep_apart)
    world = World.build(compiled, tables, read.graph)
    return Loaded(world, read.skipped, read.reports, read.dangling, read.identity)
