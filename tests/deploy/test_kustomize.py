"""The Kustomize overlays: valid, least able, the same service as the chart's, with topics and rights of the program."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.kafka.access import needed
from stream_enforcer.kafka.topics import plan
from stream_enforcer.settings import CONFIG_VARIABLE, Settings, load
from tests.deploy.charts import PLAIN, rendered
from tests.deploy.manifests import acls_of, faults, pods, risks
from tests.deploy.programs import DEPLOY, ROOT, documents, only, output, program
from tools.deploy_files import STRIMZI_TYPE

FOLDER = DEPLOY / "kustomize"
PLACES = ["base", "overlays/dev", "overlays/prod", "overlays/replay"]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

pytestmark = pytest.mark.deploy


def built(place: str) -> list[dict[str, Any]]:
    """Return what a kustomization makes."""
    return documents(output(program("kustomize"), "build", FOLDER / place))


def settings_of(resources: list[dict[str, Any]], folder: Path) -> Settings:
    """Return the settings that a pod of the resources starts with."""
    [config] = [r for r in resources if r["kind"] == "ConfigMap" and "settings.yaml" in r["data"]]
    file = folder / "settings.yaml"
    file.write_text(config["data"]["settings.yaml"], "utf-8")
    [container] = pods([r for r in resources if not r["metadata"]["name"].endswith("-topics")])[0][
        "containers"
    ]
    variables = {e["name"]: e.get("value", "a secret") for e in container["env"]}
    return load(file, {name: value for name, value in variables.items() if name != CONFIG_VARIABLE})


@pytest.mark.parametrize("place", PLACES)
def test_what_it_makes_is_valid(place: str) -> None:
    assert faults(built(place)) == []


@pytest.mark.parametrize("place", PLACES)
def test_its_pods_may_do_the_least(place: str) -> None:
    assert [risks(pod) for pod in pods(built(place)) if risks(pod)] == []


@pytest.mark.parametrize("place", PLACES)
def test_the_program_accepts_the_settings(place: str, tmp_path: Path) -> None:
    resources = built(place)
    settings = settings_of(resources, tmp_path)
    for workload in (r for r in resources if r["kind"] == "Deployment"):
        seconds = workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert seconds * 1000 >= settings.drain_timeout_ms + 15_000


@pytest.mark.parametrize("place", PLACES)
def test_the_image_is_of_this_version(place: str) -> None:
    images = {container["image"] for pod in pods(built(place)) for container in pod["containers"]}
    assert images == {f"stream-enforcer:{VERSION}"}


def test_the_base_is_what_the_chart_makes_by_default(tmp_path: Path) -> None:
    by_chart, by_base = rendered(PLAIN, tmp_path), built("base")
    kinds = sorted(resource["kind"] for resource in by_base)
    assert sorted(resource["kind"] for resource in by_chart) == kinds
    for kind in set(kinds) - {"ConfigMap"}:
        assert _unnamed(only(by_chart, kind)) == _unnamed(only(by_base, kind))
    assert settings_of(by_chart, tmp_path) == settings_of(by_base, tmp_path)


def _unnamed(node: Any) -> Any:
    """Leave out what names a release, a tool or a content."""
    if isinstance(node, list):
        return [_unnamed(item) for item in node]
    if not isinstance(node, dict):
        return "stream-enforcer" if str(node).startswith(("it-stream-enforcer", "stream-enforcer-")) else node
    own = ("app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "helm.sh/chart", "annotations")
    return {key: _unnamed(value) for key, value in node.items() if key not in own}


def test_production_has_the_topics_and_rights_of_its_settings(tmp_path: Path) -> None:
    resources = built("overlays/prod")
    settings = settings_of(resources, tmp_path)
    assert acls_of(only(resources, "KafkaUser")) == {
        (STRIMZI_TYPE[g.resource], g.name, "prefix" if g.prefixed else "literal", g.operation)
        for g in needed(settings)
    }
    topics = [r["spec"] for r in resources if r["kind"] == "KafkaTopic"]
    assert {t["topicName"]: t["partitions"] for t in topics} == {
        t.name: t.partitions for t in plan(settings.topics)
    }


def test_production_is_scaled_by_the_lag_of_its_own_group(tmp_path: Path) -> None:
    resources = built("overlays/prod")
    settings = settings_of(resources, tmp_path)
    scaled = only(resources, "ScaledObject")["spec"]
    assert scaled["maxReplicaCount"] == settings.topics.partitions
    assert "replicas" not in only(resources, "Deployment")["spec"]
    for trigger in (t["metadata"] for t in scaled["triggers"]):
        assert trigger["bootstrapServers"] == settings.kafka.bootstrap_servers
        assert trigger["consumerGroup"] == settings.kafka.group
    topics = [t["metadata"]["topic"] for t in scaled["triggers"]]
    assert topics == [settings.topics.signups, settings.topics.usage]


def test_a_replay_reads_what_production_reads(tmp_path: Path) -> None:
    production, replay = (settings_of(built(f"overlays/{name}"), tmp_path) for name in ("prod", "replay"))
    assert production.model_dump(exclude={"http"}) == replay.model_dump(exclude={"http"})
