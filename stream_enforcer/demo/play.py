"""Plays the demo's two acts on a stage: a flood to measure throughput, a steady stream to measure latency."""

import asyncio
import gc
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from stream_enforcer.demo.feed import Event, Feeder
from stream_enforcer.demo.readings import Meter, Reading, reading
from stream_enforcer.demo.stage import Stage, log_tails
from stream_enforcer.demo.summary import Figures, Latency, ReplicaFigures
from stream_enforcer.demo.view import ReplicaLine, Snapshot, View
from stream_enforcer.demo.watch import Watch, watch

RATE: Final = 1_000
"""Events per second of the steady stream."""
NO_PROGRESS_SECONDS: Final = 30.0
_READ_SECONDS: Final = 0.1
_STEADY_READ_SECONDS: Final = 0.5
"""Reading metrics costs a replica some milliseconds, which a decision may have to wait for."""


class DemoFailed(Exception):
    """The service did not do what it should; the message says what, with the end of the logs."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is played.

    Attributes:
        flood: Events that are sent as fast as it goes.
        steady: Events that are sent at `RATE`; each causes a decision.
        shown: The account whose decision is explained.
    """

    flood: Sequence[Event]
    steady: Sequence[Event]
    shown: str


class Play:
    """One run of the script."""

    def __init__(self, stage: Stage, script: Script, view: View) -> None:
        self._stage = stage
        self._script = script
        self._view = view
        self._started = time.perf_counter()
        self._act = ""
        self._read_every = _READ_SECONDS
        self._readings = {name: Reading() for name in stage.replicas}
        self._meters = {name: Meter() for name in stage.replicas}
        self._watch = Watch(script.shown)
        self._over = asyncio.Event()

    async def run(self) -> Figures:
        """Play, and return what was measured.

        Raises:
            DemoFailed: A replica ended, or records stayed unjudged or decisions unseen.
            Refuted: A decision does not follow its account's last one.
            KafkaError: The broker does not answer.
        """
        gc.freeze()  # the script is large; walking through it would be counted as latency
        producer = self._stage.clients.producer(None)
        await producer.start()
        try:
            self._feeder = Feeder(producer, self._stage.topics)
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    watch(self._stage.clients, self._stage.topics, self._watch, self._over), name="watch"
                )
                group.create_task(self._observe(), name="observe")
                flood_seconds = await self._flood()
                await self._steady()
                self._over.set()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            await producer.stop()
        return self._figures(flood_seconds)

    async def _flood(self) -> float:
        """Return the time from the first record sent to the last one committed."""
        self._act = "as fast as it goes"
        start = time.perf_counter()
        await self._feeder.flood(self._script.flood)
        await self._reach("records judged", lambda: self._judged, lambda: self._feeder.total)
        return time.perf_counter() - start

    async def _steady(self) -> None:
        self._act = f"steady {RATE:,} events/s"
        self._read_every = _STEADY_READ_SECONDS
        await self._feeder.steady(self._script.steady, RATE)
        await self._reach("records judged", lambda: self._judged, lambda: self._feeder.total)
        await self._reach("decisions read", lambda: self._watch.decisions, lambda: self._decisions)

    @property
    def _judged(self) -> int:
        return sum(each.judged for each in self._readings.values())

    @property
    def _decisions(self) -> int:
        return sum(each.decisions for each in self._readings.values())

    async def _reach(self, what: str, count: Callable[[], int], goal: Callable[[], int]) -> None:
        best, since = -1, time.monotonic()
        while count() != goal():
            if count() > best:
                best, since = count(), time.monotonic()
            elif time.monotonic() - since > NO_PROGRESS_SECONDS:
                raise DemoFailed(
                    f"{what}: {count():,} of {goal():,}, and no more for {NO_PROGRESS_SECONDS:.0f} s;"
                    f" the replicas' logs end:\n{log_tails(self._stage.replicas)}"
                )
            await asyncio.sleep(0.01)

    async def _observe(self) -> None:
        """Read the replicas' metrics and show how things stand, until it is over."""
        while not self._over.is_set():
            for name, replica in self._stage.replicas.items():
                if not replica.running():
                    raise DemoFailed(f"{name} ended; its log ends:\n{replica.log_tail()}")
                samples = await asyncio.to_thread(replica.samples)
                if samples:
                    self._readings[name] = reading(samples)
                    self._meters[name].add(time.perf_counter(), self._readings[name].judged)
            self._view.show(self._snapshot())
            await asyncio.sleep(self._read_every)

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            seconds=time.perf_counter() - self._started,
            act=self._act,
            sent=self._feeder.total,
            to_send=len(self._script.flood) + len(self._script.steady),
            judged=self._judged,
            decisions=self._watch.decisions,
            by_reason=dict(self._watch.by_reason),
            replicas=[
                ReplicaLine(name, self._readings[name], self._meters[name].rate) for name in self._readings
            ],
            latency=self._latency(),
        )

    def _latency(self) -> Latency | None:
        seen_at = self._watch.seen_at
        sent_at = self._feeder.sent_at
        took = sorted(seen_at[event] - sent for event, sent in sent_at.items() if event in seen_at)
        if len(took) < 2:
            return None
        percentiles = quantiles(took, n=100, method="inclusive")
        return Latency(RATE, len(took), percentiles[49], percentiles[98], took[-1])

    def _figures(self, flood_seconds: float) -> Figures:
        latency = self._latency()
        if latency is None:
            raise DemoFailed("no event of the steady stream was followed by its decision")
        replicas = self._stage.replicas
        return Figures(
            sent=dict(self._feeder.sent),
            flood=len(self._script.flood),
            flood_seconds=flood_seconds,
            cores=len(os.sched_getaffinity(0)),
            latency=latency,
            accounts=len(self._watch.chains),
            suspended=sum(link.action == "suspend" for link in self._watch.chains.values()),
            by_action=dict(self._watch.by_action),
            by_reason=dict(self._watch.by_reason),
            dead_letters=sum(each.dead_letters for each in self._readings.values()),
            replicas=[
                ReplicaFigures(name, each.partitions, each.judged, f"{replicas[name].url}/metrics")
                for name, each in self._readings.items()
            ],
            shown=self._watch.shown,
        )
