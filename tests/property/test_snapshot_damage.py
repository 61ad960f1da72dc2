"""Whatever happens to the bytes of a snapshot: a clear error, found by `check`, and never a crash."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_enforcer.domain.ownership.graph import Entity, Identifiers, Listing, Stake
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import Claim, Resolver
from stream_enforcer.domain.ownership.semantics import assess
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.snapshot.building import Ask
from stream_enforcer.snapshot.graph import Snapshot
from stream_enforcer.snapshot.summary import summary
from tests.snapshot_builders import snapshot_of

DAY = "2026-05-01"
QUESTION = Question(frozenset({"CN"}))
CLAIMS = [Claim(lei="LEI"), Claim(domain="t.example"), Claim(name="T Ltd", country="GB"), Claim(name="b")]
ENTITIES = [
    Entity("T", "T Ltd", "company", "GB", "US", ("Tee",), Identifiers("LEI", "7", "t.example")),
    Entity("CN", "B", "company", "CN", listings=(Listing("military", "p", None, "2030-01-01"),)),
    Entity("C", "C", "company", "US", identifiers=Identifiers("L", "1"), same_as=("CN", "X")),
]
STAKES = [
    Stake("s1", "CN", "T", 60_000_000, 70_000_000, "2020-01-01", "2030-01-01", "register"),
    Stake("s2", "X", "CN", 1, 2),
    Stake("s3", "T", "CN", 3, 3),
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("damage")
    snapshot_of(folder, ENTITIES, STAKES, Ask(QUESTION, DAY))
    return folder / "o.snapshot"


def use(snapshot: Snapshot) -> Iterator[Callable[[], object]]:
    """Ask for all that can be asked, once."""
    graph = snapshot.graph
    resolver = Resolver.build(graph)
    for party in ("T", "CN", "X", "nobody"):
        yield partial(graph.entities.get, party)
        yield partial(graph.merged.get, party)
        yield partial(graph.stakes_in, party)
        yield partial(graph.stakes_of, party)
        yield partial(assess, graph, party, DAY, QUESTION)
        yield partial(snapshot.verdicts, party, DAY, QUESTION)
    for claim in CLAIMS:
        yield partial(resolver.resolve, claim)
    # An entity that damage hides from the index is as one that the file does not have: only `check` tells.
    yield lambda: [graph.entities.get(entity) for entity in graph.entities]
    yield lambda: list(graph.stakes())
    yield lambda: list(graph.merged)
    yield lambda: list(snapshot.merges())
    yield lambda: summary(snapshot)


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4))
@example([(0.9999, 255)])
@example([(0.6673984952196661, 1)])
def test_changed_bytes_are_found_by_the_check_and_crash_nothing(
    sound: Path, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(sound.read_bytes())
    for place, change in changes:
        data[int(place * len(data))] ^= change
    if data == sound.read_bytes():
        return
    damaged = sound.with_name("damaged")
    damaged.write_bytes(data)
    try:
        snapshot = Snapshot(damaged)
    except BadReference:
        return
    with pytest.raises(BadReference):
        snapshot.file.check()
    for ask in use(snapshot):
        try:
            ask()
        except BadReference as error:
            assert str(error).startswith(str(damaged))  # noqa: PT017 - any other error is what must not be


@given(st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_does_not_open(sound: Path, share: float) -> None:
    data = sound.read_bytes()
    cut = sound.with_name("cut")
    cut.write_bytes(data[: int(share * len(data))])
    with pytest.raises(BadReference):
        Snapshot(cut)
