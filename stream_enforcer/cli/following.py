"""Ownership files that change while the service runs: read aside, checked, and put in force without a stop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from stream_enforcer.domain.world import World
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.ownership import load_ownership

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 5.0
"""Between two looks at the files. What differs twice in the same way is complete."""

_State = tuple[tuple[int, int, int] | None, ...]


async def follow_files(
    paths: Sequence[Path], world: World, rebase: Callable[[World], Awaitable[None]], metrics: Metrics
) -> None:
    """Put ownership data in force whenever their files change, until cancelled. Policy and geo tables stay.

    Files that can't be used are said, and change nothing.

    Args:
        paths: The ownership files.
        world: The world that the service started with.
        rebase: Puts a world in force.
        metrics: Where failures are counted.
    """
    used = seen = _state(paths)
    while paths:
        await asyncio.sleep(LOOK_SECONDS)
        before, seen = seen, _state(paths)
        if seen == used or seen != before:
            continue
        used = seen
        try:
            graph = await asyncio.to_thread(load_ownership, paths)
        except BadReference as error:
            metrics.ownership_failures.inc()
            log.error("ownership files changed and can't be used", reason=str(error))  # noqa: TRY400
            continue
        await rebase(World.build(world.policy, world.geo, graph))
        log.info("ownership files put in force", hash=graph.hash, as_of=graph.as_of)


def _state(paths: Sequence[Path]) -> _State:
    return tuple(map(_state_of, paths))


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
