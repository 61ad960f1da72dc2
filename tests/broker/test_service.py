"""The service on a real Kafka."""

from typing import Any

import pytest

from stream_enforcer.domain.policy import compile_policy
from stream_enforcer.kafka.failures import Fatal
from stream_enforcer.kafka.partition import Partition
from stream_enforcer.kafka.topics import TopicsMismatch, create
from tests.broker.stage import PARTITIONS, Running, Stage, broken_chains, until
from tests.builders import DEFAULT_POLICY, at, ip, override, signup, usage, world


async def test_signups_and_usage_come_out_as_decisions(stage: Stage) -> None:
    events = [
        signup("good", ip=ip("us"), declared_country="US"),
        signup("bad", ip=ip("cn"), declared_country="CN"),
        *[usage("traveller", ip=ip("cn"), occurred_at=at(day), event_id=f"u{day}") for day in range(3)],
    ]
    async with stage.running(world()) as running:
        await until(running.ready)
        sent = await stage.send(events)
        await running.all_consumed(sent)
    decisions = await stage.decisions()
    said = [(d["account_id"], d["action"], d["review"]) for d in decisions]
    assert ("good", "allow", False) in said
    assert ("bad", "suspend", False) in said
    assert [s[1:] for s in said if s[0] == "traveller"] == [("allow", True), ("suspend", False)]
    assert not broken_chains(decisions)


async def test_every_owned_partition_s_lag_is_told(stage: Stage) -> None:
    def told(running: Running) -> set[tuple[str, str]]:
        families = running.metrics.registry.collect()
        samples = [
            s for family in families for s in family.samples if s.name == "stream_enforcer_lag_records"
        ]
        return {(s.labels["topic"], s.labels["partition"]) for s in samples if s.value == 0}

    topics = stage.topics
    every = {(t, str(p)) for t in (topics.signups, topics.usage, topics.overrides) for p in range(PARTITIONS)}
    async with stage.running(world()) as running:
        await until(lambda: told(running) == every)


async def test_a_backlog_is_read_in_pieces_that_fit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    most, held = 1_000, []
    take = Partition.take

    def take_and_look(partition: Partition, *arguments: Any) -> None:
        take(partition, *arguments)
        held.append(sum(task.partition.in_flight for task in running.service._tasks_in_hand().values()))

    sent = await stage.send(usage(f"a{n % 50}", event_id=f"u{n}", ip=ip("us")) for n in range(6_000))
    monkeypatch.setattr(Partition, "take", take_and_look)
    async with stage.running(world(), max_in_flight_records=most) as running:
        await running.all_consumed(sent)
    assert max(held) <= most


async def test_a_restart_remembers_everything_and_says_nothing_again(stage: Stage) -> None:
    events = [signup(f"a{n}", ip=ip("cn" if n % 3 else "us")) for n in range(60)]
    for _ in range(2):
        async with stage.running(world()) as running:
            await until(running.ready)
            sent = await stage.send(events)
            await running.all_consumed(sent)
    decisions = await stage.decisions()
    assert len(decisions) == len(events)
    assert not broken_chains(decisions)


async def test_after_a_drain_nothing_hangs_and_the_group_stands_where_the_checkpoint_does(
    stage: Stage,
) -> None:
    async with stage.running(world()) as running:
        await until(running.ready)
        sent = await stage.send([signup(f"a{n}", ip=ip("us")) for n in range(40)])
        await running.all_consumed(sent)
    assert await stage.open_transactions() == []
    committed = await stage.committed()
    positions = {
        (topic, partition): offset
        for partition, checkpoint in (await stage.checkpoints()).items()
        for topic, offset in checkpoint.offsets.items()
    }
    assert committed == positions
    assert sum(positions.values()) == sent


BAD: dict[str, tuple[bytes | None, bytes | None]] = {
    "not JSON": (b"a", b"hello"),
    "not UTF-8": (b"a", b'{"type":"signup","account_id":"\xff"}'),
    "tombstone": (b"a", None),
    "no key": (None, b'{"type":"signup","event_id":"e","account_id":"a","occurred_at":1780000000000}'),
    "one megabyte of garbage": (b"a", b"\x00\xff" * 520_000),
    "deep nesting": (b"a", b"[" * 100_000),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_record_becomes_one_dead_letter_and_the_next_is_processed(
    stage: Stage, name: str
) -> None:
    key, value = BAD[name]
    async with stage.running(world()) as running:
        await until(running.ready)
        await stage.send_raw([(stage.topics.signups, key, value)])
        await stage.send([signup("a", ip=ip("us"))])
        await running.all_consumed(2)
    (letter,) = await stage.read(stage.topics.dead_letters)
    headers = {name: value.decode() for name, value in letter.headers}
    assert headers["dlq.original.topic"] == stage.topics.signups
    assert headers["dlq.id"] == f"{stage.topics.signups}-{letter.partition}-{headers['dlq.original.offset']}"
    assert headers["dlq.error.class"]
    assert headers["dlq.error.message"]
    if headers["dlq.error.stage"] != "oversize":
        assert (letter.key, letter.value) == (key, value)
    else:
        assert value is not None
        assert value.startswith(letter.value)
    assert [d["account_id"] for d in await stage.decisions()] == ["a"]


async def test_a_changed_policy_judges_every_account_again_once(stage: Stage) -> None:
    events = [signup(f"a{n}", ip=ip("us"), declared_country="HK") for n in range(30)]
    async with stage.running(world()) as running:
        await until(running.ready)
        sent = await stage.send(events)
        await running.all_consumed(sent)
    document = DEFAULT_POLICY.document.model_copy(update={"restricted": ("CN", "HK")})
    stricter = world(policy=compile_policy(document))
    for _ in range(2):
        async with stage.running(stricter) as running:
            await until(running.ready)
            # Accounts are judged again before the partition opens.
    decisions = await stage.decisions()
    assert len(decisions) == 2 * len(events)
    assert not broken_chains(decisions)
    latest = decisions[-1]
    assert (latest["action"], latest["trigger"]["kind"]) == ("suspend", "policy")


async def test_an_override_decides_and_lifts(stage: Stage) -> None:
    async with stage.running(world()) as running:
        await until(running.ready)
        steps: list[dict[str, Any]] = [
            signup("a", ip=ip("cn")),
            override("a", "allow", occurred_at=at(1)),
            override("a", "none", occurred_at=at(2)),
        ]
        for done, event in enumerate(steps, start=1):
            await stage.send([event])
            await running.all_consumed(done)
    decisions = await stage.decisions()
    assert [d["action"] for d in decisions] == ["suspend", "allow", "suspend"]
    assert [d["override_id"] for d in decisions] == [None, "o1", None]


async def test_a_second_replica_takes_over_half_and_both_go_on(stage: Stage) -> None:
    async with stage.running(world()) as first:
        await until(first.ready)
        sent = await stage.send([signup(f"a{n}", ip=ip("us")) for n in range(80)])
        await until(lambda: first.consumed() == sent)
        async with stage.running(world()) as second:
            await until(
                lambda: (
                    second.ready() and second.health.assigned is not None and len(second.health.assigned) == 2
                )
            )
            await until(first.ready)
            sent += await stage.send([signup(f"a{n}", ip=ip("cn"), occurred_at=at(1)) for n in range(80)])
            await until(lambda: first.consumed() + second.consumed() == sent)
            assert second.consumed() > 0
        await until(lambda: first.ready() and first.health.assigned == frozenset(range(4)))
    decisions = await stage.decisions()
    assert len(decisions) == 160
    assert not broken_chains(decisions)


async def test_missing_topics_are_refused_with_the_command_that_mends_it(stage: Stage) -> None:
    absent = stage.topics.model_copy(update={"decisions": "no-such-topic"})
    with pytest.raises(
        TopicsMismatch, match="missing topics: no-such-topic; run `stream-enforcer topics create`"
    ):
        async with stage.running(world(), topics=absent) as running:
            await running.task


async def test_different_partition_counts_are_refused(stage: Stage) -> None:
    other = stage.topics.model_copy(update={"decisions": f"{stage.topics.decisions}-2"})
    await stage.make_topic(other.decisions, partitions=3)
    with pytest.raises(TopicsMismatch, match="equally many partitions"):
        await create(stage.clients, other)
    with pytest.raises(TopicsMismatch, match="equally many partitions"):
        async with stage.running(world(), topics=other) as running:
            await running.task


async def test_a_checkpoint_past_the_end_of_its_topic_is_fatal(stage: Stage) -> None:
    async with stage.running(world()) as running:
        await until(running.ready)
        sent = await stage.send([signup("a", ip=ip("us"))])
        await running.all_consumed(sent)
    await stage.remove_topic(stage.topics.signups)
    await create(stage.clients, stage.topics)
    with pytest.raises(Fatal, match="the checkpoint wants offset 1, the topic holds 0 to 0"):
        async with stage.running(world()) as running:
            await running.task


async def test_a_fenced_replica_publishes_nothing_and_says_so(stage: Stage) -> None:
    kafka = stage.settings.kafka
    async with stage.running(world()) as running:
        await until(running.ready)
        rivals = [
            stage.clients.producer(f"{kafka.group}-{kafka.environment}-{n}")
            for n in range(stage.topics.partitions)
        ]
        for rival in rivals:
            await rival.start()
        await stage.send([signup(f"a{n}", ip=ip("us")) for n in range(40)])
        await until(lambda: set(running.health.paused.values()) == {"fenced by another owner"})
        await until(lambda: len(running.health.paused) == stage.topics.partitions)
        assert not running.ready()
        for rival in rivals:
            await rival.stop()
    assert await stage.decisions() == []
    assert running.consumed() == 0


async def test_topics_that_were_given_more_partitions_are_refused(stage: Stage) -> None:
    async with stage.running(world()) as running:
        await until(running.ready)
        await running.all_consumed(await stage.send([signup(f"a{n}", ip=ip("us")) for n in range(20)]))
    await stage.widen_topics(6)
    with pytest.raises(
        Fatal, match="the topics have 6 partitions, and the accounts were written when they had 4"
    ):
        async with stage.running(world()) as running:
            await running.task
