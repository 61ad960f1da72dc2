"""Liveness and readiness as laws."""

from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.observe.health import Answer, Health, live, ready

PARTITIONS = st.frozensets(st.integers(0, 9))


def healthy() -> Health:
    health = Health(beat_at=0.0, reference_loaded=True, kafka_reachable=True)
    health.assign(frozenset({0, 1}))
    health.restored |= {0, 1}
    return health


def test_a_restored_replica_is_ready() -> None:
    assert ready(healthy(), 1.0) == Answer(ok=True, reasons=())


def test_a_replica_without_partitions_is_ready_once_that_is_settled() -> None:
    health = Health(beat_at=0.0, reference_loaded=True, kafka_reachable=True)
    assert ready(health, 1.0).reasons == ("no assignment yet",)
    health.assign(frozenset())
    assert ready(health, 1.0).ok


def test_everything_amiss_is_said_at_once_and_in_order() -> None:
    health = Health(beat_at=0.0)
    health.assign(frozenset({10, 2}))
    health.paused[2] = "too many dead letters"
    assert ready(health, 31.0).reasons == (
        "the loop has not turned for 31 s",
        "reference data is not loaded",
        "Kafka is not reachable",
        "partition 2 is not restored yet",
        "partition 10 is not restored yet",
        "partition 2 is paused: too many dead letters",
    )


def test_what_left_with_a_partition_is_forgotten() -> None:
    health = healthy()
    health.paused[1] = "too many dead letters"
    health.assign(frozenset({0}))
    assert ready(health, 1.0).ok
    health.assign(frozenset({0, 1}))
    assert ready(health, 1.0).reasons == ("partition 1 is not restored yet",)


@given(
    assigned=st.none() | PARTITIONS,
    restored=st.sets(st.integers(0, 9)),
    paused=st.dictionaries(st.integers(0, 9), st.text(max_size=5)),
    flags=st.tuples(st.booleans(), st.booleans()),
    silence=st.floats(0, 100),
)
def test_liveness_depends_on_the_loop_alone_and_readiness_implies_it(
    assigned: frozenset[int] | None,
    restored: set[int],
    paused: dict[int, str],
    flags: tuple[bool, bool],
    silence: float,
) -> None:
    health = Health(0.0, assigned, restored, paused, *flags)
    alive = live(health, silence)
    assert alive.ok == (silence <= 30.0) == (not alive.reasons)
    answer = ready(health, silence)
    assert answer.ok == (not answer.reasons)
    assert answer.ok == (
        alive.ok and assigned is not None and assigned <= restored and not paused and all(flags)
    )


def test_a_beat_revives() -> None:
    health = healthy()
    assert not live(health, 30.5).ok
    health.beat(30.0)
    assert live(health, 30.5).ok
