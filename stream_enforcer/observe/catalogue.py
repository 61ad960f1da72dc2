"""The catalogue of metrics: each one once, with its type, labels and meaning.

No label ever holds anything of a person: labels are topics, partitions, rules, reasons and results.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

PREFIX: Final = "stream_enforcer_"
NO_RULE: Final = "none"
"""Label `rule` of a decision without a reason."""

TRANSACTION_RESULTS: Final = ("committed", "unknown", "fenced")

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
    PREFIX + "records_consumed_total",
    "counter",
    "Input records processed and committed.",
    ("topic", "partition"),
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
    PREFIX + "transactions_total",
    "counter",
    "Transactions ended: committed, fenced by another owner, or unknown, which is thrown away and judged again.",
    ("result",),
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
SECOND_LOOKS = MetricSpec(
    PREFIX + "second_looks_total",
    "counter",
    "Accounts looked at again because the world changed; changed is policy or reference.",
    ("changed",),
)
OWNERSHIP_STATEMENTS = MetricSpec(
    PREFIX + "ownership_statements",
    "gauge",
    "Statements of the ownership topic that amend the ownership files.",
)
OWNERSHIP_REJECTED = MetricSpec(
    PREFIX + "ownership_rejected_total",
    "counter",
    "Records of the ownership topic that are no statement; what the files say of their ids stands.",
)
OWNERSHIP_FAILURES = MetricSpec(
    PREFIX + "ownership_failures_total",
    "counter",
    "Failures to read the ownership topic, or ownership files that changed; the data in force stay.",
)
ACCOUNTS = MetricSpec(PREFIX + "accounts", "gauge", "Accounts held in memory.", ("partition",))
SUSPENDED_COST = MetricSpec(
    PREFIX + "suspended_cost_usd_per_month",
    "gauge",
    "Usage cost, in dollars, of the thirty days up to their latest use, of the accounts that are suspended now, by the"
    " rule of their first reason and the restricted country that it names (none without one).",
    ("rule", "jurisdiction"),
)
PARTITIONS = MetricSpec(PREFIX + "partitions_owned", "gauge", "Partitions that this replica owns.")
PARTITION_PAUSED = MetricSpec(
    PREFIX + "partition_paused",
    "gauge",
    "1 while a partition of this replica stands still; reason is transient, fenced, given_away or dead_letters.",
    ("partition", "reason"),
)
PARTITION_OPENING = MetricSpec(
    PREFIX + "partition_opening_timestamp_seconds",
    "gauge",
    "Since when a partition is being opened (its accounts are restored), Unix seconds; absent once it takes events.",
    ("partition",),
)
PARTITION_OPENED = MetricSpec(
    PREFIX + "partition_open_seconds",
    "gauge",
    "Time that it took to open a partition the last time, in seconds.",
    ("partition",),
)
TOPIC_PARTITIONS = MetricSpec(
    PREFIX + "topic_partitions", "gauge", "Partitions of the input topics, whoever owns them."
)
READY = MetricSpec(PREFIX + "ready", "gauge", "1 while /readyz says that this replica is ready, else 0.")
REFERENCE_AGE = MetricSpec(
    PREFIX + "reference_age_seconds", "gauge", "Age of the reference data since it was built.", ("kind",)
)
REFERENCE_MAX_AGE = MetricSpec(
    PREFIX + "reference_max_age_seconds",
    "gauge",
    "Age of reference data past which the policy makes decisions degraded.",
    ("kind",),
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
    SECOND_LOOKS,
    OWNERSHIP_STATEMENTS,
    OWNERSHIP_REJECTED,
    OWNERSHIP_FAILURES,
    ACCOUNTS,
    SUSPENDED_COST,
    PARTITIONS,
    PARTITION_PAUSED,
    PARTITION_OPENING,
    PARTITION_OPENED,
    TOPIC_PARTITIONS,
    READY,
    REFERENCE_AGE,
    REFERENCE_MAX_AGE,
    LAST_POLL,
    BUILD,
    POLICY,
)
"""Every metric of the service, in the order of the documentation."""

REPLAY_RECORDS = MetricSpec(
    PREFIX + "replay_records_total",
    "counter",
    "Records of history that this process took, malformed ones too.",
)
REPLAY_TOTAL = MetricSpec(
    PREFIX + "replay_records", "gauge", "Records that this process has to take; absent where files are read."
)
REPLAY_MALFORMED = MetricSpec(
    PREFIX + "replay_malformed_total", "counter", "Records that are no events, by class.", ("reason",)
)
REPLAY_ACCOUNTS = MetricSpec(PREFIX + "replay_accounts", "gauge", "Accounts met.")
REPLAY_NEWEST = MetricSpec(
    PREFIX + "replay_newest_event_timestamp_seconds", "gauge", "Time of the newest event taken, Unix seconds."
)

REPLAY: Final[tuple[MetricSpec, ...]] = (
    REPLAY_RECORDS,
    REPLAY_TOTAL,
    REPLAY_MALFORMED,
    REPLAY_ACCOUNTS,
    REPLAY_NEWEST,
)
"""Every metric of a replay, in the order of the documentation."""


def catalogue_table(catalogue: Iterable[MetricSpec] = CATALOGUE) -> str:
    """Return a catalogue as a Markdown table, for the documentation."""
    rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for spec in catalogue:
        labels = ", ".join(f"`{label}`" for label in spec.labels)
        rows.append(f"| `{spec.name}` | {spec.kind} | {labels} | {spec.help} |")
    return "\n".join(rows) + "\n"
