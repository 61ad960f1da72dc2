"""`run` refuses what it could not keep its promises with, and follows signals."""

import json
import os
import signal
import subprocess
import sys
import threading


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
