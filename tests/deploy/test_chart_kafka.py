"""What the Helm chart asks of Kafka's operators: the program's own topics and rights, and pods by its group's lag."""

from pathlib import Path

import pytest

from stream_enforcer.kafka.access import needed
from stream_enforcer.kafka.topics import plan
from tests.deploy.charts import SECURED, rendered, settings_of
from tests.deploy.manifests import acls_of, pods
from tests.deploy.programs import only
from tools.deploy_files import STRIMZI_TYPE


@pytest.mark.deploy
def test_the_user_has_the_rights_that_topics_acls_prints(tmp_path: Path) -> None:
    resources = rendered(SECURED, tmp_path)
    settings = settings_of(resources, tmp_path)
    assert acls_of(only(resources, "KafkaUser")) == {
        (STRIMZI_TYPE[g.resource], g.name, "prefix" if g.prefixed else "literal", g.operation)
        for g in needed(settings)
    }


@pytest.mark.deploy
@pytest.mark.parametrize("replication", [1, 3])
def test_the_topics_are_those_that_topics_create_makes(replication: int, tmp_path: Path) -> None:
    values = {
        **SECURED,
        "settings": {**SECURED["settings"], "topics": {"accounts": "own", "replication": replication}},
    }
    resources = rendered(values, tmp_path)
    made = {
        r["spec"]["topicName"]: (
            r["spec"]["partitions"],
            r["spec"]["replicas"],
            {k: str(v) for k, v in r["spec"]["config"].items()},
        )
        for r in resources
        if r["kind"] == "KafkaTopic"
    }
    wanted = plan(settings_of(resources, tmp_path).topics)
    assert made == {t.name: (t.partitions, replication, dict(t.config)) for t in wanted}
    kept = {
        r["metadata"]["annotations"]["helm.sh/resource-policy"]
        for r in resources
        if r["kind"] == "KafkaTopic"
    }
    assert kept == {"keep"}


@pytest.mark.deploy
def test_pods_by_lag_are_at_most_as_many_as_partitions_and_counted_by_keda_alone(tmp_path: Path) -> None:
    resources = rendered(SECURED, tmp_path)
    scaled = only(resources, "ScaledObject")["spec"]
    assert scaled["maxReplicaCount"] == 12
    assert scaled["scaleTargetRef"]["name"] == only(resources, "Deployment")["metadata"]["name"]
    assert "replicas" not in only(resources, "Deployment")["spec"]
    settings = settings_of(resources, tmp_path)
    triggers = [trigger["metadata"] for trigger in scaled["triggers"]]
    assert {t["topic"] for t in triggers} == {settings.topics.signups, settings.topics.usage}
    assert {t["consumerGroup"] for t in triggers} == {settings.kafka.group}
    [container] = pods([only(resources, "Deployment")])[0]["containers"]
    variables = {variable["name"] for variable in container["env"]}
    assert {e["name"] for e in only(resources, "TriggerAuthentication")["spec"]["env"]} <= variables
