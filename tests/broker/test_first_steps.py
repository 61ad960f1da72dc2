"""The way from an empty cluster, as docs/operations.md leads it: every command of the program, in its order."""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from uuid import uuid4

import pytest
import yaml
from aiokafka import AIOKafkaProducer

from tests.broker.stage import until

pytestmark = [pytest.mark.broker, pytest.mark.deploy]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
STEPS = PAGE.split("## From an empty cluster")[1].split("\n## ")[0]
PATIENCE_SECONDS = 60.0
TOPICS = ("signups", "usage", "overrides", "ownership", "decisions", "accounts", "dead_letters")


@pytest.fixture
def desk(kafka: str, tmp_path: Path) -> Path:
    """Make the files that the page speaks of, with the page's own settings but for what is of this machine."""
    settings: dict[str, Any] = yaml.safe_load(
        re.findall(r"^```yaml\n(.*?)^```$", STEPS, re.MULTILINE | re.DOTALL)[0]
    )
    run = uuid4().hex[:8]
    settings["kafka"] = {
        "bootstrap_servers": kafka,
        "group": run,
        "environment": settings["kafka"]["environment"],
    }
    settings["topics"] |= {"replication": 1, **{name: f"{run}-{name}" for name in TOPICS}}
    settings["geo"] = [str(ROOT / "stream_enforcer" / "demo" / "data" / "country-ipv4.mmdb.xz")]
    settings["ownership"] = [str(tmp_path / "ownership.snapshot")]
    settings["policy"] = str(tmp_path / "policy.yaml")
    settings["http"]["port"] = 0
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    packaged = ROOT / "stream_enforcer" / "policies" / "restricted-regions.yaml"
    (tmp_path / "policy.yaml").write_bytes(packaged.read_bytes())
    return tmp_path


def environment(desk: Path) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_ENFORCER")}
    return {**kept, "STREAM_ENFORCER_CONFIG": str(desk / "settings.yaml"), "COLUMNS": "200"}


def program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "stream_enforcer", *arguments]


def do(desk: Path, command: str, *more: str) -> str:
    """Run a command of the page, which is there word for word; return what it says."""
    assert re.search(rf"stream-enforcer {command}\b", STEPS), command
    done = subprocess.run(
        program(*command.split(), *more),
        env=environment(desk),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def prepare(desk: Path) -> None:
    """Do the steps of the page up to the one that starts the service."""
    policy, snapshot = str(desk / "policy.yaml"), str(desk / "ownership.snapshot")
    do(desk, "config check")
    assert len(do(desk, "topics create").split()) == len(TOPICS)
    assert "--operation Write --transactional-id" in do(desk, "topics acls", "--principal", "User:enforcer")
    assert "ok: the topics fit together" in do(desk, "topics check")
    do(desk, "policy check", policy)
    register = str(ROOT / "docs" / "examples" / "register.jsonl")
    do(desk, "ownership build", register, "-o", snapshot, "--policy", policy)
    do(desk, "ownership info", snapshot)


@contextmanager
def replica(desk: Path) -> Iterator[Path]:
    """Run the service; yields where it writes its log, and tells it to end afterwards."""
    log = desk / "log"
    with log.open("wb") as written:
        running = subprocess.Popen(program("run"), env=environment(desk), stderr=written)
        try:
            yield log
        finally:
            running.terminate()
            assert running.wait(PATIENCE_SECONDS) == 0


def is_ready(log: Path) -> bool:
    """Ask the port that the log names whether the service is ready."""
    serving = re.search(r'"http": "http://[^"]*:(\d+)"', log.read_text(encoding="utf-8"))
    if serving is None:
        return False
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{serving[1]}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except HTTPError:
        return False


async def send_as_shown(kafka: str, desk: Path) -> None:
    """Send the event that the page has people send by hand."""
    shown = re.search(r"^echo '(\w+)\|(\{.*\})' \|$", STEPS, re.MULTILINE)
    assert shown is not None
    settings = yaml.safe_load((desk / "settings.yaml").read_text(encoding="utf-8"))
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(settings["topics"]["signups"], shown[2].encode(), shown[1].encode())


def explained(desk: Path) -> bool:
    command = program("explain", "linden")
    done = subprocess.run(command, env=environment(desk), capture_output=True, text=True, check=False)
    return done.stdout.startswith("Account linden is allowed.")


async def test_whoever_follows_the_page_comes_to_a_decision(kafka: str, desk: Path) -> None:
    assert "stream-enforcer explain linden" in STEPS
    prepare(desk)
    with replica(desk) as log:
        await until(lambda: is_ready(log), PATIENCE_SECONDS)
        await send_as_shown(kafka, desk)
        await until(lambda: explained(desk), PATIENCE_SECONDS)
