"""The compose file: valid, and of this project's programs, settings, files and Kafka."""

import json
import shlex
import tomllib
from typing import Any

import pytest
import typer
import yaml

from stream_enforcer.cli import app
from stream_enforcer.kafka.distribution import KAFKA_VERSION
from stream_enforcer.settings import load
from tests.deploy.programs import DEPLOY, ROOT, output, program

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def test_it_runs_two_replicas_a_generator_and_what_they_need() -> None:
    assert OURS.keys() == {"topics", "enforcer-1", "enforcer-2", "generator"}
    assert SERVICES.keys() - OURS.keys() == {"kafka", "prometheus", "grafana"}


def test_the_versions_are_those_of_the_project() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert {service["image"] for service in OURS.values()} == {f"stream-enforcer:{VERSION}"}


@pytest.mark.parametrize("name", OURS)
def test_the_program_accepts_its_settings(name: str) -> None:
    settings = load(None, OURS[name]["environment"])
    sources = [source.rpartition("=")[2] for source in (*settings.geo, *map(str, settings.ownership))]
    [mount] = OURS[name]["volumes"]
    folder, inside, mode = mount.split(":")
    assert mode == "ro"
    assert len(sources) == 4
    assert all((DEPLOY / folder / source.removeprefix(f"{inside}/")).is_file() for source in sources)


@pytest.mark.parametrize("name", OURS)
def test_its_command_is_one_that_the_program_has(name: str) -> None:
    command: Any = typer.main.get_command(app)
    words = OURS[name].get("command", ["run"])
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    command.make_context(name, list(words))


@pytest.mark.parametrize("name", OURS)
def test_its_containers_may_do_the_least(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - within a container


def test_nothing_is_open_to_other_machines() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 5
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_prometheus_scrapes_the_replicas() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text("utf-8"))
    [job] = config["scrape_configs"]
    replicas = sorted(f"{name}:8080" for name in OURS if name.startswith("enforcer-"))
    assert sorted(t for static in job["static_configs"] for t in static["targets"]) == replicas


def test_what_is_mounted_is_there() -> None:
    mounts = [v.split(":")[0] for service in SERVICES.values() for v in service.get("volumes", [])]
    named = {mount for mount in mounts if not mount.startswith(".")}
    assert named == COMPOSE["volumes"].keys()
    assert [mount for mount in mounts if mount not in named and not (DEPLOY / mount).is_dir()] == []


def test_kafka_keeps_its_data_in_its_volume() -> None:
    kafka = SERVICES["kafka"]
    assert kafka["volumes"] == [f"kafka:{kafka['environment']['KAFKA_LOG_DIRS']}"]


@pytest.mark.deploy
def test_the_loader_of_docker_compose_takes_it() -> None:
    said = output(program("compose"), "-format", "json", "compose.yaml", folder=DEPLOY)
    model = json.loads(said)
    assert model["services"].keys() == SERVICES.keys()
    assert model["services"]["generator"]["command"] == shlex.split("feed --rate 200")
    assert model["services"]["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"
