"""The stack without containers: it is up with one command, works, and is gone with one signal."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
import yaml

from tests.broker.stage import until
from tests.deploy.probes import page
from tests.deploy.programs import DEPLOY, ROOT
from tools.stack import scrape_config

PATIENCE_SECONDS = 60.0


def test_prometheus_scrapes_the_replicas_that_run_and_evaluates_the_rules() -> None:
    config = scrape_config(["http://127.0.0.1:1", "http://127.0.0.1:2"])
    in_compose = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text("utf-8"))
    assert [job["job_name"] for job in config["scrape_configs"]] == [
        job["job_name"] for job in in_compose["scrape_configs"]
    ]
    assert config["scrape_configs"][0]["static_configs"] == [{"targets": ["127.0.0.1:1", "127.0.0.1:2"]}]
    assert all(Path(name).is_absolute() and Path(name).is_file() for name in config["rule_files"])


def read_until(stream: IO[str], text: str) -> list[str]:
    lines = []
    for line in stream:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError("".join(lines))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start the stack, with its temporary files in `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.stack", "--rate", "500"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_SECONDS)


@pytest.mark.broker
@pytest.mark.deploy
def test_it_judges_what_it_generates_and_leaves_nothing(
    stack: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert stack.stdout is not None
    addresses = re.findall(r"replica-\d: (http://\S+)/metrics", "".join(read_until(stack.stdout, "Ctrl-C")))
    assert len(addresses) == 2

    def decided() -> bool:
        assert stack.poll() is None, stack.communicate()
        return all("\nstream_enforcer_decisions_total{" in page(f"{each}/metrics") for each in addresses)

    asyncio.run(until(decided, PATIENCE_SECONDS))
    stack.send_signal(signal.SIGINT)
    said, _ = stack.communicate(timeout=PATIENCE_SECONDS)
    assert (stack.returncode, said) == (0, "stopped; nothing is left running\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(stack.pid, 0)
    assert list(tmp_path.iterdir()) == []
