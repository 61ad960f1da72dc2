from pathlib import Path
from typing import Any

import pytest

from tests.bods_builders import Read, bands, reader, relationship, shareholding


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path)


def direct(holder: str, held: str, share: int, **more: Any) -> dict[str, Any]:
    return relationship(holder, held, shareholding({"exact": share}, directOrIndirect="direct", **more))


def total(holder: str, held: str, share: int, key: str = "directOrIndirect") -> dict[str, Any]:
    interest = shareholding({"exact": share}, startDate="2020-01-01", **{key: "indirect"})
    return {**relationship(holder, held, interest), "recordId": "total"}


@pytest.mark.parametrize("key", ["directOrIndirect", "interestLevel"])
def test_an_indirect_row_is_not_added_to_the_rows_that_it_sums_up(read: Read, key: str) -> None:
    reading = read(direct("a", "b", 80), direct("b", "t", 75), total("a", "t", 60, key))
    assert bands(reading) == [("a", "b", 80_000_000, 80_000_000), ("b", "t", 75_000_000, 75_000_000)]
    assert reading.skipped == {"indirect row that sums up others": 1}


def test_an_indirect_row_that_may_overlap_direct_ones_proves_nothing(read: Read) -> None:
    assert bands(read(direct("b", "t", 75), total("a", "t", 60)))[1] == ("a", "t", 0, 60_000_000)
    ended = direct("a", "b", 80, endDate="2021-01-01")
    assert bands(read(ended, direct("b", "t", 75), total("a", "t", 60)))[2] == ("a", "t", 0, 60_000_000)


@pytest.mark.parametrize(
    "direct_rows",
    [
        [direct("b", "t", 75), direct("t", "b", 10)],
        [direct("a", "t", 10), direct("c", "a", 100), direct("a", "c", 100)],
    ],
)
def test_a_ring_does_not_make_an_indirect_row_derived(read: Read, direct_rows: list[dict[str, Any]]) -> None:
    assert ("a", "t", 0, 60_000_000) in bands(read(*direct_rows, total("a", "t", 60)))


def test_an_indirect_row_that_is_all_there_is_counts(read: Read) -> None:
    assert bands(read(total("a", "t", 60))) == [("a", "t", 60_000_000, 60_000_000)]


def test_a_direct_stake_of_the_same_holder_does_not_make_an_indirect_one_derived(read: Read) -> None:
    both = relationship(
        "a",
        "t",
        shareholding({"exact": 10}, directOrIndirect="direct"),
        shareholding({"exact": 20}, directOrIndirect="indirect"),
    )
    reading = read(both)
    assert bands(reading) == [("a", "t", 10_000_000, 10_000_000), ("a", "t", 0, 20_000_000)]
    assert len({stake.id for stake in reading.stakes}) == 2
