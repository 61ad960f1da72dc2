"""Small ownership networks as native files and as snapshots, for tests."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from stream_enforcer.domain.ownership.graph import (
    FULL,
    Entity,
    Identifiers,
    Listing,
    OwnershipGraph,
    Stake,
)
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.semantics import assess
from stream_enforcer.snapshot.building import Ask, build
from stream_enforcer.snapshot.graph import Snapshot
from tests.ownership_builders import CN, DAY, company

PARTIES = ("T", "A", "B", "C", "CN1", "CN2", "S", "P", "D1", "D2")
"""Companies of Great Britain and China, a state, a natural person, and two of which there is no record."""
RECORDED = PARTIES[:-2]
DAYS = ("2025-12-31", "2026-01-01", "2026-05-01", "2026-12-31")
NAMES = (
    "Acme",
    "ACME Ltd.",
    "Mercury GmbH",
    "\u041e\u041e\u041e \u0420\u043e\u0433\u0430",
    "Ltd",
    "A.B & C",
    "Akme AG",
    "Good Will",
)
DOMAINS = ("acme.example", "www.Acme.example", "b.example")

_days = st.none() | st.sampled_from(DAYS)
_countries = st.none() | st.sampled_from(["CN", "GB", "US"])


def shares(*, exact: bool = False) -> st.SearchStrategy[int]:
    """Draw a share; often one whose sums and products meet the thresholds."""
    usual = st.sampled_from([0, 1, 10, 25, 30, 50, 51, 60, 75, 99, 100]).map(lambda s: s * FULL // 100)
    return usual if exact else usual | st.integers(0, FULL)


@st.composite
def stakes(draw: st.DrawFn, parties: tuple[str, ...] = PARTIES, max_size: int = 14) -> list[Stake]:
    """Any stakes: rings, stakes in itself, sums over 100 %, bands, dates, several of one holder."""
    pairs = draw(st.lists(st.tuples(st.sampled_from(parties), st.sampled_from(parties)), max_size=max_size))
    exact, dated = draw(st.booleans()), draw(st.booleans())
    ids = draw(st.permutations(range(len(pairs))))
    found = []
    for number, (holder, held) in zip(ids, pairs, strict=True):
        least, greatest = sorted((draw(shares(exact=exact)), draw(shares(exact=exact))))
        since, until = sorted(((draw(_days), draw(_days)) if dated else (None, None)), key=lambda d: d or "")
        source = draw(st.none() | st.sampled_from(["register", "\u767b\u8a18"]))
        name = f"stake of the very same beginning {number}" if exact else f"s{number}"
        found.append(Stake(name, holder, held, least, least if exact else greatest, since, until, source))
    return found


@st.composite
def entities(draw: st.DrawFn) -> list[Entity]:
    """The parties of which there are records, with all that an entity can have."""
    return [_entity(draw, name) for name in RECORDED]


def _entity(draw: st.DrawFn, name: str) -> Entity:
    kind = {"P": "person", "S": "state"}.get(name, "company")
    dates = sorted((draw(_days), draw(_days)), key=lambda d: d or "")
    return Entity(
        id=name,
        name=draw(st.sampled_from(NAMES)),
        type=kind,  # type: ignore[arg-type]  # one of the kinds
        country="CN" if name.startswith("CN") else draw(_countries),
        headquarters=None if name.startswith("CN") else draw(_countries),
        aliases=tuple(draw(st.lists(st.sampled_from(NAMES), max_size=2))),
        identifiers=Identifiers(
            draw(st.sampled_from([None, None, "LEI1", "lei2"])),
            draw(st.sampled_from([None, None, "7", "8"])),
            draw(st.sampled_from([None, *DOMAINS])),
        ),
        listings=(Listing("military", None, *dates),) if draw(st.booleans()) else (),
    )


def per_cent(share: int) -> str:
    """Write millionths of a percent as per cent."""
    return f"{share // 1_000_000}.{share % 1_000_000:06d}"


def native(entities: Iterable[Entity], stakes: Iterable[Stake], as_of: str | None = None) -> str:
    """Write records as native JSON Lines."""
    lines: list[dict[str, Any]] = [] if as_of is None else [{"kind": "snapshot", "as_of": as_of}]
    for entity in entities:
        ids = entity.identifiers
        lines.append(
            {
                "kind": "entity",
                "id": entity.id,
                "name": entity.name,
                "type": entity.type,
                "country": entity.country,
                "headquarters": entity.headquarters,
                "aliases": list(entity.aliases),
                "identifiers": {
                    "lei": ids.lei,
                    "registration_number": ids.registration_number,
                    "domain": ids.domain,
                },
                "listings": [
                    {"topic": part.topic, "program": part.program, "since": part.since, "until": part.until}
                    for part in entity.listings
                ],
                "same_as": list(entity.same_as),
            }
        )
    for stake in stakes:
        band = {"share_min": per_cent(stake.min), "share_max": per_cent(stake.max)}
        dates = {"since": stake.since, "until": stake.until}
        lines.append(
            {
                "kind": "stake",
                "id": stake.id,
                "holder": stake.holder,
                "held": stake.held,
                **band,
                **dates,
                "source": stake.source,
            }
        )
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def in_memory(entities: Iterable[Entity], stakes: Iterable[Stake]) -> OwnershipGraph:
    """Build the same graph in memory."""
    return OwnershipGraph.build(entities, stakes, hash="h")


def snapshot_of(
    folder: Path, entities: Iterable[Entity], stakes: Iterable[Stake], ask: Ask | None = None
) -> Snapshot:
    """Build a snapshot of records and open it."""
    source, target = folder / "records.jsonl", folder / "o.snapshot"
    source.write_text(native(entities, stakes), encoding="utf-8")
    build([source], target, ask)
    return Snapshot(target)


def snapshot(folder: Path, held: list[Stake], question: Question = CN) -> Snapshot:
    """Build a snapshot of stakes, and compare its verdicts of all companies with those of the exact code."""
    names = sorted({party for stake in held for party in (stake.holder, stake.held)})
    companies = [*map(company, names)]
    memory = in_memory(companies, held)
    made = snapshot_of(folder, companies, held, Ask(question, DAY))
    for name in names:
        finding = assess(memory, name, DAY, question)
        expected = tuple(r.verdict for r in (finding.control, finding.effective, finding.single_owner))
        assert made.verdicts(name, DAY, question) == expected, name
    return made
