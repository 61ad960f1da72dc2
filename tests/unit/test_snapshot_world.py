"""A snapshot in the place of ownership files."""

import json
from pathlib import Path

import pytest

from stream_enforcer.domain.ownership.graph import Stake
from stream_enforcer.domain.ownership.resolve import Claim, Match
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.ownership import load_ownership, read_ownership
from stream_enforcer.reference.world_files import load_world
from stream_enforcer.snapshot.building import build
from tests.bods_builders import entity
from tests.ownership_builders import PERCENT, company
from tests.snapshot_builders import native

COMPANIES = [company("CN"), company("T")]
STAKES = [Stake("s1", "CN", "T", 60 * PERCENT, 60 * PERCENT), Stake("s2", "X", "T", 1, 1)]


def test_a_world_of_a_snapshot_is_the_world_of_its_files(tmp_path: Path) -> None:
    source, target = tmp_path / "o.jsonl", tmp_path / "o.snapshot"
    source.write_text(native(COMPANIES, STAKES, "2026-01-01"), encoding="utf-8")
    build([source], target)
    memory, mapped = (load_world(None, [], [path]) for path in (source, target))
    assert mapped.world.reference == memory.world.reference
    assert mapped.world.reference_hash == memory.world.reference_hash
    assert mapped.world.assess("T", "2026-01-01") == memory.world.assess("T", "2026-01-01")
    claim = Claim(name="T", country="GB")
    assert mapped.world.resolve(claim).match == Match("T", "name", 100, ("same-words", "country-agrees"))
    assert memory.world.resolve(claim) == mapped.world.resolve(claim)
    assert mapped.dangling == memory.dangling == 1


def test_a_snapshot_tells_of_its_sources_and_of_their_faults(tmp_path: Path) -> None:
    source, target = tmp_path / "b.json", tmp_path / "s"
    source.write_text(json.dumps([entity("a", name="A"), {"recordType": "entity"}]), encoding="utf-8")
    build([source], target)
    (memory,), (mapped,) = (read_ownership([path]).reports for path in (source, target))
    assert (mapped.path, mapped.reasons, mapped.unit) == ("b.json", memory.reasons, "item")
    assert mapped.faults
    with pytest.raises(BadReference, match="was built from files with faults"):
        load_ownership([target], strict=True)
