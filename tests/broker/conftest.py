"""Tests on a real Kafka."""

from pathlib import Path

import pytest

from tests.broker.stage import Stage, make_stage

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.broker)


@pytest.fixture
async def stage(kafka: str) -> Stage:
    """A set of topics with names of its own."""
    return await make_stage(kafka)
