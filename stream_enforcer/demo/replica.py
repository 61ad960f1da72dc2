"""A replica of the service as a process of its own, as the platform would run it."""

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

from stream_enforcer.kafka.child_process import ChildProcess
from stream_enforcer.settings import PREFIX

HOST = "127.0.0.1"
STOP_SECONDS = 15.0
_ANSWER_SECONDS = 2.0

Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]


class ReplicaFailed(Exception):
    """A replica ended, or was not ready in time; the message shows the end of its log."""


class Replica:
    """A running `stream-enforcer run`."""

    def __init__(self, process: ChildProcess, port: int, log: Path) -> None:
        self._process = process
        self._port = port
        self.log = log

    @classmethod
    def start(cls, name: str, folder: Path, environment: Mapping[str, str]) -> Self:
        """Start a replica.

        Args:
            name: Names its log file.
            folder: Where the log goes.
            environment: Its settings, without the HTTP port, which is chosen here.
        """
        port = free_port()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        log = folder / f"{name}.log"
        process = ChildProcess(
            [sys.executable, "-m", "stream_enforcer", "run"],
            Path.cwd(),
            log,
            {**inherited, **environment, f"{PREFIX}HTTP__PORT": str(port)},
        )
        return cls(process, port, log)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def url(self) -> str:
        """Address of its HTTP server."""
        return f"http://{HOST}:{self._port}"

    def running(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.exit_code is None

    def ready(self) -> bool:
        """Ask the readiness probe."""
        return bool(self.probe("/readyz").get("ok"))

    def probe(self, path: str) -> dict[str, Any]:
        """Return what a JSON page of its HTTP server says, whatever the status; {} when it does not answer."""
        answer: dict[str, Any] = json.loads(self._get(path) or "{}")
        return answer

    def wait_ready(self, seconds: float) -> None:
        """Wait until the replica is ready.

        Raises:
            ReplicaFailed: It ended, or time is up.
        """
        deadline = time.monotonic() + seconds
        while not self.ready():
            if not self.running() or time.monotonic() > deadline:
                raise ReplicaFailed(f"the replica did not become ready; its log ends:\n{self.log_tail()}")
            time.sleep(0.05)

    def samples(self) -> Samples:
        """Return its metrics: name -> sorted label pairs -> value; nothing when it does not answer."""
        text = self._get("/metrics")
        found: Samples = defaultdict(dict)
        for family in text_string_to_metric_families(text or ""):
            for sample in family.samples:
                found[sample.name][tuple(sorted(sample.labels.items()))] = sample.value
        return found

    def log_tail(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()

    def stop(self) -> int:
        """Ask it to drain and end; return its exit code."""
        if self.running() and not self._process.stop(STOP_SECONDS):
            raise ReplicaFailed(f"the replica did not drain in time; its log ends:\n{self.log_tail()}")
        return self._process.exit_code or 0

    def _get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(self.url + path, timeout=_ANSWER_SECONDS) as response:  # noqa: S310
                text: str = response.read().decode()
                return text
        except urllib.error.HTTPError as error:
            said: str = error.read().decode()
            return said
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return None


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def total(samples: Samples, name: str, **labels: str) -> float:
    """Sum a metric over its series that carry all the given labels."""
    wanted = set(labels.items())
    return sum(value for pairs, value in samples.get(name, {}).items() if wanted <= set(pairs))
