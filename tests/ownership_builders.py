"""Small ownership graphs from a short notation, for tests."""

import re
from collections.abc import Iterable, Mapping

from stream_enforcer.domain.ownership import to_json
from stream_enforcer.domain.ownership.graph import Entity, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.resolve import Match
from stream_enforcer.domain.ownership.semantics import Finding, Question, assess

DAY = "2026-05-01"
CN = Question(restricted=frozenset({"CN"}))
PERCENT = 1_000_000


def stakes(notation: Iterable[str]) -> list[Stake]:
    """Read "A 60 -> T" or "A 33-50 -> T", the shares in whole per cent."""
    found = []
    for number, text in enumerate(notation):
        parts = re.fullmatch(r"(\w+) (\d+)(?:-(\d+))? -> (\w+)", text)
        assert parts is not None, text
        holder, least, greatest, held = parts.groups()
        band = int(least) * PERCENT, int(greatest or least) * PERCENT
        found.append(Stake(f"s{number:04}", holder, held, *band))
    return found


def company(name: str, country: str | None = None) -> Entity:
    """Return a company; without a country, one whose name begins with CN is of China, others of Great Britain."""
    return Entity(name, name, "company", country or ("CN" if name.startswith("CN") else "GB"))


def graph(*notation: str, others: Iterable[Entity] = (), extra: Iterable[Stake] = ()) -> OwnershipGraph:
    """Build a graph of the companies in the notation; `others` replace them or come on top."""
    found = [*stakes(notation), *extra]
    names = sorted({party for stake in found for party in (stake.holder, stake.held)})
    return OwnershipGraph.build([*map(company, names), *others], found, hash="test")


def assessed(*notation: str, entity: str = "T", question: Question = CN) -> Finding:
    """Assess an entity of a graph in short notation."""
    return assess(graph(*notation), entity, DAY, question)


def decision_object(finding: Finding, question: Question = CN) -> Mapping[str, object]:
    """Return the `ownership` object that a decision would have."""
    return to_json(finding, Match(finding.entity, "identifier", 100), question)
