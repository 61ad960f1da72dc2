"""`run` refuses what it could not keep its promises with."""

import subprocess
import sys


def test_python_without_assertions_is_refused() -> None:
    command = [sys.executable, "-O", "-m", "stream_enforcer", "run"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "without -O" in ended.stderr
