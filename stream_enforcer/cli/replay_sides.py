"""The sides of a comparison, from what a command line names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from stream_enforcer.domain.world import World
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.geo import load_geo
from stream_enforcer.reference.ownership import load_ownership
from stream_enforcer.reference.policy_file import load_policy, policy_text
from stream_enforcer.replay.timeline import Reign, Timeline

DECISIONS: Final = "decisions"
"""In the place of a policy: what was really decided."""


@dataclass(frozen=True, slots=True)
class Given:
    """One side as it was given.

    Attributes:
        policy: The policy's file; None for the packaged one.
        ownership: Ownership files, each alone or as `DAY=FILE` for the day from which it is valid.
    """

    policy: Path | None
    ownership: Sequence[str]

    @property
    def what(self) -> str:
        """Say what was given."""
        policy = "the packaged policy" if self.policy is None else self.policy.name
        return ", ".join([f"policy {policy}", *(f"ownership {_name(one)}" for one in self.ownership)])

    @property
    def text(self) -> str:
        """The policy as it is written."""
        return policy_text(self.policy)


def _name(ownership: str) -> str:
    day, _, file = ownership.rpartition("=")
    return f"{Path(file).name} from {day}" if day else Path(file).name


def timelines(sides: Sequence[Given], geo: Sequence[str]) -> list[Timeline]:
    """Load sides. The geo tables are loaded once, and equal ownership data too.

    Raises:
        BadPolicy: A policy cannot be used.
        BadReference: A geo source or an ownership file cannot be used, or two files are valid from the same day.
    """
    tables = load_geo(geo)
    loaded: dict[tuple[str, ...], dict[int, list[Path]]] = {}
    made = []
    for side in sides:
        policy = load_policy(side.policy)
        files = loaded.setdefault(tuple(side.ownership), _by_start(side.ownership))
        reigns = [
            Reign(start, World.build(policy, tables, load_ownership(paths) if paths else None))
            for start, paths in files.items()
        ]
        made.append(Timeline.of(reigns))
    return made


def _by_start(ownership: Sequence[str]) -> dict[int, list[Path]]:
    """Return the files by when they begin to be valid; those without a day are valid from the start."""
    found: dict[int, list[Path]] = {}
    for one in ownership:
        day, _, file = one.rpartition("=")
        found.setdefault(_start(day, one) if day else 0, []).append(Path(file))
    return found or {0: []}


def _start(day: str, one: str) -> int:
    try:
        moment = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadReference(one, f"{day} is no day: write YYYY-MM-DD=FILE") from None
    return int(moment.timestamp() * 1000)
