"""Statements of the Beneficial Ownership Data Standard, for tests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stream_enforcer.reference.bods import BodsReading, read_bods

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


def reader(folder: Path) -> Read:
    """Return what writes statements to a file in the folder and reads it."""

    def written(*statements: object) -> BodsReading:
        path = folder / "bods.json"
        path.write_text(json.dumps(statements), encoding="utf-8")
        return read_bods([path])

    return written


def bands(reading: BodsReading) -> list[tuple[str, str, int, int]]:
    return [(stake.holder, stake.held, stake.min, stake.max) for stake in reading.stakes]
