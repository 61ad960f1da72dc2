"""The Helm chart: what it renders is valid, may do the least, and is what the program and the settings say."""

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.charts import ALL, CREATING, PLAIN, SECURED, any_values, rendered, settings_of
from tests.deploy.manifests import faults, pods, risks
from tests.deploy.programs import CHART, DEPLOY, ROOT, only, output, program
from tools.deploy_files import DEPLOY as WRITTEN_TO
from tools.deploy_files import deploy_files


def test_what_the_code_and_other_files_know_is_what_is_committed() -> None:
    assert {name: (WRITTEN_TO / name).read_text("utf-8") for name in deploy_files()} == deploy_files(), (
        "run `python -m tools.deploy_files`"
    )


def test_the_chart_has_the_version_of_the_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["appVersion"] == project["version"]
    assert chart["name"] == project["name"]


def test_rules_and_dashboards_are_those_of_the_other_folders() -> None:
    assert (CHART / "files" / "rules.yaml").resolve() == DEPLOY / "prometheus" / "rules.yaml"
    assert (CHART / "files" / "dashboards").resolve() == DEPLOY / "grafana" / "dashboards"


def test_no_value_of_the_chart_is_a_secret() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    assert "sasl_username" in schema["$defs"]["Kafka"]["properties"]
    assert not {"sasl_password", "ssl_key_password"} & schema["$defs"]["Kafka"]["properties"].keys()


@pytest.mark.deploy
def test_helm_finds_nothing_amiss(tmp_path: Path) -> None:
    for values in ALL.values():
        file = tmp_path / "values.yaml"
        file.write_text(yaml.safe_dump(values), "utf-8")
        output(program("helm"), "lint", "--strict", CHART, "--values", file)


@pytest.mark.deploy
@any_values
def test_what_it_renders_is_valid(values: dict[str, Any], tmp_path: Path) -> None:
    assert faults(rendered(values, tmp_path)) == []


@pytest.mark.deploy
@any_values
def test_its_pods_may_do_the_least(values: dict[str, Any], tmp_path: Path) -> None:
    assert [risks(pod) for pod in pods(rendered(values, tmp_path)) if risks(pod)] == []


@pytest.mark.deploy
@any_values
def test_the_program_accepts_the_settings_and_reads_them_as_they_were_given(
    values: dict[str, Any], tmp_path: Path
) -> None:
    settings = settings_of(rendered(values, tmp_path), tmp_path)
    given = values.get("settings", {})
    assert settings.max_in_flight_records == given.get("max_in_flight_records", 40_000)
    assert settings.kafka.bootstrap_servers == given.get("kafka", {}).get("bootstrap_servers", "kafka:9092")
    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 8080)  # noqa: S104 - within a pod


@pytest.mark.deploy
@any_values
def test_a_pod_is_given_more_time_than_it_takes_to_drain(values: dict[str, Any], tmp_path: Path) -> None:
    resources = rendered(values, tmp_path)
    drain = settings_of(resources, tmp_path).drain_timeout_ms / 1000
    [pod] = pods([only(resources, "Deployment")])
    assert pod["terminationGracePeriodSeconds"] == math.ceil(drain) + 15


@pytest.mark.deploy
def test_neither_lag_nor_kafka_restarts_a_pod(tmp_path: Path) -> None:
    [pod] = pods(rendered(PLAIN, tmp_path))
    [container] = pod["containers"]
    assert (
        container["livenessProbe"]["httpGet"]["path"]
        == container["startupProbe"]["httpGet"]["path"]
        == "/livez"
    )
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


@pytest.mark.deploy
@pytest.mark.parametrize(
    "change", [{"policy": "id: other\n"}, {"settings": {"emit": "every"}}], ids=["policy", "settings"]
)
def test_another_policy_or_setting_makes_other_pods(change: dict[str, Any], tmp_path: Path) -> None:
    sums = [
        only(rendered(values, tmp_path), "Deployment")["spec"]["template"]["metadata"]["annotations"][
            "checksum/config"
        ]
        for values in (PLAIN, {**PLAIN, **change})
    ]
    assert sums[0] != sums[1]


@pytest.mark.deploy
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"settings": {"kafka": {"sasl_password": "hush"}}}, "sasl_password"),
        ({"settings": {"http": {"port": 1}}}, "http"),
        ({"settings": {"emit": "some"}}, "emit"),
        ({"replica": 3}, "replica"),
        ({"reference": {"volume": {"emptyDir": {}}, "load": {"image": "x"}}}, "reference"),
        (
            {
                "keda": {"enabled": True},
                "settings": {"kafka": {"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER"}},
            },
            "keda",
        ),
    ],
    ids=[
        "a secret",
        "the port",
        "no such value",
        "no such key",
        "two sources",
        "a mechanism that KEDA is not set up for",
    ],
)
def test_wrong_values_are_refused_by_name(wrong: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=said):
        rendered(wrong, tmp_path)


@pytest.mark.deploy
def test_the_rules_and_every_dashboard_are_rendered_as_they_are(tmp_path: Path) -> None:
    resources = rendered(SECURED, tmp_path)
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text("utf-8"))
    assert only(resources, "PrometheusRule")["spec"] == rules
    shown = {
        name: json.loads(text)
        for r in resources
        if r["kind"] == "ConfigMap"
        for name, text in r["data"].items()
        if name.endswith(".json")
    }
    files = (DEPLOY / "grafana" / "dashboards").glob("*.json")
    assert shown == {path.name: json.loads(path.read_text("utf-8")) for path in files}


@pytest.mark.deploy
def test_every_selector_finds_the_pods_of_the_service_and_none_of_a_job(tmp_path: Path) -> None:
    resources = rendered(CREATING | {"podDisruptionBudget": {"enabled": True}}, tmp_path)
    service, job = (
        only(resources, kind)["spec"]["template"]["metadata"]["labels"] for kind in ("Deployment", "Job")
    )
    selectors = [
        only(resources, "Deployment")["spec"]["selector"]["matchLabels"],
        only(resources, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        only(resources, "Service")["spec"]["selector"],
    ]
    assert all(selector.items() <= service.items() for selector in selectors)
    assert not any(selector.items() <= job.items() for selector in selectors)
    shared = only(resources, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
    assert shared.items() <= service.items()
    assert shared.items() <= job.items()


@pytest.mark.deploy
def test_a_package_of_the_chart_holds_the_rules_and_the_dashboards(tmp_path: Path) -> None:
    output(program("helm"), "package", CHART, "--destination", tmp_path)
    [package] = tmp_path.glob("*.tgz")
    assert len(output("tar", "--list", "--file", package).split()) == len(list(_files()))


def _files() -> list[str]:
    """List the files that a package should hold; links to folders are followed."""
    own = [p for p in CHART.rglob("*") if p.is_file() and p.name != ".helmignore"]
    linked = [p for p in (CHART / "files" / "dashboards").iterdir() if p.is_file()]
    return [*map(str, own), *map(str, linked)]
