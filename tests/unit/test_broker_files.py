"""Settings of a development broker follow from the cluster that it is part of."""

import base64
from pathlib import Path

import pytest

from stream_enforcer.kafka.broker_files import (
    Node,
    broker_properties,
    new_cluster_id,
    write_broker_files,
)


def cluster_of(size: int) -> list[Node]:
    return [Node(n, 9000 + n, 9100 + n, Path(f"/run/{n}")) for n in range(1, size + 1)]


@pytest.mark.parametrize(("size", "copies", "in_sync"), [(1, "1", "1"), (3, "3", "2")])
def test_internal_topics_have_a_copy_on_every_node_and_stand_the_loss_of_one(
    size: int, copies: str, in_sync: str
) -> None:
    cluster = cluster_of(size)
    settings = broker_properties(cluster[0], cluster)
    assert settings["offsets.topic.replication.factor"] == copies
    assert settings["transaction.state.log.replication.factor"] == copies
    assert settings["transaction.state.log.min.isr"] == in_sync
    assert settings["min.insync.replicas"] == in_sync


def test_every_node_knows_all_controllers_and_listens_on_loopback_only() -> None:
    cluster = cluster_of(2)
    settings = broker_properties(cluster[1], cluster)
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:9101,2@127.0.0.1:9102"
    assert settings["listeners"] == "CLIENT://127.0.0.1:9002,CONTROLLER://127.0.0.1:9102"


def test_overrides_replace_settings(tmp_path: Path) -> None:
    node = Node(1, 9001, 9101, tmp_path / "node")
    write_broker_files(node, [node], {"auto.create.topics.enable": "true", "num.io.threads": "2"})
    lines = node.properties_path.read_text().splitlines()
    assert "auto.create.topics.enable=true" in lines
    assert "num.io.threads=2" in lines
    assert len({line.partition("=")[0] for line in lines}) == len(lines)


def test_a_cluster_id_never_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter(["-AAAAAAAAAAAAAAAAAAAAA", "BAAAAAAAAAAAAAAAAAAAAA"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda _size: next(draws))
    assert new_cluster_id() == "BAAAAAAAAAAAAAAAAAAAAA"


def test_a_cluster_id_is_sixteen_random_bytes_in_base64() -> None:
    one, other = new_cluster_id(), new_cluster_id()
    assert one != other
    assert len(base64.urlsafe_b64decode(one + "==")) == 16
