"""Whether the process is alive and whether it is ready, as pure functions of what the service last told."""

from dataclasses import dataclass, field
from typing import Final

SILENCE_SECONDS: Final = 30.0
"""Time without a turn of the loop after which the process counts as hung."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a probe; `reasons` is empty when `ok`, and says all that is amiss when not."""

    ok: bool
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Health:
    """What the service knows of itself. The service writes it, the probes read it.

    Attributes:
        beat_at: When the loop last turned, in seconds of the clock that the probes use. The start counts.
        assigned: Partitions that the group gave us; None until the first assignment is complete. Empty is
            an assignment too: the replica stands by.
        restored: Partitions whose accounts are in memory.
        paused: Partition -> why it stands still.
        reference_loaded: The policy, geo and ownership data are in memory.
        kafka_reachable: The last call to Kafka was answered.
        kafka_unreachable_because: Why it was not; None when it was, or when that is not known.
        kafka_denial: Which right the service lacks; None when none is known.
    """

    beat_at: float
    assigned: frozenset[int] | None = None
    restored: set[int] = field(default_factory=set)
    paused: dict[int, str] = field(default_factory=dict)
    reference_loaded: bool = False
    kafka_reachable: bool = False
    kafka_unreachable_because: str | None = None
    kafka_denial: str | None = None

    def beat(self, now: float) -> None:
        """Note that the loop turned."""
        self.beat_at = now

    def assign(self, partitions: frozenset[int]) -> None:
        """Note a completed assignment, and forget what was known of partitions that are not in it."""
        self.assigned = partitions
        self.restored &= partitions
        self.paused = {partition: why for partition, why in self.paused.items() if partition in partitions}


def live(health: Health, now: float) -> Answer:
    """Tell whether a restart would help: only when the loop hangs, never because of lag or of Kafka."""
    silence = now - health.beat_at
    if silence <= SILENCE_SECONDS:
        return Answer(ok=True, reasons=())
    return Answer(ok=False, reasons=(f"the loop has not turned for {silence:.0f} s",))


def ready(health: Health, now: float) -> Answer:
    """Tell whether this replica does its work: assigned, restored, reference loaded, nothing paused."""
    reasons = list(live(health, now).reasons)
    if not health.reference_loaded:
        reasons.append("reference data is not loaded")
    if not health.kafka_reachable:
        reasons.append("Kafka is not reachable")
    reasons += [why for why in (health.kafka_unreachable_because, health.kafka_denial) if why is not None]
    if health.assigned is None:
        reasons.append("no assignment yet")
    else:
        missing = sorted(health.assigned - health.restored)
        reasons += [f"partition {partition} is not restored yet" for partition in missing]
    reasons += [f"partition {partition} is paused: {why}" for partition, why in sorted(health.paused.items())]
    return Answer(ok=not reasons, reasons=tuple(reasons))
