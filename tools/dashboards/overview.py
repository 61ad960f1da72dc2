"""*Overview*: is the service well, and what does it decide?"""

from typing import Final

from tools.dashboards.parts import (
    OURS,
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

NOW: Final = [
    figure(
        Shown(
            "Alerts firing",
            "Alerts of this service that fire now. Each has a runbook.",
            "short",
            [
                Query(
                    'count(ALERTS{alertname=~"StreamEnforcer.*", alertstate="firing"}) or vector(0)', "alerts"
                )
            ],
            "README",
            worse_above(1, 2),
        )
    ),
    figure(
        Shown(
            "Replicas ready",
            "Replicas that say on /readyz that they do all their work.",
            "short",
            [Query(f"sum(stream_enforcer_ready{{{SCOPE}}})", "ready")],
            "not-ready",
            better_above(1),
        )
    ),
    figure(
        Shown(
            "Events",
            "Input records processed and committed, over five minutes.",
            "eps",
            [Query(f"sum(stream_enforcer:records:rate5m{{{SCOPE}}})", "events")],
            "no-decisions",
        )
    ),
    figure(
        Shown(
            "Decisions",
            "Decisions published, over five minutes.",
            "cps",
            [Query(f"sum(stream_enforcer:decisions:rate5m{{{SCOPE}}})", "decisions")],
            "no-decisions",
        )
    ),
    figure(
        Shown(
            "Suspend ratio",
            "Part of the decisions of the last 30 minutes that suspend.",
            "percentunit",
            [Query(f"max(stream_enforcer:suspend_ratio:30m{{{SCOPE}}})", "suspend")],
            "suspend-ratio-jump",
        )
    ),
    figure(
        Shown(
            "Latency, p99",
            "From the timestamp of an event until the decision that it causes is committed; 99 % are faster.",
            "s",
            [Query(f"max(stream_enforcer:event_to_decision_seconds:p99_5m{{{SCOPE}}})", "p99")],
            "lag-growing",
            worse_above(1, 10),
        )
    ),
    figure(
        Shown(
            "Lag",
            "Records that wait, in all partitions.",
            "short",
            [Query(f"sum(stream_enforcer:lag_records:sum{{{SCOPE}}})", "records")],
            "lag-growing",
        )
    ),
    figure(
        Shown(
            "Dead letters",
            "Part of the records of the last ten minutes that could not be read.",
            "percentunit",
            [Query(f"max(stream_enforcer:dead_letter_ratio:10m{{{SCOPE}}})", "dead letters")],
            "dead-letters",
            worse_above(0.01, 0.1),
        )
    ),
]

WORK: Final = [
    graph(
        Shown(
            "Events by topic",
            "Input records processed and committed.",
            "eps",
            [
                Query(
                    f"sum by (topic) (rate(stream_enforcer_records_consumed_total{{{SCOPE}}}[$__rate_interval]))",
                    "{{topic}}",
                )
            ],
            "no-progress",
            stacked=True,
        )
    ),
    graph(
        Shown(
            "Decisions by action",
            "What the published decisions say. An account whose verdict does not change causes none.",
            "cps",
            [Query(f"sum by (action) (stream_enforcer:decisions:rate5m{{{SCOPE}}})", "{{action}}")],
            "no-decisions",
            stacked=True,
        )
    ),
    graph(
        Shown(
            "Suspend ratio",
            "Part of the decisions of 30 minutes that suspend, and three times what it was on average over the day "
            "before: the alert fires where the first is above the second, and above 5 %.",
            "percentunit",
            [
                Query(f"max(stream_enforcer:suspend_ratio:30m{{{SCOPE}}})", "suspend"),
                Query(
                    "clamp_min(3 * max("
                    f"avg_over_time(stream_enforcer:suspend_ratio:30m{{{SCOPE}}}[1d] offset 1h)), 0.05)"
                    " or vector(0.05)",
                    "limit",
                ),
            ],
            "suspend-ratio-jump",
        )
    ),
    graph(
        Shown(
            "Dead letters by class",
            "Records that could not be read. Those that come one after the other pause their partition.",
            "eps",
            [
                Query(
                    or_none(
                        f"sum by (reason) (rate(stream_enforcer_dead_letters_total{{{SCOPE}}}[$__rate_interval]))",
                        "reason",
                    ),
                    "{{reason}}",
                )
            ],
            "dead-letters",
            stacked=True,
        )
    ),
]

SPEED: Final = [
    graph(
        Shown(
            "Latency",
            "From the timestamp of an event until the decision that it causes is committed. A backlog shows here as "
            "the age of its events.",
            "s",
            [
                Query(f"max(stream_enforcer:event_to_decision_seconds:p50_5m{{{SCOPE}}})", "half are faster"),
                Query(f"max(stream_enforcer:event_to_decision_seconds:p99_5m{{{SCOPE}}})", "99 % are faster"),
            ],
            "lag-growing",
            worse_above(1, 10),
        )
    ),
    graph(
        Shown(
            "Lag by topic",
            "Records between the position and the end of the topics.",
            "short",
            [Query(f"sum by (topic) (stream_enforcer_lag_records{{{SCOPE}}})", "{{topic}}")],
            "lag-growing",
            stacked=True,
        )
    ),
    graph(
        Shown(
            "Processor",
            "Cores that each replica uses. It can use one; near one it is at its limit.",
            "short",
            [Query(f"rate(process_cpu_seconds_total[$__rate_interval]) {OURS}", "{{instance}}")],
            "lag-growing",
            worse_above(0.8, 0.95),
        )
    ),
    graph(
        Shown(
            "Memory",
            "What each replica holds: the accounts of its partitions, geo tables, ownership data, work under way.",
            "bytes",
            [Query(f"process_resident_memory_bytes {OURS}", "{{instance}}")],
            "replica-missing",
        )
    ),
]


def board() -> Board:
    """Return the dashboard."""
    return Board(
        "stream-enforcer-overview",
        "Overview",
        "Is the service well, what does it decide, and how fast?",
        {"Now": NOW, "Events and decisions": WORK, "Speed": SPEED},
    )
