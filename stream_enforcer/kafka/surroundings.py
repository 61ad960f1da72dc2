"""What every task of a service shares."""

from collections.abc import Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.partition import Terms
from stream_enforcer.kafka.worlds import Worlds
from stream_enforcer.observe.health import Health
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.observe.spans import NO_SPANS, Spans
from stream_enforcer.settings import Settings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a task works with.

    Attributes:
        settings: The service's settings.
        terms: What to judge by.
        worlds: Policy and reference data in force.
        partitions: How many partitions the topics have.
        clients: Makes Kafka clients.
        consumer: The group's consumer.
        metrics, health: Where to tell how it goes.
        fatal: Ends the service.
        spans: Traces transactions.
    """

    settings: Settings
    terms: Terms
    worlds: Worlds
    partitions: int
    clients: Clients
    consumer: AIOKafkaConsumer
    metrics: Metrics
    health: Health
    fatal: Callable[[BaseException], None]
    spans: Spans = NO_SPANS
