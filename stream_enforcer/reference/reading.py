"""Where readers put what they read, as they read it."""

from typing import Protocol

from stream_enforcer.domain.ownership.graph import Entity, Stake


class Sink(Protocol):
    """Takes the entities and stakes of one publication; a later one of the same id replaces an earlier one."""

    def entity(self, entity: Entity) -> None:
        """Take an entity."""
        ...

    def stake(self, stake: Stake) -> None:
        """Take a stake."""
        ...

    def no_entity(self, entity_id: str) -> None:
        """Take an entity back, which may not be there."""
        ...

    def no_stake(self, stake_id: str) -> None:
        """Take a stake back, which may not be there."""
        ...


class Reading:
    """Keeps what a publication says in memory.

    Attributes:
        entities: By id, in order of appearance.
        stakes: Likewise.
    """

    def __init__(self) -> None:
        self.entities: dict[str, Entity] = {}
        self.stakes: dict[str, Stake] = {}

    def entity(self, entity: Entity) -> None:
        """Keep an entity."""
        self.entities[entity.id] = entity

    def stake(self, stake: Stake) -> None:
        """Keep a stake."""
        self.stakes[stake.id] = stake

    def no_entity(self, entity_id: str) -> None:
        """Forget an entity."""
        self.entities.pop(entity_id, None)

    def no_stake(self, stake_id: str) -> None:
        """Forget a stake."""
        self.stakes.pop(stake_id, None)


def later(day: str | None, other: str | None) -> str | None:
    """Return the later of two ISO days, of which either may be unknown."""
    return max(filter(None, (day, other)), default=None)
