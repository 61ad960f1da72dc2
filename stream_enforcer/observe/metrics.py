"""The metrics that the service updates, as the catalogue says them.

Metrics are updated once per batch, never once per record.
"""

import platform
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    Metric,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

from stream_enforcer.observe.catalogue import (
    ACCOUNTS,
    ACCOUNTS_FORGOTTEN,
    BUILD,
    COMMIT_SECONDS,
    DEAD_LETTERS,
    DECISIONS,
    LAG,
    LAST_POLL,
    LATENCY_SECONDS,
    OWNERSHIP_FAILURES,
    OWNERSHIP_REJECTED,
    OWNERSHIP_STATEMENTS,
    PARTITION_OPENED,
    PARTITION_OPENING,
    PARTITION_PAUSED,
    PARTITIONS,
    POLICY,
    READY,
    REBALANCES,
    RECORDS,
    REFERENCE_AGE,
    REFERENCE_MAX_AGE,
    REVIEWS,
    SECOND_LOOKS,
    SHADOW_MATCHES,
    STEP_SECONDS,
    SUSPENDED_COST,
    TOPIC_PARTITIONS,
    TRANSACTION_RESULTS,
    TRANSACTIONS,
    MetricSpec,
)


class BatchHistogram(Collector):
    """A histogram of latencies that takes a whole batch at once.

    The library's own takes one value at a time, which is too slow for one call per record. Not thread-safe:
    the event loop both fills and reads it.
    """

    def __init__(self, spec: MetricSpec, registry: CollectorRegistry) -> None:
        self._spec = spec
        self._counts = [0] * (len(spec.buckets) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe_batch(self, committed_ms: int, timestamps_ms: Iterable[int]) -> None:
        """Count the latencies of records that one commit made visible.

        Args:
            committed_ms: Time of the commit, epoch milliseconds.
            timestamps_ms: Timestamp of every input record that caused a decision, epoch milliseconds. One
                later than the commit (a producer's clock is ahead) counts as no latency.
        """
        for timestamp, times in Tally(timestamps_ms).items():
            seconds = max(0, committed_ms - timestamp) / 1000
            self._counts[bisect_left(self._spec.buckets, seconds)] += times
            self._sum += seconds * times

    def describe(self) -> Iterator[Metric]:
        """Name the metric, so that the registry can refuse a second one of that name."""
        yield HistogramMetricFamily(self._spec.name, self._spec.help)

    def collect(self) -> Iterator[Metric]:
        """Yield the histogram as the registry wants it: cumulative counts by upper bound."""
        bounds = [*(str(bound) for bound in self._spec.buckets), "+Inf"]
        total = 0
        buckets = []
        for bound, count in zip(bounds, self._counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        yield HistogramMetricFamily(self._spec.name, self._spec.help, buckets, self._sum)


class Metrics:
    """The metrics of one process, registered on the given registry with those of the process itself.

    Attributes are the library's own objects: `metrics.records.labels(topic).inc(n)`.
    """

    __slots__ = (
        "accounts",
        "accounts_forgotten",
        "build",
        "commit_seconds",
        "dead_letters",
        "decisions",
        "lag",
        "last_poll",
        "latency_seconds",
        "ownership_failures",
        "ownership_rejected",
        "ownership_statements",
        "partition_opened",
        "partition_opening",
        "partition_paused",
        "partitions",
        "policy",
        "ready",
        "rebalances",
        "records",
        "reference_age",
        "reference_max_age",
        "registry",
        "reviews",
        "second_looks",
        "shadow_matches",
        "step_seconds",
        "suspended_cost",
        "topic_partitions",
        "transactions",
    )

    def __init__(self, registry: CollectorRegistry, version: str) -> None:
        # Nobody asks since when each series counts, and it would be a quarter of the answer.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types for it
        self.registry = registry
        self.records = _counter(RECORDS, registry)
        self.decisions = _counter(DECISIONS, registry)
        self.reviews = _counter(REVIEWS, registry)
        self.dead_letters = _counter(DEAD_LETTERS, registry)
        self.shadow_matches = _counter(SHADOW_MATCHES, registry)
        self.transactions = _counter(TRANSACTIONS, registry)
        self.rebalances = _counter(REBALANCES, registry)
        self.step_seconds = _histogram(STEP_SECONDS, registry)
        self.commit_seconds = _histogram(COMMIT_SECONDS, registry)
        self.latency_seconds = BatchHistogram(LATENCY_SECONDS, registry)
        self.lag = _gauge(LAG, registry)
        self.accounts_forgotten = _counter(ACCOUNTS_FORGOTTEN, registry)
        self.second_looks = _counter(SECOND_LOOKS, registry)
        self.ownership_statements = _gauge(OWNERSHIP_STATEMENTS, registry)
        self.ownership_rejected = _counter(OWNERSHIP_REJECTED, registry)
        self.ownership_failures = _counter(OWNERSHIP_FAILURES, registry)
        self.accounts = _gauge(ACCOUNTS, registry)
        self.suspended_cost = _gauge(SUSPENDED_COST, registry)
        self.partitions = _gauge(PARTITIONS, registry)
        self.partition_paused = _gauge(PARTITION_PAUSED, registry)
        self.partition_opening = _gauge(PARTITION_OPENING, registry)
        self.partition_opened = _gauge(PARTITION_OPENED, registry)
        self.topic_partitions = _gauge(TOPIC_PARTITIONS, registry)
        self.ready = _gauge(READY, registry)
        self.reference_age = _gauge(REFERENCE_AGE, registry)
        self.reference_max_age = _gauge(REFERENCE_MAX_AGE, registry)
        self.last_poll = _gauge(LAST_POLL, registry)
        self.build = _info(BUILD, registry)
        self.policy = _info(POLICY, registry)
        for result in TRANSACTION_RESULTS:  # present from the start, so that a first one shows as a rise
            self.transactions.labels(result)
        self.build.info({"version": version, "python": platform.python_version()})
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def policy_in_force(self, identity: str, version: str, hash_: str, mode: str) -> None:
        """Show the policy that decisions are made with; the hash is cut to twelve digits."""
        self.policy.info({"id": identity, "version": version, "hash": hash_[:12], "mode": mode})

    def show_suspended_cost(self, dollars: Mapping[tuple[str, str], float]) -> None:
        """Show what suspended accounts cost in a month, by rule and jurisdiction; others are no longer shown."""
        self.suspended_cost.clear()
        for labels, cost in dollars.items():
            self.suspended_cost.labels(*labels).set(cost)

    def ready_when(self, ready: Callable[[], bool]) -> None:
        """Ask at each scrape whether the replica is ready."""
        self.ready.set_function(lambda: float(ready()))

    def opening(self, partition: int, since: float) -> None:
        """Show that a partition is being opened.

        Args:
            partition: Its number.
            since: Unix seconds.
        """
        self.partition_opening.labels(str(partition)).set(since)

    def opened(self, partition: int, accounts: int, seconds: float) -> None:
        """Show that a partition takes events.

        Args:
            partition: Its number.
            accounts: Accounts in memory.
            seconds: How long it was being opened.
        """
        self.partition_opening.remove_by_labels({"partition": str(partition)})
        self.partition_opened.labels(str(partition)).set(seconds)
        self.not_paused(partition)
        self.accounts.labels(str(partition)).set(accounts)

    def paused(self, partition: int, reason: str) -> None:
        """Show that a partition stands still, and why in a word."""
        self.not_paused(partition)
        self.partition_paused.labels(str(partition), reason).set(1)

    def not_paused(self, partition: int) -> None:
        """Show that a partition does not stand still."""
        self.partition_paused.remove_by_labels({"partition": str(partition)})

    def forget_partition(self, partition: int) -> None:
        """Drop the gauges of a partition that another replica owns now, or they would stand still here."""
        of_it = {"partition": str(partition)}
        for gauge in (
            self.lag,
            self.accounts,
            self.partition_paused,
            self.partition_opening,
            self.partition_opened,
        ):
            gauge.remove_by_labels(of_it)


def _counter(spec: MetricSpec, registry: CollectorRegistry) -> Counter:
    return Counter(spec.name, spec.help, spec.labels, registry=registry)


def _gauge(spec: MetricSpec, registry: CollectorRegistry) -> Gauge:
    return Gauge(spec.name, spec.help, spec.labels, registry=registry)


def _histogram(spec: MetricSpec, registry: CollectorRegistry) -> Histogram:
    return Histogram(spec.name, spec.help, spec.labels, buckets=spec.buckets, registry=registry)


def _info(spec: MetricSpec, registry: CollectorRegistry) -> Info:
    return Info(spec.name.removesuffix("_info"), spec.help, registry=registry)
