"""`stream-enforcer demo`: the whole thing on this machine, once."""

import logging
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console, RenderableType
from rich.text import Text

from stream_enforcer.cli.ownership_tree import tree
from stream_enforcer.demo.accounts import first_of
from stream_enforcer.demo.data import ownership_file
from stream_enforcer.demo.feed import FEWEST_EVENTS, flood_events, steady_events
from stream_enforcer.demo.interrupts import Interrupts
from stream_enforcer.demo.play import RATE, DemoFailed, Play, Script
from stream_enforcer.demo.readings import reading
from stream_enforcer.demo.replica import ReplicaFailed
from stream_enforcer.demo.stage import Stage, stage, wait_for_replicas
from stream_enforcer.demo.summary import Figures, numbers, summary
from stream_enforcer.demo.view import View
from stream_enforcer.kafka.client import UNREACHABLE
from stream_enforcer.kafka.distribution import KAFKA_VERSION, LocalKafkaError, LocalKafkaSetupError
from stream_enforcer.reference.ownership import load_ownership
from stream_enforcer.replay.verification import Refuted
from stream_enforcer.settings import PREFIX, Kafka

BROKER_VARIABLE: Final = "KAFKA_BOOTSTRAP_SERVERS"
STEADY_SECONDS: Final = 6

EventCount = Annotated[
    int, typer.Option(min=FEWEST_EVENTS, help="Events to feed as fast as it goes; 6,000 follow at 1,000/s.")
]
Keep = Annotated[bool, typer.Option("--keep", help="Leave everything up until Ctrl-C.")]


def demo(events: EventCount = 50_000, keep: Keep = False) -> None:
    """Start a real Kafka and two replicas, feed events, show decisions, explain one, clean up.

    KAFKA_BOOTSTRAP_SERVERS=HOST:PORT uses that broker, with topics of its own that are deleted at the end.
    """
    # What the client has to say is in the errors that it raises; its log lines would tear the view apart.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    performance = Performance(Console(highlight=False), Interrupts(), events)
    try:
        performance.give(_servers(), keep=keep)
    except KeyboardInterrupt:
        typer.echo("stopped; nothing is left running", err=True)
        raise typer.Exit(0 if performance.kept else 130) from None
    except LocalKafkaSetupError as error:
        raise _failed(str(error), 2) from error
    except UNREACHABLE as error:
        raise _failed(f"Kafka does not answer: {error}", 2) from error
    except (LocalKafkaError, ReplicaFailed, DemoFailed, Refuted) as error:
        raise _failed(str(error), 1) from error


class Performance:
    """One demo, told to a console.

    Attributes:
        kept: Whether it was done and then left up.
    """

    def __init__(self, console: Console, interrupts: Interrupts, events: int) -> None:
        self._console = console
        self._interrupts = interrupts
        self._events = events
        self.kept = False

    def give(self, servers: str | None, *, keep: bool) -> None:
        """Set the stage, play, sum up, and clean up."""
        started = time.monotonic()
        with stage(servers, self._interrupts, self._tell) as running:
            figures = self._play(running)
            for part in self._pages(running, figures):
                self._console.print(part)
            if keep:
                self.kept = True
                self._stay(running)
        self._tell(f"\nStopped, nothing is left running; {time.monotonic() - started:.0f} s in all.")

    def _tell(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def _play(self, running: Stage) -> Figures:
        self._tell("starting two replicas of the service")
        script = Script(
            flood_events(self._events), steady_events(RATE * STEADY_SECONDS), first_of("register")
        )
        wait_for_replicas(running)
        for name, replica in running.replicas.items():
            owned = numbers(reading(replica.samples()).partitions)
            self._tell(f"{name} (process {replica.pid}) owns partitions {owned}; {replica.url}/metrics")
        with View(self._console) as view:
            return self._interrupts.run(Play(running, script, view).run())

    def _pages(self, running: Stage, figures: Figures) -> Iterator[RenderableType]:
        broker = f"Apache Kafka {KAFKA_VERSION}" if running.local else "the Kafka that was given"
        shown = figures.shown
        ownership = None if shown is None else shown["ownership"]
        names = {id_: entity.name for id_, entity in load_ownership([ownership_file()]).entities.items()}
        drawn = Text("no ownership in it") if ownership is None else tree(ownership, names)
        return summary(figures, drawn, broker)

    def _stay(self, running: Stage) -> None:
        self._tell("\nAll of it stays up until Ctrl-C. To look around:")
        for command in _commands(running):
            self._tell(f"  {command}")
        while True:
            signal.pause()


def _commands(running: Stage) -> Iterator[str]:
    """Yield commands that work as they stand, in another terminal."""
    program = Path(sys.argv[0]).absolute()
    own = [str(program)] if program.name == "stream-enforcer" else [sys.executable, "-m", "stream_enforcer"]
    settings = [f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS={running.clients.settings.bootstrap_servers}"]
    if not running.local:
        settings.append(f"{PREFIX}TOPICS__DECISIONS={running.topics.decisions}")
    account = first_of("register")
    for replica in running.replicas.values():
        yield f"curl -s {replica.url}/metrics"
    yield f"curl -s {next(iter(running.replicas.values())).url}/world"
    yield shlex.join([*settings, *own, "explain", account, "--ownership", str(ownership_file())])
    yield shlex.join([*settings, *own, "explain", account, "--json"])


def _servers() -> str | None:
    servers = os.environ.get(BROKER_VARIABLE)
    if not servers:
        return None
    try:
        return Kafka(bootstrap_servers=servers).bootstrap_servers
    except ValidationError as error:
        raise _failed(
            f"{BROKER_VARIABLE}: {error.errors()[0]['msg'].removeprefix('Value error, ')}", 2
        ) from error


def _failed(message: str, code: int) -> typer.Exit:
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(code)
