"""The three readings of "more than half owned by restricted holders", for one company on one day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from stream_enforcer.domain.ownership.ancestry import (
    Ancestry,
    active_stakes,
    ancestry,
)
from stream_enforcer.domain.ownership.control import best_single_owner, controlled_by, controllers
from stream_enforcer.domain.ownership.effective import effective_share
from stream_enforcer.domain.ownership.graph import FULL, OwnershipGraph
from stream_enforcer.domain.ownership.proof import Edge
from stream_enforcer.domain.ownership.question import Basis, Question, seat
from stream_enforcer.domain.ownership.witness import Witness, prove

__all__ = ["Basis", "Finding", "Question", "Reading", "Verdict", "assess"]

Verdict = Literal["proved", "possible", "refuted", "unknown"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How much restricted holders have of a company under one reading of the rule.

    Attributes:
        verdict: `proved` when the least share passes the threshold, `possible` when only the greatest does,
            `refuted` when that does not either, `unknown` when the company is not in the data.
        min: Least share in millionths of a percent, rounded down, clamped to 100 %.
        max: Greatest share, rounded up, clamped.
    """

    verdict: Verdict
    min: int
    max: int


@dataclass(frozen=True, slots=True)
class Finding:
    """All that the ownership data says of one company on one day.

    Attributes:
        entity: Its id.
        headquarters: Country of its headquarters, else of its registration (see `basis`). The readings are
            about who holds the company; whether it sits in a restricted country itself is said here.
        basis: Which of the two `headquarters` is.
        control: Restricted holders and the companies that they control, all together.
        effective: Shares multiplied along chains and summed over them.
        single_owner: The restricted holder that alone, with what it controls, has the most.
        coverage: Sum of the recorded least shares of the company, clamped.
        chain_coverage: The least coverage among the companies that control it; its own when there are none.
            States and restricted holders are left out: who owns those does not change the answer.
        listings: Topics of lists on which it, or a company or state that controls it, stands on the day.
        proof: The stakes that show the proved readings (the possible ones, where none is proved).
        proof_complete: Whether the proof gives the stated numbers, not only the verdict (see `witness`).
    """

    entity: str
    headquarters: str | None
    basis: Basis
    control: Reading
    effective: Reading
    single_owner: Reading
    coverage: int
    chain_coverage: int
    listings: tuple[str, ...]
    proof: tuple[Edge, ...]
    proof_complete: bool = True


def assess(graph: OwnershipGraph, entity_id: str, on: str, question: Question) -> Finding:
    """Find who holds a company.

    A company that is not in the data has `unknown` readings of [0, 100 %] and no coverage.

    Args:
        graph: The snapshot.
        entity_id: The company.
        on: ISO day; only stakes and listings of that day count.
        question: Who is restricted, and the threshold.
    """
    entity = graph.entities.get(entity_id)
    if entity is None:
        nothing = Reading("unknown", 0, FULL)
        return Finding(entity_id, None, "none", nothing, nothing, nothing, 0, 0, (), ())
    above = ancestry(graph, entity_id, on, question)
    control, effective, single_owner, witness = _readings(above, question)
    controlling = [above.ids[number] for number in sorted(controllers(above, question))]
    proof = prove(graph, on, above, question, witness)
    headquarters, basis = seat(entity)
    return Finding(
        entity=entity_id,
        headquarters=headquarters,
        basis=basis,
        control=control,
        effective=effective,
        single_owner=single_owner,
        coverage=_coverage(graph, entity_id, on),
        chain_coverage=_chain_coverage(graph, entity_id, on, _open_companies(graph, controlling, question)),
        listings=_listings(graph, [entity_id, *controlling], on),
        proof=proof.edges,
        proof_complete=proof.complete,
    )


def _readings(above: Ancestry, question: Question) -> tuple[Reading, Reading, Reading, Witness]:
    least = controlled_by(above.restricted, above, 1, question)
    greatest = controlled_by(above.restricted, above, 2, question)
    single_least = best_single_owner(above, 1, question, ceiling=least.share)
    single_greatest = best_single_owner(above, 2, question, ceiling=greatest.share)
    control = _reading(Fraction(least.share, FULL), Fraction(greatest.share, FULL), question)
    effective = _reading(effective_share(above, 1), effective_share(above, 2), question)
    single = _reading(Fraction(single_least.share, FULL), Fraction(single_greatest.share, FULL), question)
    verdicts = {reading.verdict for reading in (control, effective, single)}
    shown: Verdict | None = next((verdict for verdict in _SHOWN if verdict in verdicts), None)
    proved = shown == "proved"
    group, owner = (least, single_least) if proved else (greatest, single_greatest)
    witness = Witness(
        side=1 if proved else 2,
        control=group if control.verdict == shown else None,
        effective=effective.verdict == shown,
        single_owner=owner if single.verdict == shown else None,
    )
    return control, effective, single, witness


_SHOWN: tuple[Verdict, ...] = ("proved", "possible")


def _reading(least: Fraction, greatest: Fraction, question: Question) -> Reading:
    """Judge a band exactly; round it outwards only to report it."""
    least, greatest = min(least, Fraction(1)) * FULL, min(greatest, Fraction(1)) * FULL
    verdict: Verdict = "refuted"
    if question.passes(greatest):
        verdict = "proved" if question.passes(least) else "possible"
    return Reading(verdict, floor(least), ceil(greatest))


def _coverage(graph: OwnershipGraph, entity_id: str, on: str) -> int:
    return min(FULL, sum(stake.min for stake in active_stakes(graph, entity_id, on)))


def _open_companies(graph: OwnershipGraph, controlling: Iterable[str], question: Question) -> list[str]:
    """Return the controlling companies whose own owners could still change the answer."""
    entities = ((entity_id, graph.entities.get(entity_id)) for entity_id in controlling)
    return [
        entity_id
        for entity_id, entity in entities
        if not (entity is not None and entity.type == "state") and question.restricted_country(entity) is None
    ]


def _chain_coverage(graph: OwnershipGraph, entity_id: str, on: str, companies: Sequence[str]) -> int:
    return min(_coverage(graph, company, on) for company in companies or [entity_id])


def _listings(graph: OwnershipGraph, entity_ids: Iterable[str], on: str) -> tuple[str, ...]:
    entities = (graph.entities.get(entity_id) for entity_id in entity_ids)
    listings = (listing for entity in entities if entity is not None for listing in entity.listings)
    return tuple(sorted({listing.topic for listing in listings if listing.active(on)}))
