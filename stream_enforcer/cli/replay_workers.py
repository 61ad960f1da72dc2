"""One comparison in several processes, each with a part of the partitions; and parts put together."""

import multiprocessing
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Final

import typer

from stream_enforcer.cli.replay_comparison import REFUSALS, Asked, Result, compare
from stream_enforcer.replay.results import joined, read, write
from stream_enforcer.replay.summary import merged

PARTS: Final = "parts"
"""The folder, within that of the result, in which processes leave their parts until all are there."""


def put_together(parts: Sequence[Path]) -> Result:
    """Put the results of several parts of one run together.

    Raises:
        BadResult: One is no result.
        NotOfOneRun: They do not belong together.
    """
    found = [read(part) for part in parts]
    return merged([summary for summary, _ in found]), joined([rows for _, rows in found])


def compare_in_parts(asked: Asked, workers: int, out: Path) -> Result:
    """Compare in so many processes; what comes out is what one process would have said, to the byte.

    Args:
        asked: What is compared, on topics.
        workers: Number of processes.
        out: The folder of the result; the parts wait in a folder within it, which is removed in the end.

    Raises:
        typer.Exit: With the code of a process that failed, which has said why.
        OSError: The parts cannot be written.
    """
    folders = [out / PARTS / f"{number}-of-{workers}" for number in range(workers)]
    # A process that is made anew, not forked: this one may have threads.
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_work, args=(_part_of(asked, number, workers), folder), daemon=True)
        for number, folder in enumerate(folders)
    ]
    for process in processes:
        process.start()
    _wait(processes)
    result = put_together(folders)
    shutil.rmtree(out / PARTS)
    return result


def _part_of(asked: Asked, number: int, parts: int) -> Asked:
    return replace(asked, stretch=replace(asked.stretch, part=(number, parts)))


def _work(asked: Asked, folder: Path) -> None:
    """Be one process: compare a part, and leave its result in a folder."""
    try:
        write(folder, *compare(asked))
    except REFUSALS as error:
        sys.exit(_said(str(error)))
    except OSError as error:
        sys.exit(_said(f"{error.filename or 'output'}: {error.strerror or error}"))
    except typer.Exit as end:
        sys.exit(end.exit_code)


def _said(message: str) -> int:
    typer.echo(message, err=True)
    return 2


def _wait(processes: Sequence[SpawnProcess]) -> None:
    """Wait for all processes, or end them as soon as one fails."""
    running = list(processes)
    failed: list[SpawnProcess] = []
    while running and not failed:
        wait([process.sentinel for process in running])
        running = [process for process in running if process.is_alive()]
        failed = [process for process in processes if process.exitcode]
    for process in running:
        process.terminate()
    for process in processes:
        process.join()
    if failed:
        code = failed[0].exitcode or 0
        if code < 0:
            typer.echo(f"a process of {len(processes)} was ended by signal {-code}", err=True)
        raise typer.Exit(max(code, 2))
