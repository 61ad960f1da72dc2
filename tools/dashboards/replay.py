"""*Replay*: how far are the replays that run now? What they find stands in their results."""

from typing import Final

from tools.dashboards.parts import SCOPE, Board, Query, Shown, figure, graph, or_none

TAKEN: Final = f"stream_enforcer_replay_records_total{{{SCOPE}}}"
TOTAL: Final = f"stream_enforcer_replay_records{{{SCOPE}}}"

NOW: Final = [
    figure(
        Shown(
            "Replays",
            "Processes that read history now.",
            "short",
            [Query(f"count({TAKEN}) or vector(0)", "processes")],
        )
    ),
    figure(
        Shown(
            "Done",
            "Part of the records of all of them that were taken. Those of a resumed replay count from where it was.",
            "percentunit",
            [Query(f"sum({TAKEN} and {TOTAL}) / sum({TOTAL})", "done")],
        )
    ),
    figure(
        Shown(
            "Time left",
            "Of the one that will take longest, at the speed of the last five minutes.",
            "s",
            [Query(f"max(clamp_min({TOTAL} - {TAKEN}, 0) / rate({TAKEN}[5m]))", "left")],
        )
    ),
    figure(
        Shown(
            "Accounts",
            "Accounts met.",
            "short",
            [Query(f"sum(stream_enforcer_replay_accounts{{{SCOPE}}})", "accounts")],
        )
    ),
]

COURSE: Final = [
    graph(
        Shown(
            "Records",
            "Records of history taken by each process.",
            "eps",
            [Query(f"rate({TAKEN}[$__rate_interval])", "{{instance}}")],
        )
    ),
    graph(
        Shown(
            "Part done",
            "Records taken, as part of those to take.",
            "percentunit",
            [Query(f"{TAKEN} / {TOTAL}", "{{instance}}")],
        )
    ),
    graph(
        Shown(
            "Where in history",
            "How old the newest event is that each process has taken.",
            "s",
            [
                Query(
                    f"time() - stream_enforcer_replay_newest_event_timestamp_seconds{{{SCOPE}}}",
                    "{{instance}}",
                )
            ],
        )
    ),
    graph(
        Shown(
            "Records that are no events",
            "By class. They are counted, and stop nothing.",
            "short",
            [
                Query(
                    or_none(f"sum by (reason) (stream_enforcer_replay_malformed_total{{{SCOPE}}})", "reason"),
                    "{{reason}}",
                )
            ],
        )
    ),
    graph(
        Shown(
            "Processor",
            "Cores that each process uses. It can use one.",
            "short",
            [
                Query(
                    "rate(process_cpu_seconds_total[$__rate_interval])"
                    f" and on (job, namespace, instance, pod) {TAKEN}",
                    "{{instance}}",
                )
            ],
        )
    ),
    graph(
        Shown(
            "Memory",
            "What each process holds; it grows with the accounts.",
            "bytes",
            [
                Query(
                    f"process_resident_memory_bytes and on (job, namespace, instance, pod) {TAKEN}",
                    "{{instance}}",
                )
            ],
        )
    ),
]


def board() -> Board:
    """Return the dashboard."""
    return Board(
        "stream-enforcer-replay",
        "Replay",
        "How far are the replays that run with --metrics? What they find stands in their results, not here.",
        {"Now": NOW, "Course": COURSE},
        of="stream_enforcer_replay_accounts",
        since="now-1h",
    )
