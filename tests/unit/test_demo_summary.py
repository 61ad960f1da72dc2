"""What the demo says at its end and while it runs, from figures alone."""

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType
from rich.text import Text

from stream_enforcer.demo.readings import Meter, Reading, reading
from stream_enforcer.demo.summary import (
    Figures,
    Latency,
    ReplicaFigures,
    because_of,
    milliseconds,
    numbers,
    reasons_table,
    summary,
)
from stream_enforcer.demo.view import PLAIN_EVERY_SECONDS, ReplicaLine, Snapshot, View, layout, line
from stream_enforcer.reference.policy_file import load_policy

LATENCY = Latency(rate=1_000, events=6_000, p50=0.0274, p99=0.0712, longest=0.104)
BY_REASON = {
    ("allow", "no rule matched"): 8_024,
    ("review", "phone-country-restricted"): 119,
    ("suspend", "ownership-restricted"): 106,
    ("suspend", "signup-from-restricted-region"): 155,
    ("suspend", "override"): 1,
}
SHOWN: dict[str, Any] = {
    "account_id": "acct-000002",
    "action": "suspend",
    "reasons": [{"code": "ownership-restricted", "message": "More than the threshold is owned."}],
    "reference": {"geo": {"built_at": "2026-06-17"}},
}
FIGURES = Figures(
    sent={"signups": 8_500, "usage": 47_496, "overrides": 4},
    flood=50_000,
    flood_seconds=2.5,
    cores=2,
    latency=LATENCY,
    accounts=8_500,
    suspended=367,
    by_action={"suspend": 401, "allow": 8_309},
    by_reason=BY_REASON,
    dead_letters=25,
    replicas=[
        ReplicaFigures("replica-1", (0, 1), 27_924, "http://127.0.0.1:45957/metrics"),
        ReplicaFigures("replica-2", (2, 3), 28_076, "http://127.0.0.1:33733/metrics"),
    ],
    shown=SHOWN,
)
SNAPSHOT = Snapshot(
    seconds=3.21,
    act="steady 1,000 events/s",
    sent=51_000,
    to_send=56_000,
    judged=50_900,
    decisions=3_500,
    by_reason=BY_REASON,
    replicas=[
        ReplicaLine("replica-1", Reading((0, 1), judged=25_450, lag=60), rate=510.4),
        ReplicaLine("replica-2", Reading((2, 3), judged=25_450, lag=40), rate=490.0),
    ],
    latency=None,
)


def shown_at_80_columns(*parts: RenderableType) -> str:
    console = Console(file=StringIO(), width=80)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def words(text: str) -> str:
    return " ".join(text.split())


def page(figures: Figures = FIGURES) -> str:
    return shown_at_80_columns(*summary(figures, Text("└── 60 % of it"), "Apache Kafka 4.1.2"))


@pytest.mark.parametrize(
    "said",
    [
        "56,000: 8,500 signups, 47,496 usage, 4 overrides",
        "25 of them malformed on purpose",
        "8,710: 8,309 allow, 401 suspend",
        "367 of 8,500 are suspended",
        "20,000 events/s 50,000 events in 2.5 s",
        "share 2 cores",
        "p50 27 ms, p99 71 ms, longest 104 ms",
        "6,000 signups at a steady 1,000/s",
        "replica-1 partitions 0, 1, 27,924 events, http://127.0.0.1:45957/metrics",
        "Account acct-000002: suspend ownership-restricted: More than the threshold is owned. └── 60 % of it",
        "tables built 2026-06-17 (credit nro.net",
        "Apache Kafka 4.1.2, its topics",
        "assembled the companies",
    ],
)
def test_the_summary_says_what_was_counted_measured_real_and_assembled(said: str) -> None:
    assert said in words(page())


def test_the_summary_fits_on_80_columns_and_leaves_room_for_progress_below_80_lines() -> None:
    lines = page().splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 60


def test_a_run_without_the_shown_account_says_so() -> None:
    assert "has no decision" in page(replace(FIGURES, shown=None))


def test_decisions_are_listed_by_outcome_then_by_frequency() -> None:
    rows = [words(row) for row in shown_at_80_columns(reasons_table(BY_REASON)).splitlines()]
    assert rows == [
        "decision because of reason count",
        "suspend geography signup-from-restricted-region 155",
        "suspend ownership ownership-restricted 106",
        "suspend override 1",
        "allow, review geography phone-country-restricted 119",
        "allow no rule matched 8,024",
    ]


def test_every_rule_of_the_packaged_policy_is_about_ownership_or_geography_or_missing_data() -> None:
    about = {rule.id: because_of(rule.id) for rule in load_policy(None).document.rules}
    assert {
        "ownership-restricted": "ownership",
        "usage-from-restricted-region": "geography",
    }.items() <= about.items()
    assert [code for code, kind in about.items() if not kind] == ["degraded-inputs"]


def test_a_snapshot_without_a_terminal_is_one_line() -> None:
    expected = (
        "  3.2 s  steady 1,000 events/s: 51,000 sent, 50,900 judged (1,000/s), lag 100, 3,500 decisions"
    )
    assert line(SNAPSHOT) == expected
    assert line(replace(SNAPSHOT, latency=LATENCY)) == f"{expected}, p50 27 ms, p99 71 ms"


def test_without_a_terminal_a_line_comes_every_two_seconds() -> None:
    console = Console(file=StringIO(), width=80)
    with View(console) as view:
        for tenths in range(50):
            view.show(replace(SNAPSHOT, seconds=tenths / 10))
    assert isinstance(console.file, StringIO)
    shown = [row.split()[0] for row in console.file.getvalue().splitlines()]
    assert shown == ["0.0", "2.0", "4.0"]
    assert PLAIN_EVERY_SECONDS == 2.0


def test_the_live_view_fits_on_80_columns_and_24_lines() -> None:
    thirteen = {("suspend", f"a-rule-with-quite-a-long-name-{n}"): 1_000 for n in range(13)}
    shown = shown_at_80_columns(layout(replace(SNAPSHOT, by_reason=thirteen, latency=LATENCY))).splitlines()
    assert len(shown) < 24
    assert max(map(len, shown)) <= 80
    assert words(shown[6]) == "replica-1 0, 1 25,450 510 60"
    assert "p50 27 ms, p99 71 ms" in shown[3]


def test_a_live_view_is_drawn_on_a_terminal_and_gone_at_its_end() -> None:
    console = Console(file=StringIO(), width=80, force_terminal=True, color_system=None)
    with View(console) as view:
        view.show(SNAPSHOT)
    assert isinstance(console.file, StringIO)
    drawn = console.file.getvalue()
    assert "50,900" in drawn
    assert drawn.endswith("\x1b[2K")


def test_a_reading_sums_up_a_replicas_metrics() -> None:
    said = reading(
        {
            "stream_enforcer_accounts": {(("partition", "3"),): 10.0, (("partition", "0"),): 12.0},
            "stream_enforcer_records_consumed_total": {
                (("topic", "usage"),): 5.0,
                (("topic", "signups"),): 2.0,
            },
            "stream_enforcer_decisions_total": {(("action", "allow"), ("rule", "none")): 3.0},
            "stream_enforcer_dead_letters_total": {(("reason", "not-json"),): 1.0},
            "stream_enforcer_lag_records": {(("partition", "3"), ("topic", "usage")): 4.0},
        }
    )
    assert said == Reading((0, 3), judged=7, decisions=3, dead_letters=1, lag=4)


def test_a_meter_knows_the_rate_of_the_last_second() -> None:
    meter = Meter()
    assert meter.rate == 0
    for tenths in range(51):
        meter.add(tenths / 10, 0 if tenths < 40 else (tenths - 40) * 50)
    assert meter.rate == pytest.approx(500)


def test_small_numbers_are_written_out() -> None:
    assert (milliseconds(1.2345), numbers([0, 2]), numbers([])) == ("1,234 ms", "0, 2", "none")
