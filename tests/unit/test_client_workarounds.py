"""Every defect of the Kafka client is worked round: each law here falls when its work-around is taken away.

See docs/client-defects.md; that the client still has the defects is in test_client_canaries.py.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition, errors
from aiokafka.conn import OAuthAuthenticator
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.producer import sender
from prometheus_client import CollectorRegistry

from stream_enforcer.kafka import client, service, task
from stream_enforcer.kafka import intake as intake_module
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.failures import Fatal
from stream_enforcer.kafka.intake import Intake
from stream_enforcer.kafka.service import Service
from stream_enforcer.kafka.transaction import NO_HEADERS, Outgoing, commit
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.settings import Kafka, Settings
from tests.broker.stage import until
from tests.client_fakes import (
    INPUTS,
    OFFSETS,
    WORLD,
    Consumer,
    IdleTask,
    Producer,
    Stage,
    hangs,
    raises,
    turns,
)
from tests.client_network import control_batch

# The clients' settings, and the patch


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(client, "AIOKafkaConsumer", lambda **settings: calls.append(settings))
    return calls


def test_the_group_consumer_asks_for_nothing_that_the_client_does_badly(made: list[dict[str, Any]]) -> None:
    Clients(Kafka(session_timeout_ms=6_000)).group_consumer()
    settings = made[0]
    assert settings["auto_offset_reset"] == "none"
    assert settings["enable_auto_commit"] is False
    assert settings["isolation_level"] == "read_committed"
    assert len(settings["partition_assignment_strategy"]) == 1
    assert settings["rebalance_timeout_ms"] > settings["session_timeout_ms"]
    assert not {"group_instance_id", "key_deserializer", "value_deserializer"} & settings.keys()


def test_a_reader_is_in_no_group_and_never_jumps_to_another_offset(made: list[dict[str, Any]]) -> None:
    Clients(Kafka()).reader()
    settings = made[0]
    assert (settings["group_id"], settings["auto_offset_reset"]) == (None, "none")
    assert settings["isolation_level"] == "read_committed"
    assert not {"key_deserializer", "value_deserializer"} & settings.keys()


def test_a_control_batch_without_a_marker_ends_no_aborted_transaction() -> None:
    contains = PartitionRecords._contains_abort_marker
    assert contains(None, control_batch(0)) is False
    assert contains(None, control_batch(1)) is False
    assert contains(None, control_batch(1, abort=True)) is True


async def test_a_refusal_of_a_token_is_an_error_that_says_what_the_broker_says() -> None:
    async def token() -> str:
        return "t"

    authenticator = OAuthAuthenticator(sasl_oauth_token_provider=SimpleNamespace(token=token))
    assert await authenticator.step(None) == (b"n,,\x01auth=Bearer t\x01\x01", True)
    with pytest.raises(errors.SaslAuthenticationFailed, match=r"the token is refused: .*invalid_token"):
        await authenticator.step(b'{"status":"invalid_token"}')
    assert await authenticator.step(b"") is None


def test_a_denial_of_offsets_in_a_transaction_names_the_topic() -> None:
    committed: list[TopicPartition] = []
    manager = SimpleNamespace(offset_committed=lambda tp, *_: committed.append(tp))
    handler: Any = SimpleNamespace(
        _sender=SimpleNamespace(_txn_manager=manager),
        _group_id="g",
        _offsets={INPUTS[0]: SimpleNamespace(offset=7)},
    )
    answered = sender.TxnOffsetCommitHandler.handle_response
    with pytest.raises(errors.TopicAuthorizationFailedError, match="usage"):
        answered(handler, SimpleNamespace(errors=[("signups", [(0, 0)]), ("usage", [(0, 29)])]))
    assert committed == []
    answered(handler, SimpleNamespace(errors=[(INPUTS[0].topic, [(0, 0)])]))
    assert committed == [INPUTS[0]]


# A transaction

OUTGOING = [
    Outgoing(topic, [(b"k", b"v", NO_HEADERS)]) for topic in ("dead-letters", "decisions", "accounts")
]


@pytest.mark.parametrize("failing", range(3))
async def test_nothing_is_committed_after_a_batch_that_failed(failing: int) -> None:
    producer = Producer(ack=hangs)
    committing = asyncio.create_task(commit(producer, 0, OUTGOING, {INPUTS[0]: 1}, "g"))
    await turns()
    for number, ack in enumerate(producer.acks):
        if number == failing:
            ack.set_exception(errors.MessageSizeTooLargeError())
        else:
            ack.set_result(SimpleNamespace(offset=0))
    with pytest.raises(errors.MessageSizeTooLargeError):
        await committing
    assert "commit" not in producer.calls


async def test_nothing_is_committed_before_every_batch_is_acknowledged() -> None:
    producer = Producer(ack=hangs)
    committing = asyncio.create_task(commit(producer, 0, OUTGOING, {}, "g"))
    await turns()
    for ack in producer.acks:
        assert "commit" not in producer.calls
        ack.set_result(SimpleNamespace(offset=4))
        await turns()
    assert await committing == 5
    assert producer.calls[-1] == "commit"


async def test_nothing_is_committed_after_offsets_that_failed() -> None:
    producer = Producer(offsets=raises(errors.UnknownError()))
    with pytest.raises(errors.UnknownError):
        await commit(producer, 0, OUTGOING, {INPUTS[0]: 1}, "g")
    assert "commit" not in producer.calls


# The service


@pytest.fixture
def consumer() -> Consumer:
    return Consumer()


@pytest.fixture
async def serving(consumer: Consumer) -> Service:
    made = Service(Settings(), WORLD, Metrics(CollectorRegistry(), "1"), Health(0.0))
    made._consumer = consumer
    return made


def intake(consumer: Consumer, *tasks: IdleTask, health: Health | None = None) -> Intake:
    held: Any = {task.number: task for task in tasks}
    metrics = Metrics(CollectorRegistry(), "1")
    return Intake(Settings(), consumer, lambda: held, health or Health(0.0), metrics)


async def test_a_poll_that_failed_sets_every_ready_task_back(consumer: Consumer) -> None:
    poll = asyncio.create_task(intake(consumer, IdleTask(0)).poll())
    await consumer.polled.wait()
    consumer.polls[0].set_exception(errors.CorruptRecordException())
    await poll
    assert consumer.sought() == OFFSETS


async def test_polls_that_fail_for_half_a_minute_end_the_service(
    serving: Service, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "BAD_POLLS_SECONDS", -1)
    serving._tasks = {0: IdleTask(0)}  # type: ignore[dict-item]  # stands for a task
    loop = asyncio.create_task(serving._loop())
    await consumer.polled.wait()
    consumer.polls[0].set_exception(errors.OffsetOutOfRangeError())
    await loop
    assert isinstance(serving._failure, Fatal)


@pytest.mark.parametrize("polls", [True, False])
async def test_a_denied_right_is_said_and_is_no_reason_to_end(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch, polls: bool
) -> None:
    monkeypatch.setattr(intake_module, "DENIED_SECONDS", 0)
    monkeypatch.setattr(intake_module, "BAD_POLLS_SECONDS", -1)
    denial = errors.GroupAuthorizationFailedError("stream-enforcer")
    health = Health(0.0)
    taking = intake(consumer, *([IdleTask(0)] if polls else []), health=health)
    if polls:
        poll = asyncio.create_task(taking.poll())
        await consumer.polled.wait()
        consumer.polls[0].set_exception(denial)
        await poll
    else:
        consumer.denial = denial
        await taking.poll()
    assert health.kafka_denial == "User:ANONYMOUS lacks Read on group stream-enforcer"


async def test_a_poll_is_never_cancelled(serving: Service, consumer: Consumer) -> None:
    serving._tasks = {0: IdleTask(0)}  # type: ignore[dict-item]  # stands for a task
    loop = asyncio.create_task(serving._loop())
    await consumer.polled.wait()
    serving.stop()
    await loop
    await turns()
    assert not consumer.polls[0].cancelled()
    consumer.polls[0].set_result({})
    assert serving._polling is not None
    await serving._polling


async def test_a_poll_brings_no_more_than_there_is_room_for(consumer: Consumer) -> None:
    busy = IdleTask(0)
    busy.partition.in_flight = Settings().max_in_flight_records - 7
    taking = intake(consumer, busy)
    poll = asyncio.create_task(taking.poll())
    await consumer.polled.wait()
    assert consumer.most == [7]
    consumer.polls[0].set_result({})
    await poll
    busy.partition.in_flight += 7
    await taking.poll()
    assert len(consumer.polls) == 1


async def test_an_assignment_pauses_and_seeks_before_anything_else_and_awaits_nothing(
    serving: Service, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "Task", IdleTask)
    with pytest.raises(StopIteration):
        serving.on_partitions_assigned(INPUTS).send(None)
    assert consumer.calls == [("pause", tuple(INPUTS)), *(("seek", (tp, 0)) for tp in INPUTS)]
    assert serving._tasks.keys() == {0}
    value = serving._metrics.registry.get_sample_value
    assert value("stream_enforcer_topic_partitions") == value("stream_enforcer_partitions_owned") == 1


async def test_a_bad_assignment_ends_the_service_and_raises_nothing_into_the_client(serving: Service) -> None:
    await serving.on_partitions_assigned(INPUTS[:1])
    assert isinstance(serving._failure, Fatal)
    assert serving._stopping.is_set()


# A task


@pytest.fixture
async def stage(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    async def nothing(*_: object) -> None: ...

    async def all_of_them(_: object, tps: list[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        return dict.fromkeys(tps, (0, 100))

    monkeypatch.setattr(task, "restore", nothing)
    monkeypatch.setattr(task, "bounds", all_of_them)
    monkeypatch.setattr(task, "FIRST_BACKOFF", 0.0)
    monkeypatch.setattr(task, "STOP_SECONDS", 0.01)
    stage = Stage(consumer)
    yield stage
    if stage.task is not None:
        await stage.task.drain(0, 1)


ANY_FAILURE = [
    errors.RequestTimedOutError(),
    errors.InvalidTxnState(),
    AssertionError("Invalid state transition"),
    TimeoutError(),
    OSError(),
]


@pytest.mark.parametrize("error", ANY_FAILURE, ids=repr)
@pytest.mark.parametrize("step", ["start", "begin", "send", "offsets", "commit"])
async def test_a_producer_is_thrown_away_after_any_failure(
    stage: Stage, step: str, error: BaseException
) -> None:
    first = Producer(**{step: raises(error)})
    stage.open(first)
    if step != "start":
        await stage.opened(1)
        stage.gather()
    await stage.opened(2)
    assert step in first.calls
    assert first.calls[-1] == "stop"
    assert stage.made[0][0] == stage.made[1][0]
    assert stage.consumer.sought() == OFFSETS


@pytest.mark.parametrize(
    ("step", "limit"), [("start", "START_SECONDS"), ("commit", "COMMIT_SECONDS"), ("send", "COMMIT_SECONDS")]
)
async def test_a_producer_that_hangs_is_thrown_away_after_a_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, step: str, limit: str
) -> None:
    monkeypatch.setattr(task, limit, 0.01)
    first = Producer(**{step: hangs})
    stage.open(first)
    if step != "start":
        await stage.opened(1)
        stage.gather()
    await stage.opened(2)
    assert step in first.calls
    assert first.calls[-1] == "stop"


@pytest.mark.parametrize("stop", [hangs, raises(asyncio.CancelledError()), raises(OSError())])
async def test_a_producer_that_does_not_stop_is_abandoned(stage: Stage, stop: Any) -> None:
    first = Producer(begin=raises(OSError()), stop=stop)
    stage.open(first)
    await stage.opened(1)
    stage.gather()
    await stage.opened(2)
    assert first.calls[-2:] == ["stop", "abandon"]
    assert stage.fatal == []


async def test_a_task_tells_that_it_opens_until_it_is_open(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, begun = asyncio.Event(), asyncio.Event()

    async def waits(*_: object) -> None:
        begun.set()
        await may_end.wait()

    monkeypatch.setattr(task, "restore", waits)
    value = stage.open().shared.metrics.registry.get_sample_value
    await begun.wait()
    opening = "stream_enforcer_partition_opening_timestamp_seconds", {"partition": "0"}
    assert value(*opening) == pytest.approx(time.time(), abs=60)
    may_end.set()
    await stage.opened(1)
    assert value(*opening) is None


@pytest.mark.parametrize("error", [errors.ProducerFenced(), errors.InvalidProducerEpoch()], ids=repr)
@pytest.mark.parametrize("step", ["start", "begin", "commit"])
async def test_a_fenced_task_starts_no_other_producer(stage: Stage, step: str, error: BaseException) -> None:
    first = Producer(**{step: raises(error)})
    opened = stage.open(first)
    if step != "start":
        await stage.opened(1)
        stage.gather()
    await turns()
    assert [producer for _, producer in stage.made] == [first]
    assert step in first.calls
    assert first.calls[-1] == "stop"
    assert not opened.standing.running
    assert stage.fatal == []


async def test_a_task_asks_the_group_before_it_starts_a_second_producer(stage: Stage) -> None:
    stage.open(Producer(commit=raises(OSError())))
    await stage.opened(1)
    assert "commit" not in dict(stage.consumer.calls)
    stage.gather()
    await stage.opened(2)
    asked = dict(stage.consumer.calls)["commit"]
    assert asked == ({TopicPartition(topic, 0): offset for topic, offset in OFFSETS.items()},)


@pytest.mark.parametrize("refusal", [errors.CommitFailedError(), errors.IllegalStateError()], ids=repr)
async def test_a_task_whose_partition_was_given_away_starts_no_other_producer(
    stage: Stage, refusal: BaseException
) -> None:
    stage.consumer.refusal = refusal
    opened = stage.open(Producer(commit=raises(OSError())))
    await stage.opened(1)
    stage.gather()
    await until(lambda: stage.health.paused.get(0) == "given away by the group")
    assert len(stage.made) == 1
    assert not opened.standing.running
    assert stage.fatal == []


async def test_a_group_that_does_not_answer_is_asked_again(stage: Stage) -> None:
    stage.consumer.refusal = errors.GroupCoordinatorNotAvailableError()
    stage.open(Producer(commit=raises(OSError())))
    await stage.opened(1)
    stage.gather()
    await until(lambda: [name for name, _ in stage.consumer.calls].count("commit") >= 2)
    stage.consumer.refusal = None
    await stage.opened(2)
    assert stage.fatal == []


async def test_a_producer_fenced_between_two_sends_is_fenced_whatever_the_second_one_says(
    stage: Stage,
) -> None:
    first = Producer(send=raises(errors.IllegalOperation()))
    first.fenced = True
    stage.open(first)
    await stage.opened(1)
    stage.gather()
    await until(lambda: stage.health.paused.get(0) == "fenced by another owner")
    assert len(stage.made) == 1
    assert stage.fatal == []


async def test_positions_come_from_the_checkpoint_and_zero_is_one(stage: Stage) -> None:
    stage.open()
    await stage.opened(1)
    assert stage.consumer.sought() == OFFSETS
    assert stage.consumer.calls[-1] == ("resume", tuple(INPUTS))


async def test_every_position_is_known_before_the_first_record(stage: Stage) -> None:
    opened = stage.open(offsets={"signups": 7})
    await stage.opened(1)
    known = {topic: opened.partition.expected(topic) for topic in OFFSETS}
    assert known == {"signups": 7, "usage": 0, "overrides": 0}
    assert opened.partition.restored.checkpoint is not None
    assert opened.partition.restored.checkpoint.offsets == known


@pytest.mark.parametrize("turn", range(12))
async def test_a_task_ends_although_its_commit_ends_in_the_same_moment(stage: Stage, turn: int) -> None:
    gate = asyncio.Event()
    opened = stage.open(Producer(commit=gate.wait))
    await stage.opened(1)
    stage.gather()
    await turns()
    draining = asyncio.create_task(opened.drain(0, 1))
    await turns(turn)
    gate.set()
    async with asyncio.timeout(5):
        await draining


async def test_a_task_that_the_client_cancels_ends_the_service(stage: Stage) -> None:
    stage.open(Producer(start=raises(asyncio.CancelledError())))
    await turns()
    assert [type(error) for error in stage.fatal] == [Fatal]
