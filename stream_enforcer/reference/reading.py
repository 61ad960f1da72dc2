"""What a reader of one family of formats gives."""

from collections.abc import Sequence
from typing import NamedTuple

from stream_enforcer.domain.ownership.graph import Entity, Stake


class Reading(NamedTuple):
    """Entities and stakes, and the day (ISO) of the newest publication among their sources, where one is stated."""

    entities: Sequence[Entity]
    stakes: Sequence[Stake]
    as_of: str | None
