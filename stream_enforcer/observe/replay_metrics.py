"""The metrics of a replay, served while it runs. They are read off what it counts anyway: it does nothing for them."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, start_http_server
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from stream_enforcer.observe.catalogue import (
    REPLAY_ACCOUNTS,
    REPLAY_MALFORMED,
    REPLAY_NEWEST,
    REPLAY_RECORDS,
    REPLAY_TOTAL,
)

_ADDRESS: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]]+)):([0-9]{1,5})")


class CannotServe(Exception):
    """The metrics can't be served where they were asked for; the message says why."""


class ReplayStatus(NamedTuple):
    """How far a replay is.

    Attributes:
        taken: Records that this process took.
        total: Records that it has to take; None where that is not known.
        malformed: How many records were no events, by what was wrong.
        accounts: Accounts met.
        newest_ms: When the last event occurred, epoch milliseconds; 0 before the first.
    """

    taken: int
    total: int | None
    malformed: Mapping[str, int]
    accounts: int
    newest_ms: int


class ReplayCollector(Collector):
    """Asks at each scrape how far a replay is. The scrape comes in a thread of its own."""

    def __init__(self, status: Callable[[], ReplayStatus]) -> None:
        self._status = status

    def describe(self) -> Iterator[Metric]:
        """Name nothing beforehand: no other collector has these names."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; what is not known yet is left out."""
        status = self._status()
        yield CounterMetricFamily(REPLAY_RECORDS.name, REPLAY_RECORDS.help, status.taken)
        if status.total is not None:
            yield GaugeMetricFamily(REPLAY_TOTAL.name, REPLAY_TOTAL.help, status.total)
        malformed = CounterMetricFamily(
            REPLAY_MALFORMED.name, REPLAY_MALFORMED.help, labels=REPLAY_MALFORMED.labels
        )
        for reason, count in status.malformed.items():
            malformed.add_metric([reason], count)
        yield malformed
        yield GaugeMetricFamily(REPLAY_ACCOUNTS.name, REPLAY_ACCOUNTS.help, status.accounts)
        if status.newest_ms:
            yield GaugeMetricFamily(REPLAY_NEWEST.name, REPLAY_NEWEST.help, status.newest_ms / 1000)


@contextmanager
def served(where: str | None, status: Callable[[], ReplayStatus]) -> Iterator[None]:
    """Serve the metrics of a replay, and of its process, on `/metrics` until the block ends.

    Args:
        where: HOST:PORT; None serves nothing.
        status: Tells how far it is.

    Raises:
        CannotServe: That is no address, or it can't be listened on.
    """
    if where is None:
        yield
        return
    match = _ADDRESS.fullmatch(where)
    if match is None or int(match[3]) > 65535:
        raise CannotServe(f"--metrics {where}: write HOST:PORT, such as 127.0.0.1:8080")
    registry = CollectorRegistry()
    registry.register(ReplayCollector(status))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(int(match[3]), match[1] or match[2], registry)
    except OSError as error:
        raise CannotServe(f"--metrics {where}: {error.strerror or error}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
