"""The stakes that show a verdict, and the checker of a decision's `ownership` object.

The checker needs nothing but that object, imports nothing but the standard library and shares no code with
what wrote it. From the edges of the proof alone it works out all three readings again. For each reading with
the strongest verdict that is stated (`proved`, else `possible`) it must get the stated `min` (or `max`), and
pass the threshold with it. No reading may be stated lower than the edges show: they are a part of the data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Final

_FULL: Final = 100_000_000
_MOST_EDGES: Final = 400
"""As many as the writer gives: more could keep the checker at work for hours."""
_READINGS: Final = ("control", "effective", "single_owner")
_VERDICTS: Final = ("proved", "possible", "refuted", "unknown")


@dataclass(frozen=True, slots=True)
class Edge:
    """A stake in a proof.

    Attributes:
        min: Least share in millionths of a percent.
        max: Greatest share.
        country: Only where the holder is a restricted holder: the country for which it counts as one.
    """

    holder: str
    held: str
    min: int
    max: int
    since: str | None = None
    source: str | None = None
    country: str | None = None


class _ProofError(ValueError):
    """Says in a sentence what is wrong with an `ownership` object."""


@dataclass(frozen=True, slots=True)
class _Stated:
    verdict: str
    min: int
    max: int


@dataclass(frozen=True, slots=True)
class _Claim:
    entity: str
    threshold: int
    strict: bool
    complete: bool
    readings: Mapping[str, _Stated]
    edges: tuple[Edge, ...]

    def passes(self, share: Fraction | int) -> bool:
        return share > self.threshold if self.strict else share >= self.threshold


def check(ownership: Mapping[str, object]) -> str | None:
    """Check the `ownership` object of a decision against its own proof.

    Returns:
        None when it holds; otherwise a sentence that names what is wrong.
    """
    try:
        claim = _read(ownership)
        for name in _READINGS:
            _check_verdict(name, claim)
        _check_against_edges(claim)
    except _ProofError as fault:
        return str(fault)
    return None


def _check_verdict(name: str, claim: _Claim) -> None:
    """Compare a verdict with its own numbers; these are rounded outwards by less than 1 for `effective`."""
    stated = claim.readings[name]
    slack = 1 if name == "effective" else 0
    surely_over, maybe_over = claim.passes(stated.min), claim.passes(stated.min + slack)
    surely_possible, maybe_possible = claim.passes(stated.max - slack), claim.passes(stated.max)
    agrees = {
        "proved": maybe_over,
        "possible": maybe_possible and not surely_over,
        "refuted": not surely_possible,
        "unknown": (stated.min, stated.max) == (0, _FULL),
    }
    if not agrees[stated.verdict]:
        raise _ProofError(
            f"{name}: {stated.min}..{stated.max} against {claim.threshold} is not {stated.verdict}"
        )


def _check_against_edges(claim: _Claim) -> None:
    shown: dict[str, list[int] | list[Fraction]] = {
        "control": [_control(claim, side) for side in (0, 1)],
        "effective": [_effective(claim, side) * _FULL for side in (0, 1)],
        "single_owner": [_single_owner(claim, side) for side in (0, 1)],
    }
    for name in _READINGS:
        _check_bounds(name, claim.readings[name], shown[name][0], shown[name][1])
    verdicts = {claim.readings[name].verdict for name in _READINGS}
    if not verdicts & {"proved", "possible"}:
        return
    strongest, side = ("proved", 0) if "proved" in verdicts else ("possible", 1)
    named = [name for name in _READINGS if claim.readings[name].verdict == strongest]
    if not claim.edges:
        raise _ProofError(f"{named[0]}: is {strongest}, but there is no proof")
    for name in named if claim.complete else named[:1]:
        share = shown[name][side]
        if not claim.passes(share):
            raise _ProofError(
                f"{name}: the proof shows {floor(share)}, which does not pass {claim.threshold}"
            )
        if claim.complete:
            _check_equal(name, claim.readings[name], share, side)


def _check_bounds(name: str, stated: _Stated, least: Fraction | int, greatest: Fraction | int) -> None:
    if floor(least) > stated.min:
        raise _ProofError(f"{name}: min is {stated.min}, but the proof shows {floor(least)}")
    if ceil(greatest) > stated.max:
        raise _ProofError(f"{name}: max is {stated.max}, but the proof shows {ceil(greatest)}")


def _check_equal(name: str, stated: _Stated, share: Fraction | int, side: int) -> None:
    if side == 0 and floor(share) != stated.min:
        raise _ProofError(f"{name}: min is {stated.min}, but the proof shows {floor(share)}")
    if side == 1 and ceil(share) != stated.max:
        raise _ProofError(f"{name}: max is {stated.max}, but the proof shows {ceil(share)}")


def _share(edge: Edge, side: int) -> int:
    return edge.max if side else edge.min


def _roots(claim: _Claim) -> list[str]:
    return sorted({edge.holder for edge in claim.edges if edge.country is not None})


def _held_by(claim: _Claim, owners: Iterable[str], side: int) -> int:
    """Sum what the owners and all that they control hold of the entity: repeat until nothing is added."""
    members = set(owners)
    while True:
        sums: dict[str, int] = {}
        for edge in claim.edges:
            if edge.holder in members:
                sums[edge.held] = sums.get(edge.held, 0) + _share(edge, side)
        added = {held for held, share in sums.items() if claim.passes(min(share, _FULL))} - members
        if not added:
            return min(sums.get(claim.entity, 0), _FULL)
        members |= added


def _control(claim: _Claim, side: int) -> int:
    return _held_by(claim, _roots(claim), side)


def _single_owner(claim: _Claim, side: int) -> int:
    return max((_held_by(claim, [root], side) for root in _roots(claim)), default=0)


def _effective(claim: _Claim, side: int) -> Fraction:
    """Solve x = min(1, A x + b) for the companies that restricted holders reach; `x` of the others is 0."""
    roots = set(_roots(claim))
    reached = {edge.held for edge in claim.edges if edge.holder in roots and _share(edge, side) > 0}
    while more := {e.held for e in claim.edges if e.holder in reached - roots and _share(e, side)} - reached:
        reached |= more
    rows: dict[str, dict[str | None, Fraction]] = {company: {} for company in reached}
    for edge in claim.edges:
        if edge.held in reached and (edge.holder in roots or edge.holder in reached):
            row = rows[edge.held]
            party = None if edge.holder in roots else edge.holder
            row[party] = row.get(party, Fraction(0)) + Fraction(_share(edge, side), _FULL)
    if claim.entity not in rows:
        return Fraction(0)
    capped = {company for company, row in rows.items() if sum(row.values()) > 1}
    while True:
        values = _solved(rows, capped)
        below = {c for c in capped if sum(share * values[party] for party, share in rows[c].items()) < 1}
        if not below:
            return values[claim.entity]
        capped -= below


def _solved(
    rows: Mapping[str, Mapping[str | None, Fraction]], capped: set[str]
) -> dict[str | None, Fraction]:
    """Eliminate one company after the other, then go back; key None and capped companies are worth 1."""
    known: dict[str | None, Fraction] = {None: Fraction(1), **dict.fromkeys(capped, Fraction(1))}
    work = {company: dict(row) for company, row in rows.items() if company not in capped}
    order = sorted(work)
    for place, company in enumerate(order):
        row = work[company]
        own = row.pop(company, Fraction(0))
        if own >= 1:
            raise _ProofError(f"{company}: the edges give it more than all of its shares")
        work[company] = row = {party: share / (1 - own) for party, share in row.items()}
        for later in order[place + 1 :]:
            weight = work[later].pop(company, None)
            if weight is not None:
                for party, share in row.items():
                    work[later][party] = work[later].get(party, Fraction(0)) + weight * share
    for company in reversed(order):
        known[company] = sum((share * known[party] for party, share in work[company].items()), Fraction(0))
    return known


def _read(ownership: Mapping[str, object]) -> _Claim:
    entity, threshold = ownership.get("entity"), _integer(ownership, "threshold", "threshold")
    strict, complete = ownership.get("strict", True), ownership.get("proof_complete", True)
    if not isinstance(entity, str) or not entity:
        raise _ProofError("entity: is not an id")
    if not isinstance(strict, bool) or not isinstance(complete, bool):
        raise _ProofError("strict and proof_complete: are not true or false")
    proof = ownership.get("proof")
    if not isinstance(proof, list):
        raise _ProofError("proof: is not a list")
    if len(proof) > _MOST_EDGES:
        raise _ProofError(f"proof: has more than {_MOST_EDGES} edges")
    edges = tuple(_edge(item, f"proof[{place}]") for place, item in enumerate(proof))
    countries: dict[str, str | None] = {}
    for edge in edges:
        if countries.setdefault(edge.holder, edge.country) != edge.country:
            raise _ProofError(f"proof: the edges of {edge.holder} disagree on its country")
    readings = {name: _stated(ownership.get(name), name) for name in _READINGS}
    return _Claim(entity, threshold, strict, complete, readings, edges)


def _stated(item: object, place: str) -> _Stated:
    if not isinstance(item, Mapping):
        raise _ProofError(f"{place}: is not an object")
    verdict, least, greatest = item.get("verdict"), _integer(item, "min", place), _integer(item, "max", place)
    if verdict not in _VERDICTS:
        raise _ProofError(f"{place}: verdict {verdict!r} is not one of {', '.join(_VERDICTS)}")
    if least > greatest:
        raise _ProofError(f"{place}: min {least} is more than max {greatest}")
    return _Stated(str(verdict), least, greatest)


def _edge(item: object, place: str) -> Edge:
    if not isinstance(item, Mapping):
        raise _ProofError(f"{place}: is not an object")
    holder, held = item.get("holder"), item.get("held")
    if not isinstance(holder, str) or not isinstance(held, str):
        raise _ProofError(f"{place}: holder and held are not ids")
    texts = [item.get(key) for key in ("since", "source", "country")]
    if not all(text is None or isinstance(text, str) for text in texts):
        raise _ProofError(f"{place}: since, source or country is not text")
    least, greatest = _integer(item, "min", place), _integer(item, "max", place)
    if least > greatest:
        raise _ProofError(f"{place}: min {least} is more than max {greatest}")
    since, source, country = (None if text is None else str(text) for text in texts)
    return Edge(holder, held, least, greatest, since, source, country)


def _integer(item: Mapping[str, object], key: str, place: str) -> int:
    value = item.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _FULL:
        raise _ProofError(f"{place}: {key} {value!r} is not an integer within 0..{_FULL}")
    return value
