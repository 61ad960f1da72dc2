"""One comparison from what was asked to what differs; in this process."""

from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import typer

from stream_enforcer.cli.asking import ask
from stream_enforcer.cli.collection import rare_collection
from stream_enforcer.cli.replay_interruption import Interrupted, Interruption
from stream_enforcer.cli.replay_reading import (
    Stretch,
    bound,
    read_decision_files,
    read_decisions,
    read_files,
    read_topics,
)
from stream_enforcer.cli.replay_sides import Given, timelines
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.emission import BadTarget
from stream_enforcer.observe.replay_metrics import CannotServe, ReplayStatus, served
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.policy_file import BadPolicy
from stream_enforcer.replay import bookmark
from stream_enforcer.replay.conclusion import conclude
from stream_enforcer.replay.event_files import STDIN
from stream_enforcer.replay.history import BadHistory, Manifest
from stream_enforcer.replay.outcome import Json
from stream_enforcer.replay.published import Published
from stream_enforcer.replay.results import BadResult
from stream_enforcer.replay.summary import NotOfOneRun, side, summary
from stream_enforcer.replay.timeline import Timeline
from stream_enforcer.replay.trial import Trial
from stream_enforcer.settings import Settings

Result = tuple[Json, list[Json]]
"""The summary without gates, and the rows of the accounts that end differently."""

_BEGINS_LATER: Final = ("what accounts showed before the start is not known",)
REFUSALS: Final = (BadPolicy, BadReference, BadHistory, BadResult, NotOfOneRun, BadTarget, CannotServe)
"""What is wrong with what was asked; the message says it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared, and on what. Plain values: a worker process gets it as it is.

    Attributes:
        new, old: The sides; None in the place of the old one for what was really decided.
        geo: Geo sources.
        files: Files of events; empty where topics are read.
        decisions: Files of published decisions; empty where their topic is read.
        stretch: Which part of the topics is read.
        settings: Those of the service; None where files are read.
        metrics: Where metrics are served meanwhile, HOST:PORT; None for nowhere.
    """

    new: Given
    old: Given | None
    geo: tuple[str, ...]
    files: tuple[str, ...]
    decisions: tuple[str, ...]
    stretch: Stretch
    settings: Settings | None
    metrics: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison that is ready to begin: its sides are loaded.

    Attributes:
        asked: What is compared.
        lines: The worlds of each side that is judged.
        sides: The old and the new side, as the result describes them.
    """

    asked: Asked
    lines: list[Timeline]
    sides: tuple[Json, Json]

    @property
    def identity(self) -> Json:
        """What has to be the same for a replay to go on with what another one began."""
        asked, settings = self.asked, self.asked.settings
        reigns = [
            [[reign.since_ms, reign.world.policy.hash, reign.world.reference_hash] for reign in line.reigns]
            for line in self.lines
        ]
        topics = None if settings is None else settings.topics
        return {
            "version": version("stream-enforcer"),
            "sides": [self.sides, reigns],
            "--from": asked.stretch.start,
            "--to": asked.stretch.end,
            "--part": asked.stretch.part,
            "topics": None
            if topics is None
            else [topics.signups, topics.usage, topics.overrides, topics.decisions],
            "files": [[name, _size(name)] for name in asked.files],
            "--decisions": asked.decisions,
        }

    @property
    def restarts(self) -> bool:
        """Whether it can be taken up again: standard input comes once."""
        return STDIN not in (*self.asked.files, *self.asked.decisions)


def _size(name: str) -> int | None:
    return None if name == STDIN else Path(name).stat().st_size


def prepare(asked: Asked) -> Comparison:
    """Load the sides.

    Raises:
        BadPolicy, BadReference: One cannot be used.
        OSError: A file can't be read.
    """
    given = [asked.new] if asked.old is None else [asked.old, asked.new]
    lines = timelines(given, asked.geo)
    sides = (_side(asked.old, lines[0].last), _side(asked.new, lines[-1].last))
    return Comparison(asked, lines, sides)


def _side(given: Given | None, world: World) -> Json:
    if given is None:
        return side("what was decided", None, None)
    return side(given.what, world, given.text)


def compare(comparison: Comparison, out: Path, *, resume: bool) -> Result:
    """Read history, and compare the two sides on it.

    Args:
        comparison: What to compare.
        out: The folder in which it is written how far an interrupted comparison came.
        resume: Whether to go on from there.

    Raises:
        BadHistory: History, or what is written of an interrupted comparison, cannot be read.
        CannotServe: Metrics can't be served where they are asked for.
        Interrupted: By SIGINT or SIGTERM.
        OSError: A file can't be read or written.
        typer.Exit: With code 2, after the reason was told: Kafka does not answer.
    """
    asked, identity, path = comparison.asked, comparison.identity, out / bookmark.NAME
    if resume and not comparison.restarts:
        raise BadHistory("standard input comes once: there is nothing to go on with")
    trial = Trial(comparison.lines)
    reading = bookmark.load(path, identity, trial) if resume else bookmark.Reading()
    published = Published(comparison.lines[-1].last.policy.restricted) if asked.old is None else None
    status = partial(_status, trial, reading)
    with rare_collection(), Interruption(heed=comparison.restarts) as stop, served(asked.metrics, status):
        try:
            _read(asked, trial, reading, stop)
            if published is not None and not stop.requested:
                _read_published(asked, published, stop)
        except (BadHistory, typer.Exit):
            if _keep(path, comparison, reading, trial):
                typer.echo(f"{path} holds how far history was read; --resume goes on", err=True)
            raise
        if stop.requested:
            kept = _keep(path, comparison, reading, trial)
            raise Interrupted(f"{path} holds how far; --resume goes on" if kept else "nothing was read yet")
        return _result(comparison, reading, trial, published)


def _status(trial: Trial, reading: bookmark.Reading) -> ReplayStatus:
    """Tell how far a replay is, in the middle of it and from another thread."""
    malformed = dict(trial.malformed)  # in one step, so that it does not grow meanwhile
    return ReplayStatus(reading.taken, reading.total, malformed, len(trial.accounts), trial.newest_ms)


def _keep(path: Path, comparison: Comparison, reading: bookmark.Reading, trial: Trial) -> bool:
    if reading.sources is None:
        return False
    bookmark.save(path, comparison.identity, reading, trial)
    return True


def _result(
    comparison: Comparison, reading: bookmark.Reading, trial: Trial, published: Published | None
) -> Result:
    stretch = comparison.asked.stretch
    end = bound(stretch.end)
    trial.end(end if isinstance(end, int) else None)
    passed_over = () if published is None else published.notes
    notes = (*reading.notes, *passed_over, *(_BEGINS_LATER if stretch.start else ()))
    totals, rows = conclude(trial, None if published is None else published.stand)
    return summary(Manifest(reading.sources or (), notes), comparison.sides, trial, totals), rows


def _read(asked: Asked, trial: Trial, reading: bookmark.Reading, stop: Interruption) -> None:
    if asked.settings is None:
        read_files(asked.files, trial, reading, stop)
    else:
        ask(read_topics(asked.settings, asked.stretch, trial, reading, stop), asked.settings, "replay")


def _read_published(asked: Asked, published: Published, stop: Interruption) -> None:
    if asked.decisions or asked.settings is None:
        read_decision_files(asked.decisions, published)
    else:
        ask(read_decisions(asked.settings, asked.stretch, published, stop), asked.settings, "replay")
