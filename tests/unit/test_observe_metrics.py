"""The catalogue and the objects are one; labels are never personal."""

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric, generate_latest

from stream_enforcer.observe.catalogue import (
    CATALOGUE,
    DECISIONS,
    LATENCY_SECONDS,
    PREFIX,
    TRANSACTION_RESULTS,
    catalogue_table,
)
from stream_enforcer.observe.metrics import BatchHistogram, Metrics

ALLOWED_LABELS = {
    *("topic", "partition", "action", "rule", "reason", "result", "kind"),
    *("version", "python", "id", "hash", "mode", "changed", "jurisdiction"),
}


def made() -> Metrics:
    return Metrics(CollectorRegistry(), "1.2.3")


def ours(metrics: Metrics) -> dict[str, Metric]:
    return {m.name: m for m in metrics.registry.collect() if m.name.startswith(PREFIX)}


def test_catalogue_and_registry_hold_the_same_metrics() -> None:
    registered = {(m.name, m.type, m.documentation) for m in ours(made()).values()}
    named = {
        (spec.name.removesuffix("_total").removesuffix("_info"), spec.kind, spec.help) for spec in CATALOGUE
    }
    assert registered == named
    assert len(named) == len(CATALOGUE)


def test_no_label_can_hold_anything_personal() -> None:
    assert {label for spec in CATALOGUE for label in spec.labels} <= ALLOWED_LABELS


def test_every_metric_is_explained_in_the_table() -> None:
    lines = catalogue_table().splitlines()
    assert len(lines) == 2 + len(CATALOGUE)
    assert f"| `stream_enforcer_decisions_total` | counter | `action`, `rule` | {DECISIONS.help} |" in lines
    assert all(spec.help.endswith(".") for spec in CATALOGUE)


def test_names_in_the_catalogue_are_the_exported_ones() -> None:
    metrics = made()
    for name in (*metrics.__slots__,):
        metric = getattr(metrics, name)
        labels = getattr(metric, "_labelnames", ())
        if labels:
            metric.labels(*("x" for _ in labels))
    metrics.policy_in_force("p", "1", "f" * 64, "enforce")
    text = generate_latest(metrics.registry).decode()
    for spec in CATALOGUE:
        suffix = "_count" if spec.kind == "histogram" else ""
        assert f"\n{spec.name}{suffix}" in text


def test_build_and_policy_are_told_with_a_short_hash() -> None:
    metrics = made()
    metrics.policy_in_force("restricted-regions", "3", "0123456789abcdef", "shadow")
    metrics.policy_in_force("restricted-regions", "4", "fedcba9876543210", "enforce")
    value = metrics.registry.get_sample_value
    labels = {"id": "restricted-regions", "version": "4", "hash": "fedcba987654", "mode": "enforce"}
    assert value("stream_enforcer_policy_info", labels) == 1.0
    assert len(ours(metrics)["stream_enforcer_policy"].samples) == 1
    assert ours(metrics)["stream_enforcer_build"].samples[0].labels["version"] == "1.2.3"


def test_no_series_tells_since_when_another_counts() -> None:
    metrics = made()
    metrics.records.labels("usage", "0").inc()
    assert b"_created" not in generate_latest(metrics.registry)


def test_every_result_of_a_transaction_counts_from_zero() -> None:
    metrics = made()
    for result in TRANSACTION_RESULTS:
        labels = {"result": result}
        assert metrics.registry.get_sample_value("stream_enforcer_transactions_total", labels) == 0.0


def test_a_partition_that_left_is_no_longer_shown() -> None:
    metrics = made()
    for partition in ("1", "11"):
        metrics.lag.labels("usage", partition).set(5)
        metrics.accounts.labels(partition).set(7)
    metrics.forget_partition(1)
    shown = ours(metrics)
    assert [s.labels for s in shown["stream_enforcer_lag_records"].samples] == [
        {"topic": "usage", "partition": "11"}
    ]
    assert [s.labels for s in shown["stream_enforcer_accounts"].samples] == [{"partition": "11"}]


def test_a_partition_is_opening_until_it_is_open_and_then_tells_how_long_it_took() -> None:
    metrics = made()

    def shown(name: str) -> dict[str, float]:
        return {s.labels["partition"]: s.value for s in ours(metrics)[f"stream_enforcer_{name}"].samples}

    metrics.opening(3, 1_000.0)
    metrics.paused(3, "transient")
    assert shown("partition_opening_timestamp_seconds") == {"3": 1_000.0}
    metrics.opened(3, 7, 4.5)
    assert shown("partition_opening_timestamp_seconds") == {}
    assert shown("partition_paused") == {}
    assert shown("partition_open_seconds") == {"3": 4.5}
    assert shown("accounts") == {"3": 7.0}
    metrics.opening(3, 2_000.0)
    metrics.forget_partition(3)
    assert shown("partition_opening_timestamp_seconds") == shown("partition_open_seconds") == {}


def test_readiness_is_asked_for_at_each_look() -> None:
    metrics = made()
    answers = [False, True]
    metrics.ready_when(answers.pop)
    assert [metrics.registry.get_sample_value("stream_enforcer_ready") for _ in range(2)] == [1.0, 0.0]


def test_the_process_is_measured_on_the_same_registry() -> None:
    names = {metric.name for metric in made().registry.collect()}
    assert {"process_cpu_seconds", "python_info", "python_gc_collections"} <= names


@given(st.lists(st.lists(st.integers(-5_000, 70_000), max_size=20), max_size=5))
def test_a_histogram_by_batches_is_the_histogram_by_values(batches: list[list[int]]) -> None:
    now = 1_000_000
    histogram = BatchHistogram(LATENCY_SECONDS, CollectorRegistry())
    for batch in batches:
        histogram.observe_batch(now, [now - latency for latency in batch])
    values = sorted(max(0, latency) / 1000 for batch in batches for latency in batch)
    (family,) = histogram.collect()
    shown = {(s.name, s.labels.get("le")): s.value for s in family.samples}
    name = LATENCY_SECONDS.name
    for bound in LATENCY_SECONDS.buckets:
        assert shown[f"{name}_bucket", str(bound)] == sum(value <= bound for value in values)
    assert shown[f"{name}_bucket", "+Inf"] == shown[f"{name}_count", None] == len(values)
    assert shown[f"{name}_sum", None] == pytest.approx(sum(values))


def test_a_latency_on_a_bound_belongs_below_it() -> None:
    assert bisect_left(LATENCY_SECONDS.buckets, 0.005) == 0
    registry = CollectorRegistry()
    BatchHistogram(LATENCY_SECONDS, registry).observe_batch(5, [0])
    assert registry.get_sample_value(f"{LATENCY_SECONDS.name}_bucket", {"le": "0.005"}) == 1.0


def test_a_second_set_on_the_same_registry_is_refused() -> None:
    metrics = made()
    with pytest.raises(ValueError, match="Duplicated"):
        Metrics(metrics.registry, "1")
    with pytest.raises(ValueError, match="Duplicated"):
        BatchHistogram(LATENCY_SECONDS, metrics.registry)


def test_a_paused_partition_shows_its_latest_reason_until_it_is_opened_or_given_away() -> None:
    metrics = made()

    def shown() -> list[dict[str, str]]:
        return [s.labels for s in ours(metrics)["stream_enforcer_partition_paused"].samples]

    for done in (metrics.not_paused, metrics.forget_partition):
        metrics.paused(3, "transient")
        metrics.paused(3, "dead_letters")
        assert shown() == [{"partition": "3", "reason": "dead_letters"}]
        done(3)
        assert shown() == []
