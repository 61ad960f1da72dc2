"""The generator on a real Kafka: what is asked for arrives, and a signal ends it in order."""

import os
import signal
import subprocess
import sys

from stream_enforcer.settings import PREFIX
from tests.broker.stage import Stage, until

PATIENCE_SECONDS = 60.0


def feeding(stage: Stage, *options: str) -> "subprocess.Popen[str]":
    names = stage.topics.model_dump(exclude={"partitions", "replication"})
    settings = {f"{PREFIX}TOPICS__{field.upper()}": name for field, name in names.items()}
    settings[f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS"] = stage.clients.settings.bootstrap_servers
    return subprocess.Popen(
        [sys.executable, "-m", "stream_enforcer", "feed", *options],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def count(stage: Stage) -> int:
    topics = (stage.topics.signups, stage.topics.usage, stage.topics.overrides)
    return sum([len(await stage.read(topic)) for topic in topics])


async def test_as_many_events_as_are_asked_for_arrive(stage: Stage) -> None:
    process = feeding(stage, "--events", "300", "--rate", "3000")
    assert process.communicate(timeout=PATIENCE_SECONDS) == ("", "300 events\n")
    assert process.returncode == 0
    assert await count(stage) == 300


async def test_a_signal_ends_the_flow(stage: Stage) -> None:
    process = feeding(stage)

    async def flows() -> bool:
        return await count(stage) > 0

    await until(flows)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=PATIENCE_SECONDS) == ("", "stopped\n")
    assert process.returncode == 0
