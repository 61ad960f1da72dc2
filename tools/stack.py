"""The stack of `deploy/compose.yaml` without containers: `python -m tools.stack`, or `make stack`.

A local Kafka, topics, two replicas, the generator, and Prometheus where it is installed. Ctrl-C ends all of it.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from stream_enforcer.demo.interrupts import Interrupts
from stream_enforcer.demo.replica import HOST, ReplicaFailed, free_port
from stream_enforcer.demo.stage import Stage, stage, wait_for_replicas
from stream_enforcer.kafka.child_process import ChildProcess
from stream_enforcer.kafka.distribution import LocalKafkaError
from stream_enforcer.settings import PREFIX

PROMETHEUS_FILES: Final = Path(__file__).parents[1] / "deploy" / "prometheus"
STOP_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.2


class StackFailed(Exception):
    """A part of the stack ended by itself; the message says which, with the end of its log."""


def main() -> None:
    """Start it, and end it at Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tools.stack", description=__doc__)
    parser.add_argument("--rate", type=int, default=200, help="events per second")
    rate = parser.parse_args().rate
    interrupts = Interrupts()
    try:
        with stage(None, interrupts, _tell) as running, _folder() as folder:
            _tell("starting two replicas of the service")
            wait_for_replicas(running)
            with (
                _generator(running, folder, rate, interrupts) as generator,
                _prometheus(running, folder, interrupts) as prometheus,
            ):
                _told(running)
                _watch(running, {"generator": generator, "prometheus": prometheus}, folder)
    except KeyboardInterrupt:
        _tell("stopped; nothing is left running")
    except (LocalKafkaError, ReplicaFailed, StackFailed) as error:
        sys.exit(f"error: {error}")


def _tell(text: str) -> None:
    print(text, flush=True)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stream-enforcer-stack-") as name:
        yield Path(name)


def _told(running: Stage) -> None:
    _tell(f"Kafka: {running.clients.settings.bootstrap_servers}")
    for name, replica in running.replicas.items():
        _tell(f"{name}: {replica.url}/metrics, /readyz, /world")
    _tell("Ctrl-C ends it.")


@contextmanager
def _generator(running: Stage, folder: Path, rate: int, interrupts: Interrupts) -> Iterator[ChildProcess]:
    command = [sys.executable, "-m", "stream_enforcer", "feed", "--rate", str(rate)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    with _child(command, folder / "generator.log", interrupts, {**inherited, **running.settings}) as process:
        _tell(f"generator: {rate} events a second")
        yield process


@contextmanager
def _prometheus(running: Stage, folder: Path, interrupts: Interrupts) -> Iterator[ChildProcess | None]:
    program = shutil.which("prometheus")
    if program is None:
        _tell("prometheus: not installed; on Debian, `apt-get install prometheus`")
        yield None
        return
    port = free_port()
    config = folder / "prometheus.yaml"
    config.write_text(yaml.safe_dump(scrape_config([r.url for r in running.replicas.values()])), "utf-8")
    command = [
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={HOST}:{port}",
    ]
    with _child(command, folder / "prometheus.log", interrupts) as process:
        _tell(f"prometheus: http://{HOST}:{port}/alerts, /graph")
        yield process


def scrape_config(replicas: Sequence[str]) -> dict[str, Any]:
    """Return the scrape configuration of the compose file for replicas at these addresses."""
    config: dict[str, Any] = yaml.safe_load((PROMETHEUS_FILES / "prometheus.yaml").read_text("utf-8"))
    config["rule_files"] = [str(PROMETHEUS_FILES / name) for name in config["rule_files"]]
    targets = [address.removeprefix("http://") for address in replicas]
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": targets}]
    return config


@contextmanager
def _child(
    command: Sequence[str], log: Path, interrupts: Interrupts, environment: Mapping[str, str] | None = None
) -> Iterator[ChildProcess]:
    with interrupts.held():
        process = ChildProcess(command, log.parent, log, environment)
    try:
        yield process
    finally:
        interrupts.ignore()
        if process.exit_code is None:
            process.stop(STOP_SECONDS)


def _watch(running: Stage, others: Mapping[str, ChildProcess | None], folder: Path) -> None:
    """Return never: a signal, or the end of a part, raises."""
    while True:
        time.sleep(_LOOK_SECONDS)
        for name, replica in running.replicas.items():
            if not replica.running():
                raise StackFailed(f"{name} ended; its log ends:\n{replica.log_tail()}")
        for name, process in others.items():
            if process is not None and process.exit_code is not None:
                tail = (folder / f"{name}.log").read_text("utf-8").splitlines()[-15:]
                raise StackFailed(f"{name} ended with {process.exit_code}; its log ends:\n" + "\n".join(tail))


if __name__ == "__main__":
    main()
