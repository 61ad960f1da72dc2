"""The demo on a real Kafka, as somebody without a terminal sees it, and what it leaves: nothing."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.topics import partition_counts
from stream_enforcer.settings import Kafka

PATIENCE_SECONDS = 120.0

Demo = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def demo(kafka: str, tmp_path: Path) -> Iterator[Demo]:
    """Start a demo in a process group of its own, with its temporary files in `tmp_path`."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "stream_enforcer", "demo", "--events", "2000", *options],
            env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": kafka, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)


def read_until(stream: IO[str] | None, text: str) -> str:
    """Return the first line that contains a text."""
    assert stream is not None
    for line in stream:
        if text in line:
            return line
    raise AssertionError(f"no line with {text!r}")


def assert_nothing_is_left(process: "subprocess.Popen[str]", kafka: str, folder: Path, run: str) -> None:
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert list(folder.iterdir()) == []
    topics = asyncio.run(partition_counts(Clients(Kafka(bootstrap_servers=kafka))))
    assert [name for name in topics if name.startswith(run)] == []


def run_of(text: str) -> str:
    found = re.search(r"demo-[0-9a-f]{8}", text)
    assert found is not None, text
    return found[0]


def test_the_demo_decides_by_geography_and_by_ownership_and_leaves_nothing(
    demo: Demo, kafka: str, tmp_path: Path
) -> None:
    process = demo()
    stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, stderr) == (0, ""), stdout + stderr
    assert re.search(r"suspend +geography +signup-from-restricted-region +\d", stdout)
    assert re.search(r"suspend +ownership +ownership-restricted +\d", stdout)
    assert re.search(r"allow +no rule matched +\d", stdout)
    assert sorted(re.findall(r"owns partitions (.*);", stdout)) == ["0, 1", "2, 3"]
    assert re.search(r"p50 [\d,]+ ms, p99 [\d,]+ ms, longest", stdout)
    assert "no gap and no repeat in the chains of 6,100 accounts" in stdout
    assert "8,000: " in stdout
    assert re.search(r"Account acct-000002: suspend[\s\S]*control: proved, 60 %[\s\S]*60 % Willow", stdout)
    assert "What is real, and what is assembled" in stdout
    assert "\x1b" not in stdout
    assert len(stdout.splitlines()) < 80
    assert_nothing_is_left(process, kafka, tmp_path, run_of(stdout))


def test_a_signal_in_the_middle_ends_the_demo_in_order(demo: Demo, kafka: str, tmp_path: Path) -> None:
    process = demo()
    run = run_of(read_until(process.stdout, "topics and group"))
    read_until(process.stdout, "as fast as it goes")
    process.terminate()
    _, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, stderr) == (130, "stopped; nothing is left running\n")
    assert_nothing_is_left(process, kafka, tmp_path, run)


def test_a_kept_demo_answers_until_it_is_stopped(demo: Demo, kafka: str, tmp_path: Path) -> None:
    process = demo("--keep")
    run = run_of(read_until(process.stdout, "topics and group"))
    read_until(process.stdout, "stays up until Ctrl-C")
    address = read_until(process.stdout, "curl").split()[-1]
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - the address is the demo's own
        assert b"stream_enforcer_decisions_total" in answer.read()
    assert f"TOPICS__DECISIONS={run}-decisions" in read_until(process.stdout, "explain acct-000002")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert_nothing_is_left(process, kafka, tmp_path, run)


def test_a_broker_that_does_not_answer_is_the_users_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stream_enforcer", "demo"],
        env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: Kafka does not answer")
    assert list(tmp_path.iterdir()) == []
