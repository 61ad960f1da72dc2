"""*Policy and reference*: by what is it judged, how old is that, and what does each rule do?"""

from typing import Final

from tools.dashboards.parts import OURS, SCOPE, Board, Query, Shown, graph, listing, or_none, worse_above

VERSIONS: Final = [
    listing(
        Shown(
            "Policies in force",
            "One row for each policy, with the number of replicas that judge by it. Two rows for longer than a "
            "roll-out takes are wrong.",
            "short",
            [
                Query(
                    f"count by (id, version, mode, hash) (stream_enforcer_policy_info{{{SCOPE}}})", "replicas"
                )
            ],
            "policies-differ",
        ),
        ("id", "version", "mode", "hash"),
    ),
    listing(
        Shown(
            "Versions of the service",
            "One row for each version, with the number of replicas.",
            "short",
            [Query(f"count by (version, python) (stream_enforcer_build_info{{{SCOPE}}})", "replicas")],
        ),
        ("version", "python"),
    ),
    graph(
        Shown(
            "Age of the reference data",
            "Since the data were built. Past the limit of the policy decisions are degraded.",
            "s",
            [
                Query(f"max by (kind) (stream_enforcer_reference_age_seconds{{{SCOPE}}})", "{{kind}}"),
                Query(
                    f"max by (kind) (stream_enforcer_reference_max_age_seconds{{{SCOPE}}})",
                    "limit of {{kind}}",
                ),
            ],
            "reference-too-old",
        )
    ),
    graph(
        Shown(
            "Part of the allowed age",
            "The age of the reference data, as part of what the policy allows.",
            "percentunit",
            [
                Query(
                    f"max by (kind) (stream_enforcer_reference_age_seconds{{{SCOPE}}})"
                    f" / max by (kind) (stream_enforcer_reference_max_age_seconds{{{SCOPE}}})",
                    "{{kind}}",
                )
            ],
            "reference-too-old",
            worse_above(0.9, 1),
        )
    ),
    graph(
        Shown(
            "Policy read",
            "How long ago each replica started. A policy is read at start.",
            "s",
            [Query(f"(time() - process_start_time_seconds) {OURS}", "{{instance}}")],
            "policies-differ",
        )
    ),
    graph(
        Shown(
            "Live ownership",
            "Statements of the ownership topic in force. All replicas should show the same number.",
            "short",
            [Query(f"max by (instance) (stream_enforcer_ownership_statements{{{SCOPE}}})", "{{instance}}")],
            "ownership-refused",
        )
    ),
]

RULES: Final = [
    graph(
        Shown(
            "Suspensions by rule",
            "Decisions that suspend, by the rule of their first reason.",
            "cps",
            [
                Query(
                    "sum by (rule) (rate(stream_enforcer_decisions_total"
                    f'{{{SCOPE}, action="suspend"}}[$__rate_interval]))',
                    "{{rule}}",
                )
            ],
            "suspend-ratio-jump",
            stacked=True,
        )
    ),
    graph(
        Shown(
            "Other decisions by rule",
            "Decisions that let in, by the rule of their first reason: none, or one that asks for a review.",
            "cps",
            [
                Query(
                    "sum by (rule) (rate(stream_enforcer_decisions_total"
                    f'{{{SCOPE}, action!="suspend"}}[$__rate_interval]))',
                    "{{rule}}",
                )
            ],
            "no-decisions",
            stacked=True,
        )
    ),
    graph(
        Shown(
            "Reviews",
            "Decisions that ask people to look: their work.",
            "cps",
            [Query(f"sum(rate(stream_enforcer_reviews_total{{{SCOPE}}}[$__rate_interval]))", "reviews")],
            "reference-too-old",
        )
    ),
    graph(
        Shown(
            "Rules that only watch",
            "Matches of shadow rules: what they would have done.",
            "cps",
            [
                Query(
                    or_none(
                        f"sum by (rule) (rate(stream_enforcer_shadow_rule_matches_total{{{SCOPE}}}[$__rate_interval]))",
                        "rule",
                    ),
                    "{{rule}}",
                )
            ],
        )
    ),
    graph(
        Shown(
            "Second looks",
            "Accounts judged again because policy or reference data changed.",
            "cps",
            [
                Query(
                    or_none(
                        f"sum by (changed) (rate(stream_enforcer_second_looks_total{{{SCOPE}}}[$__rate_interval]))",
                        "changed",
                    ),
                    "{{changed}}",
                )
            ],
            "suspend-ratio-jump",
        )
    ),
    graph(
        Shown(
            "Ownership data not taken",
            "Statements that are none, and files or reads that failed, in 15 minutes.",
            "short",
            [
                Query(
                    f"sum(increase(stream_enforcer_ownership_rejected_total{{{SCOPE}}}[15m]))", "statements"
                ),
                Query(
                    f"sum(increase(stream_enforcer_ownership_failures_total{{{SCOPE}}}[15m]))",
                    "files and reads",
                ),
            ],
            "ownership-refused",
        )
    ),
]

COST: Final = [
    *(
        graph(
            Shown(
                f"Suspended usage by {name}",
                "Dollars a month that the accounts which are suspended now cost up to their latest use: what the "
                f"policy forgoes, by {meaning}.",
                "currencyUSD",
                [
                    Query(
                        f"sum by ({label}) (stream_enforcer_suspended_cost_usd_per_month{{{SCOPE}}})",
                        f"{{{{{label}}}}}",
                    )
                ],
                "suspend-ratio-jump",
                stacked=True,
            )
        )
        for name, label, meaning in (
            ("rule", "rule", "the rule of the first reason"),
            ("country", "jurisdiction", "the restricted country that it names"),
        )
    ),
    graph(
        Shown(
            "What a record costs",
            "Processor time to judge one record: decoding, geo lookup, evidence, facts, rules, ownership. A policy "
            "with dear conditions shows here.",
            "s",
            [
                Query(
                    f"sum(rate(stream_enforcer_step_seconds_sum{{{SCOPE}}}[$__rate_interval]))"
                    f" / sum(rate(stream_enforcer_records_consumed_total{{{SCOPE}}}[$__rate_interval]))",
                    "a record",
                )
            ],
            "lag-growing",
        )
    ),
    graph(
        Shown(
            "Judging at a time",
            "How long a replica judges before others have their turn. 99 % are faster.",
            "s",
            [
                Query(
                    "histogram_quantile(0.99, sum by (instance, le)"
                    f" (rate(stream_enforcer_step_seconds_bucket{{{SCOPE}}}[$__rate_interval])))",
                    "{{instance}}",
                )
            ],
            "lag-growing",
        )
    ),
]


def board() -> Board:
    """Return the dashboard."""
    return Board(
        "stream-enforcer-world",
        "Policy and reference",
        "By what is it judged, how old is that, what does each rule do, and what does judging cost?",
        {"Versions and ages": VERSIONS, "Rules": RULES, "Cost of the policy": COST},
    )
