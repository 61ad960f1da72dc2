"""One comparison from what was asked to what differs; in this process."""

from dataclasses import dataclass
from typing import Final

from stream_enforcer.cli.asking import ask
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
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.policy_file import BadPolicy
from stream_enforcer.replay.conclusion import conclude
from stream_enforcer.replay.history import BadHistory, Manifest
from stream_enforcer.replay.outcome import Json
from stream_enforcer.replay.published import Published
from stream_enforcer.replay.results import BadResult
from stream_enforcer.replay.summary import NotOfOneRun, side, summary
from stream_enforcer.replay.trial import Trial
from stream_enforcer.settings import Settings

Result = tuple[Json, list[Json]]
"""The summary without gates, and the rows of the accounts that end differently."""

REFUSALS: Final = (BadPolicy, BadReference, BadHistory, BadResult, NotOfOneRun)
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
    """

    new: Given
    old: Given | None
    geo: tuple[str, ...]
    files: tuple[str, ...]
    decisions: tuple[str, ...]
    stretch: Stretch
    settings: Settings | None


def compare(asked: Asked) -> Result:
    """Read history, and compare the two sides on it.

    Raises:
        BadPolicy, BadReference, BadHistory: What was asked cannot be had.
        OSError: A file can't be read.
        typer.Exit: With code 2, after the reason was told: Kafka does not answer.
    """
    given = [asked.new] if asked.old is None else [asked.old, asked.new]
    lines = timelines(given, asked.geo)
    trial, world = Trial(lines), lines[-1].last
    published = Published(world.policy.restricted) if asked.old is None else None
    manifest = _read(asked, trial)
    trial.end(_end_ms(asked))
    if published is not None:
        _read_published(asked, published)
    totals, rows = conclude(trial, None if published is None else published.stand)
    sides = (_side(asked.old, lines[0].last), _side(asked.new, world))
    return summary(manifest, sides, trial, totals), rows


def _end_ms(asked: Asked) -> int | None:
    end = bound(asked.stretch.end)
    return end if isinstance(end, int) else None


def _read(asked: Asked, trial: Trial) -> Manifest:
    if asked.settings is None:
        return read_files(asked.files, trial)
    manifest: Manifest = ask(read_topics(asked.settings, asked.stretch, trial), asked.settings, "replay")
    return manifest


def _read_published(asked: Asked, published: Published) -> None:
    if asked.decisions or asked.settings is None:
        read_decision_files(asked.decisions, published)
    else:
        ask(read_decisions(asked.settings, asked.stretch, published), asked.settings, "replay")


def _side(given: Given | None, world: World) -> Json:
    return side("what was decided", None) if given is None else side(given.what, world)
