"""Laws of the limits on malformed records."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.kafka.changelog import Restored
from stream_enforcer.kafka.partition import Partition, Terms
from stream_enforcer.settings import Poison
from tests.builders import KINDS, ClientRecord, client_record, record, usage, world

WORLD = world()
limits = st.builds(
    Poison,
    max_consecutive=st.integers(1, 6),
    max_ratio_percent=st.integers(0, 100),
    window=st.integers(1, 12),
)


def first_too_many(bad: list[bool], limit: Poison) -> int | None:
    """Tell by the definition which record is the first to reach a limit."""
    for end in range(1, len(bad) + 1):
        row = bad[max(0, end - limit.max_consecutive) : end]
        in_a_row = len(row) == limit.max_consecutive and all(row)
        share = sum(bad[max(0, end - limit.window) : end])
        if bad[end - 1] and (in_a_row or share * 100 > limit.max_ratio_percent * limit.window):
            return end - 1
    return None


def client(place: int, bad: bool) -> ClientRecord:
    whole = client_record(record(usage(), offset=3 * place))
    return ClientRecord("usage", 0, 3 * place, 0, 0, b"a", b"{" if bad else whole.value, ())


@given(st.lists(st.booleans(), min_size=1, max_size=40), limits, st.sets(st.integers(1, 39)))
def test_any_split_into_chunks_stops_at_the_same_record(
    bad: list[bool], limit: Poison, cuts: set[int]
) -> None:
    part = Partition(0, Terms(KINDS, "transitions", "g", limit), WORLD, Restored())
    log = [client(place, is_bad) for place, is_bad in enumerate(bad)]
    for start, end in pairwise(sorted({0, len(log), *(cut for cut in cuts if cut < len(log))})):
        if part.storm is None:
            part.take("usage", log[start:end], now_ms=0)
    last = first_too_many(bad, limit)
    taken = len(bad) if last is None else last + 1
    assert (part.storm is None) == (last is None)
    assert part.pending.records["usage"] == taken
    assert part.expected("usage") == 3 * (taken - 1) + 1
    assert len(part.pending.dead_letters) == sum(bad[:taken])
