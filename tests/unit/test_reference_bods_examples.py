"""The standard's own examples and a real register. The shared data are not part of the project."""

import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stream_enforcer.domain.ownership.graph import FULL, Stake
from stream_enforcer.domain.ownership.semantics import Question, Reading, assess
from stream_enforcer.reference.ownership import load_ownership, read_ownership

SHARED = os.environ.get("STREAM_ENFORCER_SHARED_DATA")
DAY = "2026-05-01"


def shared(*parts: str) -> Path:
    if SHARED is None:
        pytest.skip("STREAM_ENFORCER_SHARED_DATA is not set")
    path = Path(SHARED).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"there is no {'/'.join(parts)} in the shared data")
    return path


def test_the_finnish_state_company_is_held_by_its_state_to_exactly_all() -> None:
    graph = load_ownership([shared("bods-0.4-examples", "examples", "bods-package-fi-soe.json")])
    finding = assess(graph, "19f1c5afe9d7", DAY, Question(frozenset({"FI"})))
    everything = Reading("proved", FULL, FULL)
    assert (finding.control, finding.effective, finding.single_owner) == (everything, everything, everything)
    assert finding.coverage == FULL
    assert graph.as_of == "2022-04-01"


def test_a_history_of_updates_leaves_the_last_state_of_each_record() -> None:
    graph = load_ownership([shared("bods-0.4-examples", "examples", "tecido.json")])
    stakes: list[Stake] = [stake for stake in graph.stakes_in("01B68D7633") if stake.active(DAY)]
    assert [(stake.holder, stake.min) for stake in stakes] == [("033E84672B", 80_000_000)]


@pytest.mark.parametrize("folder", ["bods-0.2.0-examples", "bods-0.3.0-examples", "bods-0.4-examples"])
def test_all_examples_of_the_standard_are_read_without_a_fault(folder: str) -> None:
    for path in sorted(shared(folder).rglob("*.json")):
        (report,) = read_ownership([path], strict=True).reports
        unused = sum(reason.count for reason in report.reasons if reason.kind == "passed over")
        assert (report.format, report.read) == ("BODS", report.used + unused), path
        assert report.read > 0, path


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_real_register_says_the_same_packed_and_as_an_array(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    plain = shared("bods-real-bp", "00102498.jsonl")
    lines, array = tmp_path / "lines", tmp_path / "array"
    lines.write_bytes(pack(plain.read_bytes()))
    array.write_bytes(pack(b"[" + b",".join(plain.read_bytes().splitlines()) + b"]"))
    first, *others = (read_ownership([path]) for path in (plain, lines, array))
    assert len(first.graph.entities) == 136
    for other in others:
        assert other.graph.entities == first.graph.entities
        assert other.skipped == first.skipped
        held = first.graph.entities
        assert [*map(other.graph.stakes_in, held)] == [*map(first.graph.stakes_in, held)]


def test_a_real_register_answers_for_every_company() -> None:
    graph = load_ownership([shared("bods-real-bp", "00102498.jsonl")])
    findings = [assess(graph, entity, DAY, Question(frozenset({"GB"}))) for entity in graph.entities]
    assert len(findings) == 136
    assert sum(finding.control.verdict == "proved" for finding in findings) > 60
