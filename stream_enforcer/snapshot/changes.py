"""Which companies' verdicts differ between two snapshots, and through which holdings."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.semantics import assess
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.snapshot.graph import Snapshot, Verdicts
from stream_enforcer.snapshot.layout import Asked
from stream_enforcer.snapshot.summary import columns_of

_MOST_REASONS: Final = 20
_REFUTED: Final = Verdicts("refuted", "refuted", "refuted")


class Reason(NamedTuple):
    """A holding that shows one verdict and is another, or not there, in the other snapshot.

    Attributes:
        before, after: Its least and greatest share in millionths of a percent (several stakes summed); None where
            there is no such holding.
        restricted: Whether the holder is a restricted one, before and after.
    """

    holder: str
    held: str
    before: tuple[int, int] | None
    after: tuple[int, int] | None
    restricted: tuple[bool, bool]


class Change(NamedTuple):
    """A company whose verdicts differ.

    Attributes:
        before, after: None where the company is not in the snapshot.
        reasons: At most 20 holdings, nearest first. Empty where no single holding tells.
    """

    entity: str
    name: str
    before: Verdicts | None
    after: Verdicts | None
    reasons: tuple[Reason, ...]


def changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    """Yield the companies whose verdicts differ, in the order of the later snapshot; then those that are gone.

    Companies that are only in one of the two are among them when a verdict there is not `refuted`.

    Raises:
        BadReference: One has no verdicts, or they answer different questions. Or a file is damaged.
    """
    _comparable(before, after)
    return _changes(before, after)


def _comparable(before: Snapshot, after: Snapshot) -> None:
    questions = [_asked(snapshot) for snapshot in (before, after)]
    mine, others = [(a.restricted, a.threshold, a.strict, a.exceptions) for a in questions]
    if mine != others:
        raise BadReference(
            after.file.path, f"answers another question than {before.file.path}: build both with one policy"
        )


def _asked(snapshot: Snapshot) -> Asked:
    asked = snapshot.file.header.asked
    if asked is None:
        raise BadReference(snapshot.file.path, "has no verdicts: build it with --policy")
    return asked


def _changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    for number in _suspects(after, before):
        entity = after.records.party_id(number)
        old, new = _verdicts(before, entity), _verdicts(after, entity)
        if (old or _REFUTED) != new:
            yield _change(before, after, entity, old, new)
    for number in _suspects(before, after):
        entity = before.records.party_id(number)
        old = _verdicts(before, entity)
        if old != _REFUTED and _verdicts(after, entity) is None:
            yield _change(before, after, entity, old, None)


def _suspects(snapshot: Snapshot, other: Snapshot) -> list[int]:
    """Return the entities whose verdicts do not stand under the same hash in the other snapshot, or not in this."""
    (keys, bits, numbers), (other_keys, other_bits, _) = (_by_key(one) for one in (snapshot, other))
    if not len(other_keys):
        return np.sort(numbers[bits != 0]).tolist()  # type: ignore[no-any-return]  # of integers
    place = np.minimum(np.searchsorted(other_keys, keys), len(other_keys) - 1)
    known = other_keys[place] == keys
    not_worked_out = (bits & bits >> np.uint8(1) & np.uint8(0b010101)) != 0
    differs = (bits != np.where(known, other_bits[place], 0)) | not_worked_out
    return np.sort(numbers[differs]).tolist()  # type: ignore[no-any-return]  # of integers


def _by_key(snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = columns_of(snapshot)
    numbers = columns["party_of_hash"]
    kept = numbers < len(columns["entity_type"])
    numbers = numbers[kept]
    return columns["party_hash"][kept], columns["entity_verdict"][numbers], numbers


def _verdicts(snapshot: Snapshot, entity: str) -> Verdicts | None:
    number = snapshot.records.number(entity)
    if number is None or number >= snapshot.records.entities:
        return None
    return snapshot.verdicts_of(number) or _worked_out(snapshot, entity)


def _worked_out(snapshot: Snapshot, entity: str) -> Verdicts:
    asked = _asked(snapshot)
    found = assess(snapshot.graph, entity, asked.on, asked.question())
    return Verdicts(found.control.verdict, found.effective.verdict, found.single_owner.verdict)


def _change(
    before: Snapshot, after: Snapshot, entity: str, old: Verdicts | None, new: Verdicts | None
) -> Change:
    known = (after if new is not None else before).graph.entities[entity]
    days = [(snapshot, _asked(snapshot).on) for snapshot in (before, after)]
    question = _asked(after).question()
    proofs = [assess(snapshot.graph, entity, on, question).proof for snapshot, on in days]
    pairs = dict.fromkeys((edge.holder, edge.held) for proof in reversed(proofs) for edge in proof)
    reasons = (_reason(pair, days, question) for pair in pairs)
    told = [reason for reason in reasons if _differs(reason)]
    return Change(entity, known.name, old, new, tuple(told[:_MOST_REASONS]))


def _reason(pair: tuple[str, str], days: list[tuple[Snapshot, str]], question: Question) -> Reason:
    holder, held = pair
    bands = [_band(snapshot, holder, held, on) for snapshot, on in days]
    restricted = [
        question.restricted_country(snapshot.graph.entities.get(holder)) is not None for snapshot, _ in days
    ]
    return Reason(holder, held, bands[0], bands[1], (restricted[0], restricted[1]))


def _differs(reason: Reason) -> bool:
    return reason.before != reason.after or reason.restricted[0] != reason.restricted[1]


def _band(snapshot: Snapshot, holder: str, held: str, on: str) -> tuple[int, int] | None:
    stakes = [
        stake for stake in snapshot.graph.stakes_in(held) if stake.holder == holder and stake.active(on)
    ]
    if not stakes:
        return None
    return sum(stake.min for stake in stakes), sum(stake.max for stake in stakes)
