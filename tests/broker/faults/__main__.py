"""Run the fault suite: `python -m tests.broker.faults [FAULT ...] [--seed N] [--faults N] [--report FILE]`."""

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom

from stream_enforcer.kafka.cluster import LocalCluster
from tests.broker.faults.faults import FAULTS
from tests.broker.faults.feed import Load
from tests.broker.faults.ground import Arena
from tests.broker.faults.network import NETWORK_FAULTS
from tests.broker.faults.report import row, table, write
from tests.broker.faults.scenario import Fault, Outcome, play
from tests.broker.faults.storm import storm
from tests.broker.faults.toxiproxy import NoToxiproxy, Toxiproxy

STORM = "storm"
NAMES = (*FAULTS, *NETWORK_FAULTS, STORM)
SINGLE = Load(least=10_000, most=200_000, per_second=400, accounts=2_000)


def main() -> int:
    """Run the faults that are named, or all; return 1 when a promise was broken."""
    arguments = _arguments()
    # The suite's own clients have much to say of brokers that are killed on purpose.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="stream-enforcer-faults-"))
    sys.stdout.write(f"seed of the storm: {arguments.seed}; logs of the replicas meanwhile: {folder}\n")
    with _network() as (network, missing):
        outcomes = _play_all(arguments, network, missing, folder)
    write(outcomes, arguments.seed, arguments.report)
    broken = any(outcome.failures for outcome in outcomes)
    sys.stdout.write(f"\n{table(outcomes)}\nreport: {arguments.report}; seed: {arguments.seed}\n")
    if broken:
        sys.stdout.write(f"logs of the replicas: {folder}\n")
    else:
        shutil.rmtree(folder)
    return int(broken)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults ARGS=...", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], metavar="FAULT", help=", ".join(NAMES))
    parser.add_argument("--events", type=int, default=2_100_000, help="least events of the storm")
    parser.add_argument("--faults", type=int, default=200, help="least faults of the storm")
    parser.add_argument("--per-second", type=int, default=3_000, help="pace of the storm's events")
    parser.add_argument(
        "--seed", type=int, default=SystemRandom().randrange(1_000_000), help="what the storm draws"
    )
    parser.add_argument(
        "--report", type=Path, default=Path("faults.json"), help="JSON; a table goes beside it"
    )
    return parser.parse_args()


@contextmanager
def _network() -> Iterator[tuple[Toxiproxy | None, str]]:
    """Yield the network that can be harmed, or None and why there is none."""
    try:
        network = Toxiproxy.start()
    except NoToxiproxy as reason:
        yield None, str(reason)
        return
    try:
        yield network, ""
    finally:
        network.stop()


def _play_all(
    arguments: argparse.Namespace, network: Toxiproxy | None, missing: str, folder: Path
) -> list[Outcome]:
    events = arguments.events
    load = Load(events, max(100_000, 2 * events), arguments.per_second, accounts=max(1_000, events // 100))
    scenarios: Mapping[str, tuple[Fault, Load]] = {
        **{name: (fault, SINGLE) for name, fault in (FAULTS | NETWORK_FAULTS).items()},
        STORM: (storm(arguments.seed, arguments.faults), load),
    }
    outcomes = []
    with LocalCluster.start(put_between=None if network is None else network.put_between) as cluster:
        for name in arguments.names or NAMES:
            if network is None and name in NETWORK_FAULTS:
                outcome = Outcome(name, skipped=missing)
            else:
                logs = folder / name
                logs.mkdir()
                fault, feed = scenarios[name]
                outcome = asyncio.run(play(Arena(cluster, network), name, fault, logs, feed))
            outcomes.append(outcome)
            sys.stdout.write(row(outcome) + "\n" + "".join(f"  {failure}\n" for failure in outcome.failures))
            sys.stdout.flush()
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
