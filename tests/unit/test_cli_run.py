"""`run` refuses what it could not keep its promises with, follows signals, and tells how old its data are."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from stream_enforcer.cli.run import _measure_ages
from stream_enforcer.observe.metrics import Metrics
from tests.builders import world


def test_python_without_assertions_is_refused() -> None:
    command = [sys.executable, "-O", "-m", "stream_enforcer", "run"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "without -O" in ended.stderr


def test_signals_turn_debug_logs_on_and_off_and_end_nothing() -> None:
    environment = {**os.environ, "STREAM_ENFORCER_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    environment |= {"STREAM_ENFORCER_HTTP__PORT": "0", "STREAM_ENFORCER_DRAIN_TIMEOUT_MS": "1000"}
    with subprocess.Popen(
        [sys.executable, "-m", "stream_enforcer", "run"],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as service:
        too_late = threading.Timer(30, service.kill)
        too_late.start()
        assert service.stderr is not None
        changes = []
        for line in service.stderr:
            entry = json.loads(line)
            if entry["event"] == "serving":
                service.send_signal(signal.SIGUSR1)
            if entry["event"] == "log level changed":
                changes.append(entry["to"])
                service.send_signal(signal.SIGTERM if len(changes) == 2 else signal.SIGUSR2)
        too_late.cancel()
    assert changes == ["debug", "info"]
    assert service.returncode == 0


def test_the_age_of_reference_data_is_told_beside_what_the_policy_allows() -> None:
    yesterday = (datetime.fromtimestamp(time.time(), UTC) - timedelta(days=1)).date().isoformat()
    service: Any = SimpleNamespace(world=world(as_of=yesterday))
    metrics = Metrics(CollectorRegistry(), "1")
    _measure_ages(metrics, service)

    def value(name: str, kind: str) -> float | None:
        return metrics.registry.get_sample_value(f"stream_enforcer_reference_{name}_seconds", {"kind": kind})

    limits = service.world.policy.max_age_days
    assert value("max_age", "geo") == limits.geo * 86_400
    assert value("max_age", "ownership") == limits.ownership * 86_400
    assert value("age", "ownership") == pytest.approx(1.5 * 86_400, abs=86_400)
