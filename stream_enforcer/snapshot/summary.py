"""What a snapshot holds, in numbers."""

from typing import Any, Final

import numpy as np

from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.snapshot.columns import Array, day_number
from stream_enforcer.snapshot.graph import VERDICTS, Snapshot
from stream_enforcer.snapshot.layout import SECTIONS

COVERAGE: Final = ("none", "under_half", "half_or_more", "full", "over_full")
"""How much of a company is on record: nothing, under 50 %, 50 % or more, 100 %, more than 100 %."""
_READINGS: Final = ("control", "effective", "single_owner")


def columns_of(snapshot: Snapshot) -> dict[str, Array]:
    """Return the numeric sections of an open snapshot as arrays over the same memory."""
    return {
        name: np.frombuffer(snapshot.file.section(name), f"<{dtype}")
        for name, (dtype, rows, _) in SECTIONS.items()
        if rows != "bytes"
    }


def summary(snapshot: Snapshot) -> dict[str, Any]:
    """Return what `ownership info` prints: the header without the places of sections, coverage, and verdicts.

    Raises:
        BadReference: The file is damaged.
    """
    header = snapshot.file.header
    columns = columns_of(snapshot)
    if columns["stake_held"].max(initial=0) >= max(header.counts.parties, 1):
        raise snapshot.file.damaged("a stake is in a party that is not there")
    return {
        "builder": header.builder,
        "hash": header.hash,
        "sha256": snapshot.file.checksum(),
        "bytes": snapshot.file.size,
        "as_of": header.as_of,
        "counts": header.counts.model_dump(),
        "unresolved_holders": header.unresolved,
        "identity": header.identity.model_dump(),
        "coverage": _coverage(columns, header.as_of),
        "verdicts_for": None if header.asked is None else header.asked.model_dump(),
        "verdicts": None if header.asked is None else _verdicts(columns["entity_verdict"]),
        "sources": [source.model_dump() for source in header.sources],
    }


def _coverage(columns: dict[str, Array], as_of: str | None) -> dict[str, int]:
    """Count companies by the sum of their recorded least shares, on the day of the data (else: of all stakes)."""
    entities = len(columns["entity_type"])
    since, until = columns["stake_since"], columns["stake_until"]
    active = np.ones(len(since), bool)
    if as_of is not None:
        on = day_number(as_of)
        active = (since <= on) & ((until == 0) | (until > on))
    # Sums of whole numbers below 2**53: floats hold them exactly.
    sums = np.bincount(
        columns["stake_held"][active], weights=columns["stake_min"][active], minlength=entities
    )[:entities]
    company = columns["entity_type"] == 0
    places = np.searchsorted(np.array([1, FULL // 2, FULL, FULL + 1]), sums[company], side="right")
    return dict(zip(COVERAGE, np.bincount(places, minlength=len(COVERAGE)).tolist(), strict=True))


def _verdicts(bits: Array) -> dict[str, dict[str, int]]:
    counts = {}
    for name, shift in zip(_READINGS, (0, 2, 4), strict=True):
        found = np.bincount((bits >> np.uint8(shift)) & np.uint8(3), minlength=len(VERDICTS) + 1)
        counts[name] = dict(zip((*VERDICTS, "not_worked_out"), found.tolist(), strict=True))
    return counts
