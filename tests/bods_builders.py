"""Statements of the Beneficial Ownership Data Standard, for tests."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stream_enforcer.domain.ownership.graph import Entity, Stake
from stream_enforcer.reference.bods import BodsReader
from stream_enforcer.reference.json_objects import json_objects
from stream_enforcer.reference.packed import opened
from stream_enforcer.reference.reading import Reading
from stream_enforcer.reference.report import Origin, Tally, skipped


class BodsReading(NamedTuple):
    """What was read, and what was counted."""

    entities: Sequence[Entity]
    stakes: Sequence[Stake]
    as_of: str | None
    statements: int
    skipped: Mapping[str, int]


Read = Callable[..., BodsReading]


def entity(record: str, **details: Any) -> dict[str, Any]:
    details = {"entityType": {"type": "registeredEntity"}, "name": record.upper(), **details}
    return {"recordId": record, "recordType": "entity", "recordDetails": details}


def relationship(holder: Any, held: Any, *interests: dict[str, Any], **statement: Any) -> dict[str, Any]:
    return {
        "recordId": f"{holder}-{held}",
        "statementId": f"st-{holder}-{held}",
        "recordType": "relationship",
        "recordDetails": {"subject": held, "interestedParty": holder, "interests": list(interests)},
        **statement,
    }


def shareholding(share: object = None, **more: Any) -> dict[str, Any]:
    return {"type": "shareholding", "share": share, **more}


def read_bods(paths: Sequence[Path]) -> BodsReading:
    said = Reading()
    bods, tallies = BodsReader(said), [Tally(str(path), "BODS") for path in paths]
    for path, tally in zip(paths, tallies, strict=True):
        with opened(path) as stream:
            for place, statement in json_objects(stream, tally):
                tally.read += 1
                bods.statement(statement, Origin(tally, place))
    bods.end()
    return BodsReading(
        tuple(said.entities.values()),
        tuple(said.stakes.values()),
        bods.as_of,
        sum(tally.read for tally in tallies),
        skipped(tally.report() for tally in tallies),
    )


def reader(folder: Path) -> Read:
    """Return what writes statements to a file in the folder and reads it."""

    def written(*statements: object) -> BodsReading:
        path = folder / "bods.json"
        path.write_text(json.dumps(statements), encoding="utf-8")
        return read_bods([path])

    return written


def bands(reading: BodsReading) -> list[tuple[str, str, int, int]]:
    return [(stake.holder, stake.held, stake.min, stake.max) for stake in reading.stakes]
