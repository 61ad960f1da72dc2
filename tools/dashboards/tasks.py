"""*Kafka tasks*: how each partition and each replica is doing."""

from typing import Final

from tools.dashboards.parts import (
    SCOPE,
    Board,
    Query,
    Shown,
    better_above,
    figure,
    graph,
    or_none,
    worse_above,
)

OF_PARTITION: Final = f'{SCOPE}, partition=~"$partition"'

NOW: Final = [
    figure(
        Shown(
            "Partitions",
            "Partitions of the input topics.",
            "short",
            [Query(f"max(stream_enforcer_topic_partitions{{{SCOPE}}})", "partitions")],
        )
    ),
    figure(
        Shown(
            "Without an owner",
            "Partitions that no replica owns which answers.",
            "short",
            [
                Query(
                    f"max(stream_enforcer_topic_partitions{{{SCOPE}}})"
                    f" - sum(stream_enforcer_partitions_owned{{{SCOPE}}})",
                    "partitions",
                )
            ],
            "partitions-unowned",
            worse_above(1, 1),
        )
    ),
    figure(
        Shown(
            "Paused",
            "Partitions that stand still and say why.",
            "short",
            [Query(f"sum(stream_enforcer_partition_paused{{{SCOPE}}}) or vector(0)", "partitions")],
            "partition-paused",
            worse_above(1, 1),
        )
    ),
    figure(
        Shown(
            "Being opened",
            "Partitions whose accounts are being restored.",
            "short",
            [
                Query(
                    f"count(stream_enforcer_partition_opening_timestamp_seconds{{{SCOPE}}}) or vector(0)",
                    "partitions",
                )
            ],
            "restore-stuck",
        )
    ),
    figure(
        Shown(
            "Accounts",
            "Accounts held in memory, in all partitions.",
            "short",
            [Query(f"sum(stream_enforcer_accounts{{{SCOPE}}})", "accounts")],
        )
    ),
    figure(
        Shown(
            "Rebalances in an hour",
            "Assignments that replicas received. Each one stops all partitions for a moment.",
            "short",
            [Query(f"sum(increase(stream_enforcer_rebalances_total{{{SCOPE}}}[1h]))", "rebalances")],
            "transactions-failing",
        )
    ),
    figure(
        Shown(
            "Commits, p99",
            "From the start of a transaction to its end; 99 % are faster. One of more than 10 s is given up.",
            "s",
            [
                Query(
                    "histogram_quantile(0.99, sum by (le)"
                    f" (rate(stream_enforcer_commit_seconds_bucket{{{SCOPE}}}[5m])))",
                    "p99",
                )
            ],
            "transactions-failing",
            worse_above(0.25, 2.5),
        )
    ),
    figure(
        Shown(
            "Replicas",
            "Replicas that Prometheus gets metrics from.",
            "short",
            [Query(f"count(stream_enforcer_build_info{{{SCOPE}}})", "replicas")],
            "replica-missing",
            better_above(1),
        )
    ),
]

PARTITIONS: Final = [
    graph(
        Shown(
            "Lag by partition",
            "Records that wait. One partition far above the others has an account, or few, that bring most events.",
            "short",
            [Query(f"sum by (partition) (stream_enforcer_lag_records{{{OF_PARTITION}}})", "{{partition}}")],
            "lag-growing",
        )
    ),
    graph(
        Shown(
            "Events by partition",
            "Records processed and committed.",
            "eps",
            [
                Query(
                    "sum by (partition)"
                    f" (rate(stream_enforcer_records_consumed_total{{{OF_PARTITION}}}[$__rate_interval]))",
                    "{{partition}}",
                )
            ],
            "no-progress",
        )
    ),
    graph(
        Shown(
            "Accounts by partition",
            "Accounts held in memory. Partitions should be alike.",
            "short",
            [Query(f"max by (partition) (stream_enforcer_accounts{{{OF_PARTITION}}})", "{{partition}}")],
        )
    ),
    graph(
        Shown(
            "Paused, by reason",
            "1 while a partition stands still: dead_letters waits for a person, transient is tried again, fenced and "
            "given_away belong to another replica.",
            "short",
            [
                Query(
                    or_none(
                        f"max by (partition, reason) (stream_enforcer_partition_paused{{{OF_PARTITION}}})",
                        "reason",
                    ),
                    "{{partition}} {{reason}}",
                )
            ],
            "partition-paused",
        )
    ),
    graph(
        Shown(
            "Being opened since",
            "How long a partition has been opening: its accounts are restored, and it takes no events.",
            "s",
            [
                Query(
                    or_none(
                        "time() - max by (partition)"
                        f" (stream_enforcer_partition_opening_timestamp_seconds{{{OF_PARTITION}}})",
                        "partition",
                    ),
                    "{{partition}}",
                )
            ],
            "restore-stuck",
            worse_above(60, 600),
        )
    ),
    graph(
        Shown(
            "Time to open",
            "How long it took the last time. It grows with the accounts of the partition.",
            "s",
            [
                Query(
                    f"max by (partition) (stream_enforcer_partition_open_seconds{{{OF_PARTITION}}})",
                    "{{partition}}",
                )
            ],
            "restore-stuck",
        )
    ),
]

REPLICAS: Final = [
    graph(
        Shown(
            "Partitions by replica",
            "Who owns how many.",
            "short",
            [Query(f"sum by (instance) (stream_enforcer_partitions_owned{{{SCOPE}}})", "{{instance}}")],
            "partitions-unowned",
            stacked=True,
        )
    ),
    graph(
        Shown(
            "Transactions by result",
            "Committed; fenced by another owner; or unknown, which is thrown away and judged again.",
            "ops",
            [
                Query(
                    "sum by (result)"
                    f" (rate(stream_enforcer_transactions_total{{{SCOPE}}}[$__rate_interval]))",
                    "{{result}}",
                )
            ],
            "transactions-failing",
        )
    ),
    graph(
        Shown(
            "Commit time",
            "From the start of a transaction to its end.",
            "s",
            [
                Query(
                    f"histogram_quantile({part}, sum by (le)"
                    f" (rate(stream_enforcer_commit_seconds_bucket{{{SCOPE}}}[$__rate_interval])))",
                    legend,
                )
                for part, legend in ((0.5, "half are faster"), (0.99, "99 % are faster"))
            ],
            "transactions-failing",
        )
    ),
    graph(
        Shown(
            "Silence",
            "Time since each replica last read from Kafka. One that owns no partition reads nothing.",
            "s",
            [
                Query(
                    f"(time() - stream_enforcer_last_poll_timestamp_seconds{{{SCOPE}}})"
                    " and on (job, namespace, instance, pod)"
                    f" stream_enforcer_partitions_owned{{{SCOPE}}} > 0",
                    "{{instance}}",
                )
            ],
            "no-progress",
            worse_above(10, 60),
        )
    ),
]


def board() -> Board:
    """Return the dashboard."""
    return Board(
        "stream-enforcer-tasks",
        "Kafka tasks",
        "How is each partition doing, and each replica?",
        {"Now": NOW, "Partitions": PARTITIONS, "Replicas": REPLICAS},
        by_partition=True,
    )
