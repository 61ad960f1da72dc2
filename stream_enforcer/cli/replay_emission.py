"""Publish what the new side of a comparison decided, to a topic of its own."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson

from stream_enforcer.cli.asking import ask
from stream_enforcer.cli.replay_comparison import Comparison
from stream_enforcer.cli.replay_interruption import Interrupted, Interruption
from stream_enforcer.cli.replay_progress import Progress
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.emission import BadTarget, Emission, check_target
from stream_enforcer.kafka.history import TopicHistory, Wanted
from stream_enforcer.kafka.service import input_kinds
from stream_enforcer.replay.deciding import Deciding
from stream_enforcer.settings import Settings

Sources = Sequence[Mapping[str, Any]]
"""What was read, as the summary of a replay tells it."""


def refuse_unfit(comparison: Comparison, topic: str) -> None:
    """Find out before hours of reading that a topic cannot take the decisions, or that there are none to take.

    Raises:
        BadTarget: It is so.
        typer.Exit: With code 2, after the reason was told: Kafka does not answer.
    """
    settings = comparison.asked.settings
    if settings is None:
        raise BadTarget("--emit-to is for topics: files have no partitions")
    if len(comparison.lines[-1].reigns) > 1:
        raise BadTarget("--emit-to takes no ownership data by day: no record causes what a new day changes")
    ask(check_target(settings, topic), settings, "replay")


def emit(comparison: Comparison, sources: Sources, topic: str) -> tuple[int, int]:
    """Publish every decision of the new side, with the coordinates of the records that caused it, once.

    Args:
        comparison: Its new side decides.
        sources: What is read.
        topic: Where the decisions go.

    Returns:
        How many were published, and how many were there already.

    Raises:
        BadTarget: The topic holds something else.
        Interrupted: By SIGINT or SIGTERM.
        typer.Exit: With code 2, after the reason was told: Kafka does not answer.
    """
    settings = comparison.asked.settings
    if settings is None:
        raise BadTarget("--emit-to is for topics: files have no partitions")
    with Interruption() as stop:
        counts: tuple[int, int] = ask(_emit(comparison, settings, sources, topic, stop), settings, "replay")
        if stop.requested:
            raise Interrupted("run it again: what is published already is found, and not published twice")
        return counts


async def _emit(
    comparison: Comparison, settings: Settings, sources: Sources, topic: str, stop: Interruption
) -> tuple[int, int]:
    clients = Clients(settings.kafka)
    starts = {(source["name"], source["partition"]): source["from"] for source in sources}
    ends = {(source["name"], source["partition"]): source["to"] for source in sources}
    numbers = {number for _, number in ends}
    wanted = Wanted(input_kinds(settings), numbers, starts, ends)
    deciding = Deciding(comparison.lines[-1].last, settings.emit)
    emission = Emission(clients, topic, _namespace(comparison, settings, topic), numbers)
    with stop.cancels():
        async with emission, TopicHistory(clients, wanted) as history:
            with Progress(sum(source["records"] for source in sources)) as progress:
                async for chunk in history:
                    for kind, record in chunk:
                        decision = deciding.take(kind, record)
                        if decision is not None:
                            emission.take(record.partition, record.key or b"", decision.value)
                    await emission.flush()
                    progress.add(len(chunk))
            await emission.finish()
    return emission.published, emission.found


def _namespace(comparison: Comparison, settings: Settings, topic: str) -> str:
    """Name a replay by what it decides, and from when on: an attempt fences earlier ones of the same replay."""
    new = comparison.sides[1]
    what = [topic, comparison.asked.stretch.start, new["policy"], new["reference"], settings.emit]
    run = sha256(orjson.dumps(what, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    return f"{settings.kafka.group}-{settings.kafka.environment}-replay-{run}"
