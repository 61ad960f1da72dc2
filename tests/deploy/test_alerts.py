"""Alerts: each one fires in a case and stays quiet in another, and speaks of metrics that there are."""

import subprocess

import pytest
import yaml

from tests.deploy.monitoring import (
    CASES,
    MISSING,
    PROMETHEUS,
    RULES,
    alerts,
    tool,
    unknown_labels,
    unknown_names,
)

PROMTOOL = tool("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason=MISSING.format("promtool"))


def promtool(*arguments: str) -> str:
    """Run promtool; return what it said, and fail with that when it does not agree."""
    assert PROMTOOL is not None
    ended = subprocess.run(
        [PROMTOOL, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@needs_promtool
def test_rules_and_scrape_configuration_are_what_prometheus_reads() -> None:
    promtool("check", "rules", "rules.yaml")
    promtool("check", "config", "prometheus.yaml")


@needs_promtool
@pytest.mark.parametrize("name", alerts())
def test_an_alert_fires_when_it_should_and_not_when_it_should_not(name: str) -> None:
    promtool("test", "rules", f"tests/{alerts()[name].page.stem}.yaml")


@pytest.mark.parametrize("name", alerts())
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_quiet(name: str) -> None:
    cases = yaml.safe_load((CASES / f"{alerts()[name].page.stem}.yaml").read_text(encoding="utf-8"))
    asked = [test for case in cases["tests"] for test in case["alert_rule_test"]]
    assert {test["alertname"] for test in asked} == {name}
    assert {bool(test["exp_alerts"]) for test in asked} == {True, False}


def test_there_is_no_case_without_an_alert() -> None:
    assert {path.stem for path in CASES.iterdir()} == {alert.page.stem for alert in alerts().values()}


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_it_means_and_how_bad_it_is(name: str) -> None:
    rule = alerts()[name].rule
    assert name.startswith("StreamEnforcer")
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert not rule["annotations"]["runbook_url"].startswith(("/", "http"))


def test_rules_speak_of_metrics_and_labels_that_there_are() -> None:
    text = RULES.read_text(encoding="utf-8")
    assert unknown_names(text) == []
    assert unknown_labels(text) == []
    for case in CASES.iterdir():
        assert unknown_names(case.read_text(encoding="utf-8")) == []


def test_a_metric_or_label_that_is_not_there_is_found() -> None:
    assert unknown_names("rate(stream_enforcer_decisions[5m]) / stream_enforcer:nothing:rate") == [
        "stream_enforcer:nothing:rate",
        "stream_enforcer_decisions",
    ]
    assert unknown_names("stream_enforcer_commit_seconds_bucket, stream_enforcer_lag_records") == []
    assert unknown_names("stream_enforcer_commit_seconds") == ["stream_enforcer_commit_seconds"]
    assert unknown_labels('stream_enforcer_decisions_total{job="a", action="b", topic="c"}') == [
        "stream_enforcer_decisions_total: topic"
    ]
