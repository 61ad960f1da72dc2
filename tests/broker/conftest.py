"""One real Kafka for all tests of this folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_enforcer.kafka.broker import given_or_local
from tests.broker.stage import Stage, make_stage

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.broker)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap servers of the Kafka in KAFKA_BOOTSTRAP_SERVERS, else of one that is started for this session."""
    with given_or_local(os.environ) as servers:
        yield servers


@pytest.fixture
async def stage(kafka: str) -> Stage:
    """A set of topics with names of its own."""
    return await make_stage(kafka)
