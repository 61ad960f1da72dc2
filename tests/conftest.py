"""How property tests run, and the one real Kafka of a session."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from stream_enforcer.kafka.broker import given_or_local

settings.register_profile("laws", max_examples=60, deadline=None)
settings.load_profile("laws")


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap servers of the Kafka in KAFKA_BOOTSTRAP_SERVERS, else of one that is started for this session."""
    with given_or_local(os.environ) as servers:
        yield servers
