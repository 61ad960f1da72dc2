"""Run the fault suite: `python -m tests.broker.faults [FAULT ...] [--events N] [--report FILE]`."""

import argparse
import asyncio
import dataclasses
import json
import logging
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from stream_enforcer.kafka.cluster import LocalCluster
from tests.broker.faults.faults import FAULTS
from tests.broker.faults.scenario import Outcome, play

COLUMNS = ("fault", "injected", "events", "decisions", "dead_letters", "lost", "repeated", "seconds", "kept")


def main() -> int:
    """Run the faults that are named, or all; return 1 when a promise was broken."""
    arguments = _arguments()
    # The suite's own clients have much to say of brokers that are killed on purpose.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    outcomes: list[Outcome] = []
    folder = Path(tempfile.mkdtemp(prefix="stream-enforcer-faults-"))
    with LocalCluster.start() as cluster:
        for name in arguments.faults or FAULTS:
            logs = folder / name
            logs.mkdir()
            outcome = asyncio.run(play(cluster, name, FAULTS[name], logs, arguments.events))
            outcomes.append(outcome)
            sys.stdout.write(_row(outcome) + "\n")
            sys.stdout.write("".join(f"  {failure}\n" for failure in outcome.failures))
            sys.stdout.flush()
    _write_reports(outcomes, arguments.report)
    broken = any(outcome.failures for outcome in outcomes)
    sys.stdout.write(f"\n{table(outcomes)}\nreport: {arguments.report}\n")
    if broken:
        sys.stdout.write(f"logs of the replicas: {folder}\n")
    else:
        shutil.rmtree(folder)
    return int(broken)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults ARGS=...", description=__doc__)
    parser.add_argument("faults", nargs="*", choices=[[], *FAULTS], help="which; all by default")
    parser.add_argument("--events", type=int, default=10_000, help="least events of each scenario")
    parser.add_argument(
        "--report", type=Path, default=Path("faults.json"), help="JSON; a table goes beside it"
    )
    return parser.parse_args()


def table(outcomes: Sequence[Outcome]) -> str:
    """Give the outcomes as a Markdown table."""
    head = "| " + " | ".join(name.replace("_", " ") for name in COLUMNS) + " |"
    return "\n".join([head, "|" + "---|" * len(COLUMNS), *map(_row, outcomes)])


def _row(outcome: Outcome) -> str:
    cells = {**dataclasses.asdict(outcome), "kept": "no" if outcome.failures else "yes"}
    return (
        "| "
        + " | ".join(
            f"{cells[name]:,}" if isinstance(cells[name], int) else str(cells[name]) for name in COLUMNS
        )
        + " |"
    )


def _write_reports(outcomes: Sequence[Outcome], file: Path) -> None:
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }
    data = {"machine": machine, "outcomes": [dataclasses.asdict(outcome) for outcome in outcomes]}
    file.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    file.with_suffix(".md").write_text(table(outcomes) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
