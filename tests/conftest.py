"""How property tests run, which tests are asked for, and the one real Kafka of a session."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from stream_enforcer.kafka.broker import given_or_local

settings.register_profile("laws", max_examples=60, deadline=None)
settings.load_profile("laws")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deploy", action="store_true", help="run the tests marked deploy, too")


@pytest.hookimpl(trylast=True)  # the tests of a real Kafka are marked by then
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if item.get_closest_marker("deploy")]
    if not config.getoption("--deploy"):
        items[:] = [item for item in items if not item.get_closest_marker("deploy")]
        config.hook.pytest_deselected(items=left_out)
    for item in items:
        for shared in ("broker", "web"):
            # One process has all the tests that share a Kafka, or a browser, so that one of each is started.
            if item.get_closest_marker(shared):
                item.add_marker(pytest.mark.xdist_group(shared))


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap servers of the Kafka in KAFKA_BOOTSTRAP_SERVERS, else of one that is started for this session."""
    with given_or_local(os.environ) as servers:
        yield servers
