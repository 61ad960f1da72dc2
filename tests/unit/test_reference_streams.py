"""What readers give at once is taken back when a later statement says otherwise, in memory and in a snapshot."""

import json
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.domain.ownership.graph import OwnershipGraph, Stake
from stream_enforcer.reference.derived import Fate, Holdings
from stream_enforcer.reference.ownership import OwnershipFiles, read_ownership
from stream_enforcer.snapshot.building import build
from stream_enforcer.snapshot.graph import Snapshot
from tests import bods_builders as bods
from tests import gleif_builders as gleif
from tests.identity_builders import native_entity, written

P, Q = gleif.lei("P"), gleif.lei("Q")


def read(folder: Path, **said: list[Any]) -> OwnershipFiles:
    """Read what publications say, and see that a snapshot says the same."""
    paths = written(folder, said)
    memory = read_ownership(paths)
    header = build(paths, folder / "snapshot")
    mapped = Snapshot(folder / "snapshot").graph
    assert list(mapped.entities.items()) == list(memory.graph.entities.items())
    assert set(mapped.stakes()) == set(memory.graph.stakes())
    assert [(source.read, source.used) for source in header.sources] == [
        (report.read, report.used) for report in memory.reports
    ]
    return memory


def bands(graph: OwnershipGraph) -> dict[str, tuple[int, int]]:
    return {stake.id: (stake.min, stake.max) for stake in graph.stakes()}


def test_a_record_that_becomes_another_thing_is_that_alone(tmp_path: Path) -> None:
    holding = {**bods.relationship("b", "c", bods.shareholding({"exact": 1})), "recordId": "a"}
    company = bods.entity("a")
    graph = read(tmp_path, bods=[company, holding]).graph
    assert (list(graph.entities), list(bands(graph))) == ([], ["a"])
    graph = read(tmp_path, bods=[holding, company]).graph
    assert (list(graph.entities), list(bands(graph))) == (["a"], [])


def test_a_record_that_loses_interests_loses_their_stakes(tmp_path: Path) -> None:
    both = bods.relationship("a", "b", *(bods.shareholding({"exact": share}) for share in (1, 2)))
    one = bods.relationship("a", "b", bods.shareholding({"exact": 3}))
    indirect = bods.relationship("a", "b", bods.shareholding({"exact": 4}, directOrIndirect="indirect"))
    assert bands(read(tmp_path, bods=[both, one]).graph) == {"a-b": (3_000_000, 3_000_000)}
    assert list(bands(read(tmp_path, bods=[one, both]).graph)) == ["a-b#0", "a-b#1"]
    assert bands(read(tmp_path, bods=[one, indirect]).graph) == {"a-b": (4_000_000, 4_000_000)}
    assert bands(read(tmp_path, bods=[indirect, one]).graph) == {"a-b": (3_000_000, 3_000_000)}
    broken = bods.relationship("a", "b", bods.shareholding({"exact": "much"}))
    assert bands(read(tmp_path, bods=[one, broken]).graph) == {}


def test_a_record_that_is_replaced_by_name_is_gone_wherever_that_is_said(tmp_path: Path) -> None:
    records = [bods.entity("a"), bods.relationship("a", "b", bods.shareholding({"exact": 1}))]
    replacing = {**bods.entity("c"), "replacesStatements": ["a", "a-b"]}
    for statements in ([replacing, *records], [*records, replacing]):
        found = read(tmp_path, bods=statements)
        assert (list(found.graph.entities), bands(found.graph)) == (["c"], {})
        assert found.skipped == {"statement that a later one replaces": 2}


def test_a_withdrawn_lei_record_is_gone_and_comes_back(tmp_path: Path) -> None:
    annulled = gleif.company("P", Registration_RegistrationStatus="ANNULLED")
    assert list(read(tmp_path, lei=[gleif.company("P"), annulled]).graph.entities) == []
    records = [gleif.company("P", "GB"), gleif.company("Q"), annulled, gleif.company("P", "CN")]
    found = read(tmp_path, lei=records).graph.entities
    assert [(entity.id, entity.country) for entity in found.values()] == [(Q, "GB"), (P, "CN")]


def test_a_withdrawn_record_is_no_answer_where_only_stakes_know_the_company(tmp_path: Path) -> None:
    annulled = gleif.company("P", Registration_RegistrationStatus="ANNULLED")
    found = read(tmp_path, lei=[gleif.company("P"), annulled], parents=[gleif.parent("P", "Q")])
    assert found.dangling == 2


def test_a_later_record_of_a_relationship_decides_what_sums_it_up(tmp_path: Path) -> None:
    chain = [gleif.parent("P", "R"), gleif.parent("R", "Q"), gleif.parent("P", "Q", gleif.ULTIMATE)]
    assert len(bands(read(tmp_path, parents=chain).graph)) == 2
    ended = gleif.parent("R", "Q", until="2021-01-01")
    assert len(bands(read(tmp_path, parents=[*chain, ended]).graph)) == 3
    gone = gleif.parent("R", "Q", registration="ANNULLED")
    assert len(bands(read(tmp_path, parents=[*chain, gone]).graph)) == 2


def test_publications_replace_each_other_in_one_order_whatever_that_of_the_files(tmp_path: Path) -> None:
    ftm = {"id": P, "schema": "Company", "properties": {"name": ["ftm"]}}
    said: list[tuple[str, list[Any]]] = [
        ("bods", [bods.entity(P, name="bods")]),
        ("lei", [{**gleif.company("P"), "Entity.LegalName": "gleif"}]),
        ("ftm", [ftm]),
        ("native", [native_entity(P, name="native")]),
    ]
    for last in range(1, 5):
        graph = read(tmp_path, **dict(said[:last])).graph
        assert graph.entities[P].name == ("bods", "gleif", "ftm", "native")[last - 1]


def test_each_file_is_told_of_its_own_statements(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.json", "b.json")]
    faulty = bods.relationship("a", "b", bods.shareholding({"exact": "much"}))
    paths[0].write_text(json.dumps([bods.entity("a"), faulty]), encoding="utf-8")
    paths[1].write_text(json.dumps([{**faulty, "recordId": "x"}, bods.entity("b")]), encoding="utf-8")
    reports = read_ownership(paths).reports
    assert [(report.used, [(r.count, r.first) for r in report.reasons]) for report in reports] == [
        (1, [(1, 1)]),
        (1, [(1, 0)]),
    ]


def rows(*given: tuple[str, str, int, str | None, str | None, bool]) -> list[Fate]:
    """Return what becomes of the last of some rows, which is indirect."""
    holdings = Holdings()
    for number, (holder, held, share, since, until, indirect) in enumerate(given):
        holdings.add(Stake(f"s{number}", holder, held, share, share, since, until), indirect=indirect)
    return [fate for row, fate in holdings.fates() if row == len(given) - 1]


@pytest.mark.parametrize(
    ("middle", "fate"),
    [
        ((5, None, None), "sums up others"),
        ((5, "2020-01-01", "2030-01-01"), "sums up others"),
        ((5, "2020-01-02", None), "may overlap"),
        ((5, None, "2029-12-31"), "may overlap"),
        ((0, None, None), "may overlap"),
    ],
)
def test_a_total_sums_up_rows_of_some_share_that_last_as_long(
    middle: tuple[int, str | None, str | None], fate: Fate
) -> None:
    total = ("a", "t", 5, "2020-01-01", "2030-01-01", True)
    assert rows(("a", "b", *middle, False), ("b", "t", 5, None, None, False), total) == [fate]
    assert rows(("a", "b", 5, None, None, False), ("b", "t", *middle, False), total) == [fate]


@pytest.mark.parametrize(
    ("middle", "fate"), [((None, None), "sums up others"), (("2020-01-01", None), "may overlap")]
)
def test_a_total_without_days_sums_up_rows_without_days(
    middle: tuple[str | None, str | None], fate: Fate
) -> None:
    total = ("a", "t", 5, None, None, True)
    assert rows(("a", "b", 5, *middle, False), ("b", "t", 5, None, None, False), total) == [fate]


def test_a_row_is_given_back_as_it_was() -> None:
    holdings = Holdings()
    for days in ((None, None), ("0987-06-05", "2021-12-31")):
        row = holdings.add(Stake("s", "a", "b", 1, 1, *days), indirect=True)
        assert holdings.of(row) == ("a", "b", days)
