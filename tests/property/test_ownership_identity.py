"""Records of one company, from several publications: the same answers however they are read."""

import random
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stream_enforcer.domain.ownership.graph import Entity, Identifiers, Stake
from stream_enforcer.domain.ownership.identity import NOTHING_APART, Apart
from stream_enforcer.domain.ownership.merging import each_once
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import entity_keys
from stream_enforcer.domain.ownership.said_twice import NEVER, Told, heard
from stream_enforcer.domain.ownership.semantics import assess
from stream_enforcer.reference.ownership import read_ownership
from stream_enforcer.snapshot.building import Ask, build
from stream_enforcer.snapshot.graph import Snapshot
from tests.identity_builders import ALL_IDS, publications, written

QUESTION = Question(frozenset({"CN"}))


@st.composite
def kept_apart(draw: st.DrawFn) -> str | None:
    if draw(st.booleans()):
        return None
    ids = st.sampled_from([*ALL_IDS, "unheard"])
    lines = draw(st.lists(ids | st.tuples(ids, ids).filter(lambda pair: pair[0] != pair[1]), max_size=3))
    return "".join((line if isinstance(line, str) else " ".join(line)) + "\n" for line in lines)


@settings(max_examples=150)
@given(publications(), kept_apart())
def test_a_snapshot_merges_as_memory_does(said: Mapping[str, list[Any]], apart: str | None) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = written(folder, dict(said))
        file = folder / "apart.txt" if apart is not None else None
        if file is not None and apart is not None:
            file.write_text(apart, encoding="utf-8")
        memory = read_ownership(paths, keep_apart=file)
        exceptions = frozenset(memory.graph.merged)
        question = Question(frozenset({"CN"}), exceptions=exceptions)
        build(paths, folder / "s", Ask(question, "2026-06-01"), keep_apart=file)
        mapped = read_ownership([folder / "s"], keep_apart=file)
        snapshot = Snapshot(folder / "s")
        assert mapped.graph.hash == memory.graph.hash
        assert list(mapped.graph.entities.items()) == list(memory.graph.entities.items())
        assert by_id(mapped.graph.stakes()) == by_id(memory.graph.stakes())
        assert dict(mapped.graph.merged) == dict(memory.graph.merged)
        assert (mapped.identity, mapped.dangling) == (memory.identity, memory.dangling)
        for entity in memory.graph.entities.values():
            finding = assess(memory.graph, entity.id, "2026-06-01", question)
            worked_out = tuple(r.verdict for r in (finding.control, finding.effective, finding.single_owner))
            assert snapshot.verdicts(entity.id, "2026-06-01", question) == worked_out
        merges = {merge.entity: set(merge.others) for merge in snapshot.merges()}
        assert merges == {e.id: set(e.same_as) for e in memory.graph.entities.values() if e.same_as}


def by_id(stakes: Any) -> list[Stake]:
    return sorted(stakes, key=lambda stake: stake.id)


@given(publications(), st.randoms(use_true_random=False))
def test_the_order_of_files_makes_no_difference_to_who_is_merged(
    said: Mapping[str, list[Any]], draw: random.Random
) -> None:
    with TemporaryDirectory() as folder:
        paths = written(Path(folder), dict(said))
        first = read_ownership(paths).graph
        draw.shuffle(paths)
        second = read_ownership(paths).graph
        assert dict(first.merged) == dict(second.merged)
        assert dict(first.entities) == dict(second.entities)
        assert by_id(first.stakes()) == by_id(second.stakes())


_entities = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.builds(
            Entity,
            id=st.sampled_from("abcdef"),
            name=st.just("N"),
            type=st.sampled_from(["company", "company", "person"]),
            country=st.sampled_from(["GB", "CN", None]),
            identifiers=st.builds(
                Identifiers, st.sampled_from([None, "L1", "L2"]), st.sampled_from([None, "7", "8"])
            ),
            same_as=st.lists(st.sampled_from("abcdefg"), max_size=2).map(tuple),
        ),
    ),
    max_size=8,
)
_apart = st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"))).map(
    lambda pairs: Apart(pairs=frozenset(pair for a, b in pairs if a != b for pair in ((a, b), (b, a))))
)


@given(_entities, _apart, st.sets(st.sampled_from("abcdef"), max_size=2))
def test_nobody_is_merged_who_is_kept_apart_or_a_person(
    given_records: list[tuple[int, Entity]], apart: Apart, alone: set[str]
) -> None:
    records = {entity.id: (place, entity) for place, entity in given_records}
    once = each_once(records, {}, Apart(frozenset(alone), apart.pairs), several=True)
    for merge in once.merges:
        members = {merge.entity, *merge.others}
        assert not members & alone
        assert not any({a, b} <= members for a, b in apart.pairs)
        assert all(records[one][1].type != "person" for one in members if one in records)
    assert sum(1 + len(entity.same_as) for entity in once.entities) >= len(records)
    assert {entity.id for entity in once.entities} <= records.keys()


@given(_entities)
def test_nothing_that_finds_a_record_is_lost_by_merging_it(given_records: list[tuple[int, Entity]]) -> None:
    records = {entity.id: (place, entity) for place, entity in given_records}
    once = each_once(records, {}, NOTHING_APART, several=True)
    companies = {one: entity for entity in once.entities for one in (entity.id, *entity.same_as)}
    for one, (_, record) in records.items():
        assert set(entity_keys(record)) <= set(entity_keys(companies[one]))
    assert len({id(company) for company in companies.values()}) == len(once.entities)


_told = st.lists(
    st.builds(
        lambda publication, shares, days: Told(publication, min(shares), max(shares), (min(days), max(days))),
        st.integers(0, 2),
        st.tuples(st.integers(0, 100), st.integers(0, 100)),
        st.tuples(st.integers(0, 9), st.integers(0, 9) | st.just(NEVER)),
    ),
    max_size=6,
)


@given(_told, st.integers(0, 10))
def test_on_each_day_one_publication_speaks_and_it_is_the_one_that_knows_most(
    told: list[Told], day: int
) -> None:
    def covers(days: tuple[int, int]) -> bool:
        return days[0] <= day < days[1]

    counting = [any(map(covers, days)) for days in heard(told).days]
    held = [one for one in told if covers(one.days)]
    speaking = {one.publication for one, counts in zip(told, counting, strict=True) if counts}
    assert len(speaking) == min(1, len(held))
    if not held:
        return
    (chosen,) = speaking
    assert [covers(one.days) and one.publication == chosen for one in told] == counting

    def width(publication: int) -> int:
        return sum(one.max - one.min for one in held if one.publication == publication)

    assert all(width(chosen) <= width(one.publication) for one in held)


@given(_told)
def test_a_stake_counts_only_on_its_own_days_and_in_pieces_that_do_not_touch(told: list[Told]) -> None:
    for one, days in zip(told, heard(told).days, strict=True):
        assert all(one.days[0] <= since < until <= one.days[1] for since, until in days)
        assert all(first[1] < second[0] for first, second in pairwise(days))


def test_days_are_numbered_as_a_stake_writes_them() -> None:
    assert date(9999, 12, 31).toordinal() < NEVER
