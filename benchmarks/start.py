"""How long a replica takes from its start until it is ready, when there is no account yet; `make bench-start`.

Geo and ownership files are not among it: to read those of the demo takes half a second, a snapshot next to nothing.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.service import machine
from stream_enforcer.demo.replica import Replica
from stream_enforcer.kafka.broker import given_or_local
from stream_enforcer.settings import PREFIX
from tests.broker.stage import Stage, make_stage

_TIMES: Final = 5


def seconds_until_ready(servers: str, stage: Stage, folder: Path) -> float:
    """Start a replica on topics that are empty, and end it again; return the seconds until it was ready."""
    names = stage.topics.model_dump(exclude={"partitions", "replication"})
    settings = {f"{PREFIX}TOPICS__{field.upper()}": name for field, name in names.items()}
    settings[f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS"] = servers
    settings[f"{PREFIX}KAFKA__GROUP"] = stage.settings.kafka.group
    started = time.perf_counter()
    replica = Replica.start("replica", folder, settings)
    try:
        replica.wait_ready(60)
        return time.perf_counter() - started
    finally:
        replica.stop()


def measure(servers: str, folder: Path) -> list[float]:
    """Start several times, each on topics of its own; return the seconds of each."""
    return [seconds_until_ready(servers, asyncio.run(make_stage(servers)), folder) for _ in range(_TIMES)]


def main() -> None:
    """Measure, print and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("bench-start.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, given_or_local(os.environ) as servers:
        took = measure(servers, Path(folder))
    options.json.write_text(json.dumps({"machine": machine(), "seconds": took}, indent=2) + "\n")
    print(f"ready after {', '.join(f'{seconds:.2f}' for seconds in sorted(took))} s")


if __name__ == "__main__":
    main()
