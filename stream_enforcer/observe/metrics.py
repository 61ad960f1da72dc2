"""The metrics: a catalogue that says each one once, and the objects that the service updates.

No label ever holds anything of a person: labels are topics, partitions, rules, reasons and results.
Metrics are updated once per batch, never once per record.
"""

import platform
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

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
)
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

PREFIX: Final = "stream_enforcer_"
NO_RULE: Final = "none"
"""Label `rule` of a decision without a reason."""

TRANSACTION_RESULTS: Final = ("committed", "aborted", "unknown", "fenced")

_WORK_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric of the catalogue.

    Attributes:
        name: Name as Prometheus shows it.
        kind: Type of the metric; an info is a gauge of 1 whose labels tell.
        help: One sentence; units included.
        labels: Names of its labels.
        buckets: Upper bounds of a histogram, in its unit.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram", "info"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


RECORDS = MetricSpec(
    PREFIX + "records_consumed_total", "counter", "Input records processed and committed.", ("topic",)
)
DECISIONS = MetricSpec(
    PREFIX + "decisions_total",
    "counter",
    "Decisions published, by action and by the rule of their first reason (none without one).",
    ("action", "rule"),
)
REVIEWS = MetricSpec(PREFIX + "reviews_total", "counter", "Decisions published that ask for a human look.")
DEAD_LETTERS = MetricSpec(
    PREFIX + "dead_letters_total", "counter", "Records sent to the dead-letter topic, by class.", ("reason",)
)
SHADOW_MATCHES = MetricSpec(
    PREFIX + "shadow_rule_matches_total", "counter", "Matches of rules that only watch, by rule.", ("rule",)
)
TRANSACTIONS = MetricSpec(
    PREFIX + "transactions_total", "counter", "Transactions ended, by how they ended.", ("result",)
)
REBALANCES = MetricSpec(
    PREFIX + "rebalances_total", "counter", "Assignments received from the consumer group."
)
STEP_SECONDS = MetricSpec(
    PREFIX + "step_seconds", "histogram", "Time to judge one batch, in seconds.", buckets=_WORK_SECONDS
)
COMMIT_SECONDS = MetricSpec(
    PREFIX + "commit_seconds",
    "histogram",
    "Time from the start of a transaction to its end, in seconds.",
    buckets=_WORK_SECONDS,
)
LATENCY_SECONDS = MetricSpec(
    PREFIX + "event_to_decision_seconds",
    "histogram",
    "Time from the timestamp of an input record to the commit of the decision it caused, in seconds.",
    buckets=_LATENCY_SECONDS,
)
LAG = MetricSpec(
    PREFIX + "lag_records", "gauge", "Records between the position and the end.", ("topic", "partition")
)
ACCOUNTS_FORGOTTEN = MetricSpec(
    PREFIX + "accounts_forgotten_total",
    "counter",
    "Accounts forgotten: nothing came of them for account_retention_days.",
)
ACCOUNTS = MetricSpec(PREFIX + "accounts", "gauge", "Accounts held in memory.", ("partition",))
PARTITIONS = MetricSpec(PREFIX + "partitions_owned", "gauge", "Partitions that this replica owns.")
PARTITION_PAUSED = MetricSpec(
    PREFIX + "partition_paused",
    "gauge",
    "1 while a partition of this replica stands still; reason is transient, fenced, given_away or dead_letters.",
    ("partition", "reason"),
)
REFERENCE_AGE = MetricSpec(
    PREFIX + "reference_age_seconds", "gauge", "Age of the reference data since it was built.", ("kind",)
)
LAST_POLL = MetricSpec(
    PREFIX + "last_poll_timestamp_seconds", "gauge", "Time of the last poll, Unix seconds."
)
BUILD = MetricSpec(
    PREFIX + "build_info", "info", "Version of the service and of Python.", ("version", "python")
)
POLICY = MetricSpec(
    PREFIX + "policy_info",
    "info",
    "Policy in force; the hash is shortened.",
    ("id", "version", "hash", "mode"),
)

CATALOGUE: Final[tuple[MetricSpec, ...]] = (
    RECORDS,
    DECISIONS,
    REVIEWS,
    DEAD_LETTERS,
    SHADOW_MATCHES,
    TRANSACTIONS,
    REBALANCES,
    STEP_SECONDS,
    COMMIT_SECONDS,
    LATENCY_SECONDS,
    LAG,
    ACCOUNTS_FORGOTTEN,
    ACCOUNTS,
    PARTITIONS,
    PARTITION_PAUSED,
    REFERENCE_AGE,
    LAST_POLL,
    BUILD,
    POLICY,
)
"""Every metric of the service, in the order of the documentation."""


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
        "partition_paused",
        "partitions",
        "policy",
        "rebalances",
        "records",
        "reference_age",
        "registry",
        "reviews",
        "shadow_matches",
        "step_seconds",
        "transactions",
    )

    def __init__(self, registry: CollectorRegistry, version: str) -> None:
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
        self.accounts = _gauge(ACCOUNTS, registry)
        self.partitions = _gauge(PARTITIONS, registry)
        self.partition_paused = _gauge(PARTITION_PAUSED, registry)
        self.reference_age = _gauge(REFERENCE_AGE, registry)
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

    def paused(self, partition: int, reason: str) -> None:
        """Show that a partition stands still, and why in a word."""
        self.not_paused(partition)
        self.partition_paused.labels(str(partition), reason).set(1)

    def not_paused(self, partition: int) -> None:
        """Show that a partition does not stand still."""
        self.partition_paused.remove_by_labels({"partition": str(partition)})

    def forget_partition(self, partition: int) -> None:
        """Drop the gauges of a partition that another replica owns now, or they would stand still here."""
        self.lag.remove_by_labels({"partition": str(partition)})
        self.accounts.remove_by_labels({"partition": str(partition)})
        self.not_paused(partition)


def catalogue_table() -> str:
    """Return the catalogue as a Markdown table, for the documentation."""
    rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for spec in CATALOGUE:
        labels = ", ".join(f"`{label}`" for label in spec.labels)
        rows.append(f"| `{spec.name}` | {spec.kind} | {labels} | {spec.help} |")
    return "\n".join(rows) + "\n"


def _counter(spec: MetricSpec, registry: CollectorRegistry) -> Counter:
    return Counter(spec.name, spec.help, spec.labels, registry=registry)


def _gauge(spec: MetricSpec, registry: CollectorRegistry) -> Gauge:
    return Gauge(spec.name, spec.help, spec.labels, registry=registry)


def _histogram(spec: MetricSpec, registry: CollectorRegistry) -> Histogram:
    return Histogram(spec.name, spec.help, spec.labels, buckets=spec.buckets, registry=registry)


def _info(spec: MetricSpec, registry: CollectorRegistry) -> Info:
    return Info(spec.name.removesuffix("_info"), spec.help, registry=registry)
