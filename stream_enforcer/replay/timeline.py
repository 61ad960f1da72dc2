"""Which world holds when: reference data by the day from which they are valid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stream_enforcer.domain.world import World


class Reign(NamedTuple):
    """A world and when it begins to hold, in epoch milliseconds."""

    since_ms: int
    world: World


@dataclass(frozen=True, slots=True)
class Timeline:
    """Worlds one after another. The first one holds from the beginning of time."""

    reigns: tuple[Reign, ...]

    @classmethod
    def of(cls, reigns: Sequence[Reign]) -> "Timeline":
        """Put reigns in order.

        Raises:
            ValueError: There is none, or two begin at the same time.
        """
        ordered = tuple(sorted(reigns, key=lambda reign: reign.since_ms))
        if not ordered:
            raise ValueError("a timeline needs a world")
        starts = [reign.since_ms for reign in ordered]
        if len(set(starts)) < len(starts):
            raise ValueError("two worlds begin at the same time")
        return cls(ordered)

    @property
    def last(self) -> World:
        """The world that holds at the end of time."""
        return self.reigns[-1].world
