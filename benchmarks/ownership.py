"""How fast an ownership snapshot is built, opened and asked, and what it takes in memory; `make bench-ownership`."""

import argparse
import json
import multiprocessing
import os
import random
import resource
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from benchmarks.service import machine
from stream_enforcer.domain.ownership.amendments import below
from stream_enforcer.domain.ownership.graph import OwnershipGraph
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import Claim, Resolver
from stream_enforcer.domain.ownership.semantics import assess
from stream_enforcer.snapshot.building import Ask, build
from stream_enforcer.snapshot.columns import day_number
from stream_enforcer.snapshot.graph import Snapshot
from stream_enforcer.snapshot.readings import verdicts
from stream_enforcer.snapshot.summary import columns_of, summary

DAY: Final = "2026-05-01"
QUESTION: Final = Question(frozenset({"CN", "RU", "IR", "KP"}))
RING: Final = 10_000
CHAIN: Final = 30
HOLDINGS: Final = 200_000
ASKED: Final = 20_000
WALKS: Final = 1_000
_COUNTRIES: Final = ["GB", "US", "DE", "FR", "NL", "SG", "HK", "CN", "RU", "IR"]
_WEIGHTS: Final = [24, 24, 12, 10, 8, 6, 6, 6, 3, 1]
_TOP: Final = 1000
_WORDS: Final = ["north", "star", "blue", "river", "trade", "capital", "global", "energy", "pacific", "union"]


class World:
    """A seeded world of companies with the shapes that make readings hard.

    The first are holders without holders: funds and families, a few of which hold very much. Then come groups, up to
    seven levels deep, with some stakes across. At the end stand a ring, a chain, and the many holdings of one holder.

    Attributes:
        ring, chain, big: Number of the first company of the ring, of the top of the chain, and of the great holder.
    """

    def __init__(self, companies: int, seed: int = 1) -> None:
        self.companies = companies
        self._random = random.Random(seed)
        self._ring_size, self._holdings = min(RING, companies // 20), min(HOLDINGS, companies // 20)
        self.big = companies - self._holdings - 1
        self.chain = self.big - CHAIN
        self.ring = self.chain - self._ring_size

    def write(self, path: Path) -> int:
        """Write the world as native JSON Lines and return how many stakes it has."""
        stakes = 0
        with path.open("w", encoding="utf-8", buffering=1 << 20) as file:
            file.write(f'{{"kind":"snapshot","as_of":"{DAY}"}}\n')
            file.writelines(map(self._entity, range(self.companies)))
            for holder, held, share in self._stakes():
                file.write(self._stake(stakes, holder, held, share))
                stakes += 1
        return stakes

    def _entity(self, number: int) -> str:
        draw = self._random
        country = draw.choices(_COUNTRIES, _WEIGHTS)[0]
        name = f"{draw.choice(_WORDS)} {draw.choice(_WORDS)} {number % 3_000_000} ltd"
        ids = f'{{"lei":"{number:018d}00","registration_number":"{number * 7}"}}' if number % 2 else "{}"
        return (
            f'{{"kind":"entity","id":"c{number}","name":"{name}","type":"company","country":"{country}",'
            f'"identifiers":{ids}}}\n'
        )

    def _stake(self, number: int, holder: int, held: int, share: str) -> str:
        dates = ',"since":"2021-03-04"' if number % 3 else ',"since":"2019-01-01","until":"2031-12-31"'
        return (
            f'{{"kind":"stake","id":"s{number}","holder":"c{holder}","held":"c{held}",{share}{dates},'
            f'"source":"register {number % 200}"}}\n'
        )

    def _stakes(self) -> Iterator[tuple[int, int, str]]:
        draw = self._random
        for held in range(_TOP, self.ring):
            if draw.random() < 0.9:
                yield self._group_head(held), held, self._share()
            if draw.random() < 0.3:
                yield self._far(), held, self._share()
            if draw.random() < 0.01:
                yield min(held + draw.randrange(1, 200), self.ring - 1), held, self._share()
        for place in range(self._ring_size):
            yield self.ring + place, self.ring + (place + 1) % self._ring_size, '"share":60'
            yield self._far(), self.ring + place, '"share":1'
        for number in range(self.chain, self.big - 1):
            yield number, number + 1, '"share":80'
        for number in range(self.big + 1, self.companies):
            yield self.big, number, '"share":51'

    def _group_head(self, held: int) -> int:
        step = 10
        while held % step == 0:
            step *= 10
        return max(held - held % step, self._far())

    def _far(self) -> int:
        return min(int(self._random.paretovariate(0.5)), _TOP) - 1

    def _share(self) -> str:
        draw = self._random
        kind = draw.random()
        if kind < 0.35:
            return f'"share":{draw.choice([100, 50, 51, 25, 33.3333, 75])}'
        if kind < 0.8:
            return f'"share":{round(draw.uniform(0.1, 70), 2)}'
        return f'"share_min":{draw.choice([25, 50, 75])},"share_max":{draw.choice([75, 100])}'


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that some work takes, and what it gives."""
    started = time.perf_counter()
    found = work()
    return round(time.perf_counter() - started, 3), found


def microseconds(work: Callable[[Any], object], asked: list[Any]) -> dict[str, float]:
    """Return the median and the 99th percentile of single calls."""
    spent = []
    for one in asked:
        started = time.perf_counter_ns()
        work(one)
        spent.append(time.perf_counter_ns() - started)
    cuts = statistics.quantiles(spent, n=100)
    return {"p50": round(cuts[49] / 1000, 2), "p99": round(cuts[98] / 1000, 2)}


def memory() -> dict[str, int]:
    """Return what this process has of its own and what it shares with others, in MB."""
    rows = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    sizes = {row.split(":")[0]: int(row.split()[1]) for row in rows[1:]}
    private = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return {"private_mb": private // 1024, "anonymous_mb": sizes["Anonymous"] // 1024}


class Peak:
    """The most memory that this process and its children had at one time, looked at ten times a second."""

    def __enter__(self) -> "Peak":
        self.most = 0
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            own = os.getpid()
            children = Path(f"/proc/{own}/task/{own}/children").read_text(encoding="ascii").split()
            self.most = max(self.most, sum(_anonymous(pid) for pid in [str(own), *children]))


def _anonymous(pid: str) -> int:
    try:
        rows = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:  # it has just ended
        return 0
    return sum(int(row.split()[1]) // 1024 for row in rows if row.startswith("RssAnon:"))


def serve(path: Path, companies: int) -> dict[str, Any]:
    """Open and ask a snapshot in this process, which has done nothing before."""
    draw, world = random.Random(2), World(companies)
    before = memory()
    opening, snapshot = timed(lambda: Snapshot(path))
    graph, resolver = snapshot.graph, Resolver.build(snapshot.graph)
    after_opening = memory()
    ids = [f"c{draw.randrange(companies)}" for _ in range(ASKED)]
    leis = [Claim(lei=f"{draw.randrange(companies) // 2 * 2 + 1:018d}00") for _ in range(ASKED)]
    changed = [f"s{draw.randrange(snapshot.file.header.counts.stakes)}" for _ in range(WALKS)]
    names = [
        Claim(name=f"{draw.choice(_WORDS)} {draw.choice(_WORDS)} {draw.randrange(3_000_000)}", country="GB")
        for _ in range(ASKED)
    ]
    return {
        "open_s": opening,
        "lookup_us": microseconds(graph.entities.get, ids),
        "lookup_again_us": microseconds(graph.entities.get, ids[-1000:]),
        "lei_us": microseconds(resolver.resolve, leis),
        "name_us": microseconds(resolver.resolve, names),
        "assess_us": microseconds(lambda one: assess(graph, one, DAY, QUESTION), ids[:5000]),
        "assess_ring_s": timed(lambda: assess(graph, f"c{world.ring}", DAY, QUESTION))[0],
        "below_us": microseconds(lambda stake: _below(graph, stake), changed),
        "holdings_s": timed(lambda: len(graph.stakes_of(f"c{world.big}")))[0],
        "cpu_s": round(time.process_time(), 1),
        "private_mb_before": before["private_mb"],
        "anonymous_mb_opened": after_opening["anonymous_mb"],
        "anonymous_mb_asked": memory()["anonymous_mb"],
    }


def _below(graph: OwnershipGraph, stake_id: str) -> set[str]:
    """Find the companies that a change of a stake can reach."""
    return below(graph, [stake.held for stake in graph.parts_of(stake_id)])


def bulk(path: Path) -> dict[str, Any]:
    """Work out all verdicts from the file."""
    columns = columns_of(Snapshot(path))
    spent, found = timed(lambda: verdicts(columns, day_number(DAY), QUESTION, np.empty(0, np.int64)))
    if (found != columns["entity_verdict"]).any():
        raise AssertionError("the verdicts in the file are others")
    return {"all_readings_s": spent, "max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def measure(folder: Path, companies: int) -> dict[str, Any]:
    """Make a world, build it, open it and ask."""
    source, target = folder / "world.jsonl", folder / "world.snapshot"
    making, stakes = timed(lambda: World(companies).write(source))
    workers = len(os.sched_getaffinity(0))
    spent = _cpu()
    with Peak() as peak:
        building, _ = timed(lambda: build([source], target, Ask(QUESTION), workers=workers))
    spent = _cpu() - spent
    with _fresh() as pool:
        served = pool.submit(serve, target, companies).result()
    with _fresh() as pool:
        read = pool.submit(bulk, target).result()
    snapshot = Snapshot(target)
    return {
        "companies": companies,
        "stakes": stakes,
        "source_mb": source.stat().st_size >> 20,
        "snapshot_mb": target.stat().st_size >> 20,
        "made_s": making,
        "build_s": building,
        "build_cpu_s": round(spent, 1),
        "build_peak_mb": peak.most,
        "check_s": timed(snapshot.file.check)[0],
        "summary_s": timed(lambda: summary(snapshot))[0],
        "verdicts": summary(snapshot)["verdicts"],
        "served": served,
        "bulk": read,
    }


def _cpu() -> float:
    """Return the CPU seconds of this process and of those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _fresh() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=10_000_000)
    parser.add_argument("--output", type=Path, default=Path("ownership-benchmark.json"))
    parser.add_argument("--folder", type=Path, help="where the files are made; default: a temporary one")
    options = parser.parse_args()
    with TemporaryDirectory(dir=options.folder) as folder:
        found = {"machine": machine(), **measure(Path(folder), options.companies)}
    options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
