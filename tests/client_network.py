"""The Kafka client's own parts on a network without a broker: every request is answered by the test."""

import asyncio
import importlib.util
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.sender import Sender
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

TP: Final = TopicPartition("signups", 0)
OTHER: Final = TopicPartition("usage", 0)
READ_COMMITTED: Final = 1
CONTROL_AND_TRANSACTIONAL: Final = 0x30
ATTRIBUTES_OFFSET: Final = 21
OK: Final = 0

Answer = Callable[[Any], Any]


class Cluster:
    """One node leads every partition."""

    def add_listener(self, *_: object) -> None: ...

    def leader_for_partition(self, *_: object) -> int:
        return 0

    def partitions_for_topic(self, *_: object) -> set[int]:
        return {0}


class Network:
    """Stands for the client's connections. An answer is a response, a future of one, or an error to raise."""

    def __init__(self, answer: Answer) -> None:
        self.sent: list[str] = []
        self.asked = asyncio.Event()
        self.cluster = Cluster()
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._metadata_max_age_ms = 300_000
        self._client_id = "test"

    async def send(self, _: int, request: Any, **__: object) -> Any:
        self.sent.append(type(request).__name__)
        self.asked.set()
        answer = self._answer(request)
        if isinstance(answer, Exception):
            raise answer
        return await answer if isinstance(answer, asyncio.Future) else answer

    async def coordinator_lookup(self, *_: object) -> int:
        return 0

    async def ready(self, *_: object, **__: object) -> bool:
        return True

    async def _maybe_wait_metadata(self) -> None: ...

    def force_metadata_update(self) -> asyncio.Future[None]:
        done = self._loop.create_future()
        done.set_result(None)
        return done

    def set_topics(self, topics: object) -> None: ...


class Transaction:
    """The client's sender with a transaction that is open, as `begin_transaction` leaves it."""

    def __init__(self, answer: Answer) -> None:
        self.network = Network(answer)
        self.state = TransactionManager("id", 1000)
        self.state.set_pid_and_epoch(1, 0)
        self.accumulator = MessageAccumulator(self.network.cluster, 1000, 0, 30, txn_manager=self.state)
        self.sender = Sender(
            self.network,
            acks=-1,
            txn_manager=self.state,
            message_accumulator=self.accumulator,
            retry_backoff_ms=1,
            request_timeout_ms=1000,
        )
        self.state.begin_transaction()

    async def send_batch(self) -> Any:
        builder = self.accumulator.create_builder()
        builder.append(timestamp=None, key=b"k", value=b"v")
        return await self.accumulator.add_batch(builder, TP, 5)

    async def commit(self) -> None:
        self.state.committing_transaction()
        await asyncio.shield(self.state.wait_for_transaction_end())


def silent(_: object = None) -> asyncio.Future[Any]:
    """Never answer."""
    return asyncio.get_running_loop().create_future()


def broker(produce: int = OK, end: Callable[[], Any] = lambda: SimpleNamespace(error_code=OK)) -> Answer:
    """Answer as a transaction coordinator and partition leader, with an error code for what is produced."""

    def answer(request: Any) -> Any:
        name = type(request).__name__
        if name.startswith("AddPartitions"):
            return SimpleNamespace(errors=[(TP.topic, [(TP.partition, OK)])])
        if name.startswith("Produce"):
            return SimpleNamespace(API_VERSION=5, topics=[(TP.topic, [(TP.partition, produce, 0, -1, 0)])])
        return end()

    return answer


def assigned_fetcher(network: Network, *tps: TopicPartition) -> Fetcher:
    """Give a running fetcher whose partitions are assigned, at offset 0."""
    subscription = SubscriptionState()
    running = Fetcher(network, subscription, isolation_level="read_committed", retry_backoff_ms=60_000)
    subscription.assign_from_user(set(tps))
    for tp in tps:
        subscription.seek(tp, 0)
    return running


def fetched(running: Fetcher, tp: TopicPartition, data: bytes) -> None:
    """Put a fetch response's records where the fetcher keeps those that nobody has asked for yet."""
    records = PartitionRecords(tp, MemoryRecords(data), [], 0, None, None, True, READ_COMMITTED)
    assignment = running._subscriptions.subscription.assignment
    running._records[tp] = FetchResult(tp, assignment=assignment, partition_records=records, backoff=60)


def batch(values: int = 1, key: bytes = b"k") -> bytearray:
    """Give a batch of transactional records as it goes over the wire."""
    builder = DefaultRecordBatchBuilder(2, 0, 1, 1, 0, 0, 10_000)
    for offset in range(values):
        builder.append(offset, 0, key, b"v", [])
    return bytearray(builder.build())


def control_batch(markers: int, *, abort: bool = False) -> Any:
    """Give a control batch with so many markers; the cleaner leaves batches with none."""
    data = batch(markers, b"\x00\x00\x00" + (b"\x00" if abort else b"\x01"))
    data[ATTRIBUTES_OFFSET : ATTRIBUTES_OFFSET + 2] = CONTROL_AND_TRANSACTIONAL.to_bytes(2, "big")
    return DefaultRecordBatch(data)


def pristine(patched: ModuleType) -> ModuleType:
    """Load a module of the client once more: in the one that all share, a defect is patched."""
    spec = importlib.util.spec_from_file_location(f"{patched.__name__}_pristine", patched.__file__ or "")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
