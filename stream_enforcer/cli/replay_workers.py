"""One comparison in several processes, each with a part of the partitions; and parts put together."""

import multiprocessing
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Final

import orjson
import typer

from stream_enforcer.cli.replay_comparison import REFUSALS, Asked, Result, compare, prepare
from stream_enforcer.cli.replay_interruption import EXIT, Interrupted, Interruption
from stream_enforcer.replay import bookmark
from stream_enforcer.replay.history import BadHistory
from stream_enforcer.replay.results import joined, read, write
from stream_enforcer.replay.summary import merged

PARTS: Final = "parts"
"""The folder, within that of the result, in which processes leave their parts until all are there."""
ASKED: Final = "asked.json"
"""What a part that is through was asked; one that is to go on with the others has to be asked the same."""


def put_together(parts: Sequence[Path]) -> Result:
    """Put the results of several parts of one run together.

    Raises:
        BadResult: One is no result.
        NotOfOneRun: They do not belong together.
    """
    found = [read(part) for part in parts]
    return merged([summary for summary, _ in found]), joined([rows for _, rows in found])


def forget(out: Path) -> None:
    """Remove what interrupted processes left in the folder of a result, when the result is there.

    Raises:
        OSError: It cannot be removed.
    """
    (out / bookmark.NAME).unlink(missing_ok=True)
    if (out / PARTS).exists():
        shutil.rmtree(out / PARTS)


def compare_in_parts(asked: Asked, workers: int, out: Path, *, resume: bool) -> Result:
    """Compare in so many processes; what comes out is what one process would have said, to the byte.

    Args:
        asked: What is compared, on topics.
        workers: Number of processes.
        out: The folder of the result; the parts wait in a folder within it until `forget`.
        resume: Whether to go on with what was interrupted.

    Raises:
        Interrupted: By SIGINT or SIGTERM.
        typer.Exit: With code 2, because a process failed, which has said why.
        BadHistory: There is nothing to go on with.
        OSError: The parts cannot be written.
    """
    folders = [out / PARTS / f"{number}-of-{workers}" for number in range(workers)]
    _begin(folders, resume=resume)
    # A process that is made anew, not forked: this one may have threads.
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_work, args=(_part_of(asked, number, workers), folder, resume), daemon=True)
        for number, folder in enumerate(folders)
    ]
    with Interruption(lambda: _end(processes)) as stop:
        for process in processes:
            process.start()
        if stop.requested:
            _end(processes)
        failed = _wait(processes)
        if stop.requested and failed:
            raise Interrupted(f"{out / PARTS} holds how far; --resume goes on")
        if failed:
            raise typer.Exit(2)
        return put_together(folders)


def _begin(folders: Sequence[Path], *, resume: bool) -> None:
    parts = folders[0].parent
    if not resume:
        forget(parts.parent)
        for folder in folders:
            folder.mkdir(parents=True)
        return
    there = {path.name for path in parts.iterdir()} if parts.exists() else set()
    if not there:
        raise BadHistory(f"{parts}: there is no interrupted replay of several processes to go on with")
    if there != {folder.name for folder in folders}:
        raise BadHistory(f"{parts}: was interrupted with {len(there)} workers; give --workers {len(there)}")


def _part_of(asked: Asked, number: int, parts: int) -> Asked:
    return replace(asked, stretch=replace(asked.stretch, part=(number, parts)))


def _work(asked: Asked, folder: Path, resume: bool) -> None:
    """Be one process: compare a part, and leave its result in a folder, with what was asked."""
    try:
        comparison = prepare(asked)
        identity = orjson.dumps(comparison.identity, default=tuple, option=orjson.OPT_SORT_KEYS)
        if resume and (folder / ASKED).exists():
            if (folder / ASKED).read_bytes() != identity:
                sys.exit(
                    _said(f"{folder}: was interrupted with other sides or bounds; give what was given then")
                )
            return
        going_on = resume and (folder / bookmark.NAME).exists()
        write(folder, *compare(comparison, folder, resume=going_on))
        (folder / ASKED).write_bytes(identity)
    except Interrupted:
        sys.exit(EXIT)
    except REFUSALS as error:
        sys.exit(_said(str(error)))
    except OSError as error:
        sys.exit(_said(f"{error.filename or 'output'}: {error.strerror or error}"))
    except typer.Exit as end:
        sys.exit(end.exit_code)


def _said(message: str) -> int:
    typer.echo(message, err=True)
    return 2


def _end(processes: Iterable[SpawnProcess]) -> None:
    """End processes that run; each writes how far it came."""
    for process in processes:
        if process.pid is not None and process.is_alive():
            process.terminate()


def _wait(processes: Sequence[SpawnProcess]) -> bool:
    """Wait for all processes, or end them as soon as one fails; tell whether one did."""
    running = list(processes)
    while running and not any(process.exitcode for process in processes):
        wait([process.sentinel for process in running])
        running = [process for process in running if process.is_alive()]
    _end(running)
    for process in processes:
        process.join()
    for process in processes:
        if process.exitcode is not None and process.exitcode < 0:
            typer.echo(f"a process was ended by signal {-process.exitcode}", err=True)
    return any(process.exitcode for process in processes)
