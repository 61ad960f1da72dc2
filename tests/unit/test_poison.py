"""When malformed records are too many."""

import pytest

from stream_enforcer.kafka.changelog import Restored
from stream_enforcer.kafka.partition import Partition, Terms
from stream_enforcer.kafka.poison import PoisonCounter
from stream_enforcer.settings import Poison
from tests.builders import KINDS, ClientRecord, client_record, record, usage, world

WORLD = world()


def storm(counter: PoisonCounter, sequence: str) -> tuple[int, str] | None:
    """Count a sequence of `.` (well-formed) and `x`; tell the place and the text of the limit it reaches."""
    for place, sign in enumerate(sequence):
        if sign == ".":
            counter.well_formed(1)
        elif (told := counter.malformed()) is not None:
            return place, told
    return None


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("xx", None),
        ("xxx", (2, "3 in a row")),
        ("xx.xx.xx", None),
        ("x.x.xxx", (6, "3 in a row")),
    ],
)
def test_so_many_in_a_row_are_too_many_and_a_well_formed_one_between_resets_them(
    sequence: str, expected: tuple[int, str] | None
) -> None:
    limits = Poison(max_consecutive=3, max_ratio_percent=100, window=4)
    assert storm(PoisonCounter(limits), sequence) == expected


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("xx", None),
        ("xxx", (2, "3 of the last 3")),
        ("x.x.x.x.x.x.", None),
        ("xx..xx..", None),
        ("xx..xx.x", (7, "3 of the last 4")),
    ],
)
def test_more_than_their_share_of_the_window_is_too_many(
    sequence: str, expected: tuple[int, str] | None
) -> None:
    limits = Poison(max_consecutive=100, max_ratio_percent=50, window=4)
    assert storm(PoisonCounter(limits), sequence) == expected


def test_no_well_formed_records_between_reset_nothing() -> None:
    counter = PoisonCounter(Poison(max_consecutive=2))
    assert counter.malformed() is None
    counter.well_formed(0)
    assert counter.malformed() == "2 in a row"


def partition(limits: Poison) -> Partition:
    terms = Terms(KINDS, "transitions", "enforcer", limits)
    return Partition(0, terms, WORLD, Restored())


def bad(offset: int, topic: str = "usage") -> ClientRecord:
    return ClientRecord(topic, 0, offset, 0, 0, b"a", b"{", ())


def good(offset: int) -> ClientRecord:
    return client_record(record(usage(), offset=offset))


def test_a_partition_takes_nothing_after_the_record_that_reaches_the_limit() -> None:
    part = partition(Poison(max_consecutive=2))
    part.take("usage", [good(0), bad(4), bad(7), good(8), bad(9)], now_ms=0)
    assert part.storm == "2 in a row in usage"
    assert part.expected("usage") == 8
    assert (dict(part.pending.records), len(part.pending.dead_letters)) == ({"usage": 3}, 2)


def test_well_formed_records_at_the_end_of_a_chunk_are_counted() -> None:
    part = partition(Poison(max_consecutive=2))
    part.take("usage", [bad(0), good(1)], now_ms=0)
    part.take("usage", [bad(2), good(3), bad(4)], now_ms=0)
    assert part.storm is None
    part.take("usage", [bad(5)], now_ms=0)
    assert part.storm == "2 in a row in usage"


def test_a_healthy_topic_does_not_hide_the_storm_in_another() -> None:
    part = partition(Poison(max_consecutive=2))
    for offset in range(2):
        part.take("signups", [bad(offset, "signups")], now_ms=0)
        part.take("usage", [good(offset)], now_ms=0)
    assert part.storm == "2 in a row in signups"


def test_what_is_dropped_is_counted_anew() -> None:
    part = partition(Poison(max_consecutive=2))
    part.take("usage", [bad(0), bad(1)], now_ms=0)
    part.drop()
    assert part.storm is None
    part.take("usage", [bad(0)], now_ms=0)
    assert part.storm is None
