"""What is asked of the ownership data: who counts as restricted, and where the line is."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from stream_enforcer.domain.ownership.graph import FULL, Entity

Basis = Literal["headquarters", "registration", "none"]


@dataclass(frozen=True, slots=True)
class Question:
    """Which jurisdictions are restricted and how much ownership is too much.

    Attributes:
        restricted: ISO 3166-1 alpha-2 codes, upper case.
        threshold: In millionths of a percent.
        strict: Whether a share must be over the threshold (True), or may equal it.
        exceptions: Ids of entities that never count as restricted holders by themselves. One that restricted
            holders control still passes that control on.
    """

    restricted: frozenset[str]
    threshold: int = 50_000_000
    strict: bool = True
    exceptions: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        least = 0 if self.strict else 1
        if not least <= self.threshold <= FULL:
            raise ValueError(f"threshold {self.threshold} is not within {least}..{FULL}")

    def passes(self, share: int | Fraction) -> bool:
        """Tell whether a share (clamped to 100 %) is over the line; equal to it is not, when strict."""
        clamped = min(share, FULL)
        return clamped > self.threshold if self.strict else clamped >= self.threshold

    def restricted_country(self, entity: Entity | None) -> str | None:
        """Return the country that makes an entity a restricted holder, or None.

        Natural persons never count: the rule is about companies and states, not about nationality.
        """
        if entity is None or entity.id in self.exceptions or not self.exceptions.isdisjoint(entity.same_as):
            return None
        country, _ = seat(entity)
        return country if country in self.restricted else None


def seat(entity: Entity) -> tuple[str | None, Basis]:
    """Return the country of the headquarters, else of registration, and which of the two it is.

    A natural person has neither: where a person comes from is not looked at.
    """
    if entity.type == "person":
        return None, "none"
    if entity.headquarters is not None:
        return entity.headquarters, "headquarters"
    if entity.country is not None:
        return entity.country, "registration"
    return None, "none"
