"""How fast history is judged again, by one policy and by two; `make bench-replay`."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.service import Run, fill, machine
from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.kafka.broker import given_or_local
from stream_enforcer.kafka.topics import create
from stream_enforcer.reference.policy_file import default_policy_path
from stream_enforcer.settings import PREFIX


async def prepare(run: Run, events: int) -> None:
    """Make the topics and fill them."""
    await create(run.clients, run.topics)
    await fill(run, events)


def replay(run: Run, folder: Path, *arguments: str) -> dict[str, float]:
    """Run the command in a process of its own; return its time, its processor time and its memory."""
    topics = run.topics.model_dump(exclude={"partitions", "replication"})
    environment = {
        **os.environ,
        f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS": run.servers,
        f"{PREFIX}GEO": json.dumps(geo_sources()),
        f"{PREFIX}OWNERSHIP": json.dumps([str(ownership_file())]),
        **{f"{PREFIX}TOPICS__{name.upper()}": value for name, value in topics.items()},
    }
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "stream_enforcer", "replay", "--out", str(folder), *arguments]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu_seconds": cpu, "rss_mb": after.ru_maxrss / 1024}


def measure(run: Run, folder: Path, events: int) -> dict[str, Any]:
    """Replay nothing, for what a start costs, then all with one policy, then with two."""
    uvloop.run(prepare(run, events))
    start = replay(run, folder / "none", "--to", "2000-01-01")
    other = folder / "other.yaml"
    text = default_policy_path().read_text(encoding="utf-8")
    other.write_text(text.replace("threshold: 50", "threshold: 25"), encoding="utf-8")
    figures: dict[str, Any] = {"events": events, "start_seconds": round(start["seconds"], 2)}
    for name, arguments in (("one", ()), ("two", ("--against", str(other)))):
        took = replay(run, folder / name, *arguments)
        figures[name] = {
            "events_per_second": round(events / (took["seconds"] - start["seconds"])),
            "events_per_cpu_second": round(events / (took["cpu_seconds"] - start["cpu_seconds"])),
            "rss_mb": round(took["rss_mb"]),
        }
    return figures


def main() -> None:
    """Run it, print the figures and write them to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--out", type=Path, default=Path("bench-replay.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, given_or_local(os.environ) as servers:
        figures = measure(Run(servers, "history", "transitions", Path(folder)), Path(folder), options.events)
    options.out.write_text(json.dumps({"machine": machine(), **figures}, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
