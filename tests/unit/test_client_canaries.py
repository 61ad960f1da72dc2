"""Canaries: the installed Kafka client still has each defect that we work round.

A canary that falls silent is good news: the client was mended. Its message names the work-around that may go;
see docs/client-defects.md.
"""

import asyncio
import gc
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, conn, errors
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import (
    CoordinatorGroupRebalance,
    GroupCoordinator,
    NoGroupCoordinator,
)
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.producer import sender
from aiokafka.producer.message_accumulator import MessageBatch
from aiokafka.producer.sender import SendProduceReqHandler
from aiokafka.protocol.commit import OffsetFetchResponse_v3

from tests.client_fakes import turns
from tests.client_network import (
    OK,
    OTHER,
    TP,
    Network,
    Transaction,
    assigned_fetcher,
    batch,
    broker,
    control_batch,
    fetched,
    pristine,
    silent,
)


async def outcome(awaitable: Awaitable[Any]) -> Any:
    """Give what was returned, or the error that was raised: a mended client may raise where this one does not."""
    return (await asyncio.gather(awaitable, return_exceptions=True))[0]


def still(defect: bool, mended: str) -> None:
    assert defect, f"the client was mended; may go: {mended}"


@pytest.mark.parametrize("code", [14, 15, 16, 30])
async def test_an_error_of_the_whole_offset_fetch_reads_as_no_commit(code: int) -> None:
    response = OffsetFetchResponse_v3(throttle_time_ms=0, topics=[], error_code=code)

    async def send(request: object) -> object:
        return response

    coordinator = SimpleNamespace(group_id="g", _send_req=send, coordinator_dead=lambda: None)
    offsets = await outcome(GroupCoordinator._do_fetch_commit_offsets(coordinator, [TP]))
    still(offsets == {}, "the placeholder seek in kafka/service.py, on_partitions_assigned")


async def test_a_transaction_commits_although_its_batch_failed() -> None:
    transaction = Transaction(broker(produce=errors.MessageSizeTooLargeError.errno))
    await transaction.sender.start()
    sent = await transaction.send_batch()
    committed = await outcome(transaction.commit())
    await transaction.sender.close()
    assert isinstance(await outcome(sent), errors.MessageSizeTooLargeError)
    ended = any(name.startswith("EndTxn") for name in transaction.network.sent)
    still(committed is None and ended, "awaiting every batch in kafka/transaction.py, _send")


@pytest.mark.parametrize("committed", [0, None])
async def test_seeking_to_what_was_committed_skips_the_first_offset(committed: int | None) -> None:
    seeks: list[int] = []

    async def last(tp: object) -> int | None:
        return committed

    consumer = SimpleNamespace(
        committed=last,
        _subscription=SimpleNamespace(assigned_partitions=lambda: {TP}),
        _fetcher=SimpleNamespace(seek_to=lambda _, offset: seeks.append(offset)),
    )
    await outcome(AIOKafkaConsumer.seek_to_committed(consumer, TP))
    still(seeks == [], "nothing: kafka/service.py, _seek_back, seeks to its own offsets; 0 would do now")


async def test_a_batch_that_cannot_be_read_drops_the_records_of_other_partitions() -> None:
    network = Network(silent)
    fetcher = assigned_fetcher(network, TP, OTHER)
    await asyncio.sleep(0)
    broken = batch()
    broken[-1] ^= 0xFF
    fetched(fetcher, TP, bytes(batch()))
    fetched(fetcher, OTHER, bytes(broken))
    polled = await outcome(fetcher.fetched_records([]))
    position = fetcher._subscriptions.subscription.assignment.state_value(TP).position
    again = await outcome(fetcher.fetched_records([TP]))
    await fetcher.close()
    dropped = isinstance(polled, errors.CorruptRecordException) and position == 1 and again == {}
    still(dropped, "kafka/service.py, _seek_back")


def test_a_control_batch_without_a_marker_is_taken_for_an_error() -> None:
    contains = pristine(fetcher).PartitionRecords._contains_abort_marker
    assert contains(None, control_batch(1)) is False
    try:
        mended = contains(None, control_batch(0)) is False
    except errors.KafkaError:
        mended = False
    still(not mended, "kafka/client.py, _contains_abort_marker")


async def test_a_poll_that_is_cancelled_counts_as_waiting_for_ever() -> None:
    consumer = AIOKafkaConsumer()

    async def waits(*args: object, **named: object) -> None:
        await silent()

    consumer._coordinator = SimpleNamespace(check_errors=lambda: None)
    consumer._fetcher = SimpleNamespace(fetched_records=waits)
    poll = asyncio.create_task(consumer.getmany())
    await asyncio.sleep(0)
    poll.cancel()
    await asyncio.wait([poll])
    count = consumer._subscription._fetch_count
    consumer._coordinator = consumer._fetcher = None
    await consumer.stop()
    still(count == 1, "the poll that is never cancelled in kafka/service.py, _loop")


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the client is untyped
    """Notes whether heartbeats run while it is called, and fails."""

    def __init__(self) -> None:
        self.coordinator: Any = None
        self.heartbeats_at_assignment: list[bool] = []
        self.called = asyncio.Event()

    def on_partitions_revoked(self, revoked: object) -> None: ...

    def on_partitions_assigned(self, _: object) -> None:
        self.heartbeats_at_assignment.append(self.coordinator._heartbeat_task is not None)
        self.called.set()
        raise ValueError("a failure of the listener")


@pytest.fixture
def assignment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the group give out a partition, whoever joins."""
    encoded = ConsumerProtocolMemberAssignment(0, [(TP.topic, [TP.partition])], b"").encode()

    async def joined(rebalance: object) -> tuple[str, bytes]:
        return "range", encoded

    monkeypatch.setattr(CoordinatorGroupRebalance, "perform_group_join", joined)


@pytest.mark.usefixtures("assignment")
async def test_heartbeats_stand_still_while_partitions_are_assigned_and_failures_are_swallowed() -> None:
    subscription, listener = SubscriptionState(), Listener()
    network = Network(silent)
    coordinator = GroupCoordinator(network, subscription, assignors=(RangePartitionAssignor,))
    listener.coordinator = coordinator
    subscription.subscribe({TP.topic}, listener=listener)
    for _ in range(2):
        await listener.called.wait()
        listener.called.clear()
        await asyncio.sleep(0)
        running = coordinator._heartbeat_task is not None
        coordinator.request_rejoin()
    await listener.called.wait()
    swallowed = await outcome(coordinator.close()) is None
    quick = "the quick kafka/service.py, on_partitions_assigned, that opens tasks in the background"
    still(running and not any(listener.heartbeats_at_assignment), quick)
    still(swallowed, "the _fail of kafka/service.py, on_partitions_assigned; an exception would do")


async def test_the_rebalance_timeout_is_the_session_timeout_unless_given() -> None:
    consumer = AIOKafkaConsumer(session_timeout_ms=7_000)
    await consumer.stop()
    still(consumer._rebalance_timeout_ms == 7_000, "rebalance_timeout_ms in kafka/client.py, group_consumer")


def test_an_assignment_forgets_what_was_paused_and_where_it_stood() -> None:
    async def positions() -> tuple[set[object], bool]:
        subscription = SubscriptionState()
        subscription.subscribe({TP.topic})
        subscription.assign_from_subscribed({TP})
        subscription.seek(TP, 5)
        subscription.pause(TP)
        subscription.assign_from_subscribed({TP})
        state = subscription.subscription.assignment.state_value(TP)
        return subscription.paused_partitions(), state.has_valid_position

    still(
        asyncio.run(positions()) == (set(), False),
        "pause and seek in kafka/service.py, on_partitions_assigned",
    )


async def test_a_member_joins_once_for_every_assignor() -> None:
    joins: list[object] = []

    async def refuse(request: object) -> object:
        joins.append(request)
        return SimpleNamespace(error_code=errors.GroupLoadInProgressError.errno)

    coordinator = SimpleNamespace(
        _rebalance_timeout_ms=1, member_id="", _group_instance_id=None, _send_req=refuse
    )
    assignors = (RangePartitionAssignor, RoundRobinPartitionAssignor)
    subscription = SimpleNamespace(topics={TP.topic}, active=True)
    rebalance = CoordinatorGroupRebalance(coordinator, "g", 0, subscription, assignors, 1, 1)
    await outcome(rebalance.perform_group_join())
    still(len(joins) == len(assignors), "the single assignor in kafka/client.py, group_consumer")


async def test_a_static_member_does_not_leave_and_its_fencing_has_no_name() -> None:
    requests: list[object] = []

    async def send(request: object) -> None:
        requests.append(request)

    member = SimpleNamespace(
        generation=1,
        _group_instance_id="i",
        group_id="g",
        member_id="m",
        _send_req=send,
        reset_generation=lambda: None,
    )
    await GroupCoordinator._maybe_leave_group(member)
    unnamed = errors.for_code(82) is errors.UnknownError
    still(requests == [] and unnamed, "the refusal of group_instance_id in kafka/client.py, group_consumer")


async def test_an_unknown_answer_kills_the_sender_for_good_and_states_are_assertions() -> None:
    transaction = Transaction(broker(end=lambda: SimpleNamespace(error_code=13)))
    await transaction.sender.start()
    await transaction.send_batch()
    committed = await outcome(transaction.commit())
    begun = await outcome(asyncio.to_thread(transaction.state.begin_transaction))
    dead = isinstance(committed, errors.KafkaError) and transaction.sender.sender_task.done()
    still(dead, "the new producer after every failure in kafka/task.py, _reset")
    still(isinstance(begun, AssertionError), "AssertionError in kafka/task.py, TRANSIENT")


def test_a_batch_of_a_transaction_never_expires() -> None:
    expired = SimpleNamespace(expired=lambda: True)
    handler = SimpleNamespace(_sender=SimpleNamespace(_txn_manager=object()))
    retried = SendProduceReqHandler._can_retry(handler, errors.RequestTimedOutError(), expired)
    still(retried, "the bounded start, commit and stop in kafka/task.py and kafka/lifetime.py")


async def test_the_end_of_a_transaction_is_asked_for_again_without_a_word() -> None:
    answers = iter([errors.RequestTimedOutError(), SimpleNamespace(error_code=OK)])
    transaction = Transaction(broker(end=lambda: next(answers)))
    await transaction.sender.start()
    await transaction.send_batch()
    committed = await outcome(transaction.commit())
    await transaction.sender.close()
    ends = [name for name in transaction.network.sent if name.startswith("EndTxn")]
    still(committed is None and len(ends) == 2, "COMMIT_SECONDS in kafka/task.py, _commit")


async def test_stopping_between_two_failed_fetches_is_a_cancellation_of_the_client_s_own_making() -> None:
    network = Network(lambda _: errors.NodeNotReadyError())
    fetcher = assigned_fetcher(network, TP)
    await network.asked.wait()
    stopping = asyncio.create_task(fetcher.close())
    await asyncio.wait([stopping])
    still(stopping.cancelled(), "the watched task in kafka/lifetime.py, end_within")


async def test_stopping_right_after_the_start_is_a_cancellation_of_the_client_s_own_making() -> None:
    async def start_and_stop() -> None:
        await NoGroupCoordinator(Network(silent), SubscriptionState()).close()

    stopping = asyncio.create_task(start_and_stop())
    await asyncio.wait([stopping])
    still(stopping.cancelled(), "the watched task in kafka/lifetime.py, end_within")


async def test_a_refusal_of_a_token_is_taken_for_a_welcome() -> None:
    async def token() -> str:
        return "t"

    provider = SimpleNamespace(token=token)
    authenticator = pristine(conn).OAuthAuthenticator(sasl_oauth_token_provider=provider)
    await authenticator.step(None)
    answered = await outcome(authenticator.step(b'{"status":"invalid_token"}'))
    still(answered is None, "_oauth_step in kafka/client.py")


def test_a_denial_of_offsets_in_a_transaction_names_no_topic() -> None:
    handler = SimpleNamespace(_sender=SimpleNamespace(_txn_manager=None), _group_id="g")
    response = SimpleNamespace(errors=[("usage", [(0, 29)])])
    with pytest.raises(errors.TopicAuthorizationFailedError) as caught:
        pristine(sender).TxnOffsetCommitHandler.handle_response(handler, response)
    still("usage" not in str(caught.value), "_offset_commit_answered in kafka/client.py")


async def test_a_denial_of_the_group_waits_for_somebody_who_polls() -> None:
    subscription = SimpleNamespace(abort_waiters=lambda _: None)
    coordinator = SimpleNamespace(_subscription=subscription, _closing=asyncio.Future())
    denial = errors.GroupAuthorizationFailedError("g")
    pushing = asyncio.ensure_future(GroupCoordinator._push_error_to_user(coordinator, denial))
    await turns()
    still(not pushing.done(), "raise_group_error in kafka/client.py")
    coordinator._error_consumed_fut.set_result(None)
    await pushing


async def test_the_failure_of_a_batch_that_nobody_awaits_is_reported_by_the_loop() -> None:
    reported: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context["message"]))
    failed = MessageBatch(TP, SimpleNamespace(), 30, 0)
    failed.failure(errors.ProducerFenced())
    del failed
    gc.collect()
    loop.set_exception_handler(None)
    still("Future exception was never retrieved" in reported, "nothing; it is noise in the log")
