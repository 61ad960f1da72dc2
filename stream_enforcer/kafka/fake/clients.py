"""Clients of the broker in memory, with the methods of the real ones that the task uses."""

from dataclasses import dataclass, field

from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.fake.broker import FakeBroker
from stream_enforcer.kafka.fake.consumer import FakeConsumer
from stream_enforcer.kafka.fake.host import Host
from stream_enforcer.kafka.fake.producer import FakeProducer


@dataclass(frozen=True, slots=True)
class FakeClients(Clients):
    """Makes clients of the broker in memory instead of real ones."""

    broker: FakeBroker
    host: Host = field(default_factory=Host)

    def group_consumer(self) -> FakeConsumer:
        """Return the consumer of the input topics; the test is its group."""
        return FakeConsumer(self.broker, self.host, "read_committed")

    def reader(self, isolation: str = "read_committed", fetch_bytes: int = 4 << 20) -> FakeConsumer:  # noqa: ARG002 - nothing is fetched
        """Return a consumer outside any group."""
        return FakeConsumer(self.broker, self.host, isolation)

    def producer(  # type: ignore[override]  # it stands in for a class of an untyped library
        self, transactional_id: str | None
    ) -> FakeProducer:
        """Return a transactional producer; records outside transactions go to the broker itself."""
        if transactional_id is None:
            raise NotImplementedError("only transactional producers; use FakeBroker.append")
        return FakeProducer(self.broker, self.host, transactional_id)
