"""The order of history depends on the records alone."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.events import EventKind
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.replay.history import NEVER, Batch, Dated, Merge, Position, in_order, order

KINDS: tuple[EventKind, ...] = ("signup", "usage", "override")
Place = tuple[int, int]

histories = st.lists(
    st.lists(st.integers(NEVER, 12), max_size=25),
    min_size=1,
    max_size=5,
)
"""For each source its records' times; few different ones, so that many are equal and many go back."""


@pytest.fixture(autouse=True, params=[1, 3, order.CHUNK])
def _chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "CHUNK", request.param)


def records(history: Sequence[Sequence[int]]) -> list[list[StoredRecord]]:
    """Records whose partition is their source's rank; offsets have gaps, as behind markers."""
    return [
        [StoredRecord("t", rank, 2 * n, time, None, b"") for n, time in enumerate(times)]
        for rank, times in enumerate(history)
    ]


def expected(history: Sequence[Sequence[int]]) -> list[Place]:
    """Sort by the definition: greatest time so far, rank, offset."""
    keyed = [
        (max(times[: n + 1]), rank, 2 * n) for rank, times in enumerate(history) for n in range(len(times))
    ]
    return [(rank, offset) for _, rank, offset in sorted(keyed)]


def places(found: Sequence[Dated]) -> list[Place]:
    return [(record.partition, record.offset) for _, record in found]


def split(data: st.DataObject, whole: list[StoredRecord], kind: EventKind) -> Iterator[Batch]:
    while whole:
        size = data.draw(st.integers(1, len(whole)))
        yield Batch(kind, whole[:size])
        whole = whole[size:]


def fed(data: st.DataObject, merge: Merge, streams: list[Iterator[Batch]]) -> Iterator[list[Dated]]:
    """Feed whichever source the data picks, and take now and then."""
    left = list(range(len(streams)))
    while left:
        source = data.draw(st.sampled_from(left))
        batch = next(streams[source], None)
        if batch is None:
            merge.finish(source)
            left.remove(source)
        else:
            merge.feed(source, batch)
        if data.draw(st.booleans()):
            yield merge.take()
    while chunk := merge.take():
        yield chunk


@given(histories, st.data())
def test_no_split_into_batches_changes_the_order(history: list[list[int]], data: st.DataObject) -> None:
    streams = [split(data, whole, KINDS[n % 3]) for n, whole in enumerate(records(history))]
    found = list(in_order(streams))
    assert places(found) == expected(history)
    assert all(kind == KINDS[record.partition % 3] for kind, record in found)


@given(histories, st.data())
def test_no_arrival_changes_the_order(history: list[list[int]], data: st.DataObject) -> None:
    streams = [split(data, whole, "usage") for whole in records(history)]
    merge = Merge([Position(0, NEVER)] * len(history))
    found = [dated for chunk in fed(data, merge, streams) for dated in chunk]
    assert places(found) == expected(history)
    assert merge.behind is None


@given(histories, st.data())
def test_what_follows_a_break_comes_as_it_would_have_without(
    history: list[list[int]], data: st.DataObject
) -> None:
    streams = [split(data, whole, "usage") for whole in records(history)]
    merge = Merge([Position(0, NEVER)] * len(history))
    found: list[Dated] = []
    for chunk in fed(data, merge, streams):
        found += chunk
        if data.draw(st.booleans()):
            break
    resumed = Merge(merge.positions)
    rest = [
        [record for record in whole if record.offset >= position.offset]
        for whole, position in zip(records(history), merge.positions, strict=True)
    ]
    for chunk in fed(data, resumed, [split(data, whole, "usage") for whole in rest]):
        found += chunk
    assert places(found) == expected(history)


@given(histories, st.data())
def test_nothing_waits_that_could_be_placed(history: list[list[int]], data: st.DataObject) -> None:
    streams = [split(data, whole, "usage") for whole in records(history)]
    merge = Merge([Position(0, NEVER)] * len(history))
    for _ in fed(data, merge, streams):
        while merge.take():
            pass
        if (behind := merge.behind) is not None:
            assert merge.waiting(behind) == 0


def test_a_source_that_is_far_behind_holds_the_others_back_and_not_itself() -> None:
    early, late = records([list(range(100)), list(range(1_000, 1_100))])
    merge = Merge([Position(0, NEVER)] * 2)
    merge.feed(1, Batch("usage", late))
    assert merge.take() == []
    assert merge.behind == 0
    merge.feed(0, Batch("usage", early))
    found: list[Dated] = []
    while chunk := merge.take():
        found += chunk
    assert places(found) == [(0, record.offset) for record in early]
    assert merge.waiting(1) == 100


def test_a_source_that_is_taken_up_keeps_its_newest_time() -> None:
    resumed, other = records([[3], [5]])
    merge = Merge([Position(0, 10), Position(0, NEVER)])
    merge.feed(0, Batch("usage", resumed))
    merge.feed(1, Batch("usage", other))
    assert places(merge.take()) == [(1, 0)]
    assert merge.positions == (Position(0, 10), Position(1, 5))


def test_streams_are_read_as_they_are_needed() -> None:
    asked: list[int] = []

    def stream(rank: int, times: range) -> Iterator[Batch]:
        (whole,) = records([times])
        for record in whole:
            asked.append(rank)
            yield Batch("usage", [record])

    found = in_order([stream(0, range(10)), stream(1, range(100, 110))])
    for _ in range(10):
        next(found)
    assert asked.count(1) == 1


def test_no_stream_is_a_history_without_records() -> None:
    assert list(in_order([])) == []
