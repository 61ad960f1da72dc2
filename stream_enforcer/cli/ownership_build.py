"""`stream-enforcer ownership build`: compile ownership files into a snapshot."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from stream_enforcer.cli.source_reports import KeepApart, merged
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.fields import is_day
from stream_enforcer.reference.policy_file import BadPolicy, load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream_enforcer.snapshot.sources import Progress as Tell


def build(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES...",
            help="Ownership files: native, BODS, GLEIF or FollowTheMoney.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", metavar="SNAPSHOT", help="The file to write.", show_default=False),
    ],
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="Work out all verdicts, as this policy asks."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="Day of the verdicts, such as 2024-06-30; default: the day that the files describe."
        ),
    ] = None,
    keep_apart: KeepApart = None,
) -> None:
    """Compile ownership files into one file that all processes share and that opens at once."""
    from stream_enforcer.snapshot import building  # noqa: PLC0415 - loads numpy, which only this command needs

    if at is not None and not is_day(at):
        raise typer.BadParameter(f"{at!r} is not a day such as 2024-06-30", param_hint="--at")
    if at is not None and policy is None:
        raise typer.BadParameter("needs --policy: without one, there are no verdicts", param_hint="--at")
    try:
        ask = None if policy is None else building.Ask(load_policy(policy).question, at)
        workers = len(os.sched_getaffinity(0))
        with _shown() as progress:
            header = building.build(
                files, output, ask, keep_apart=keep_apart, workers=workers, progress=progress
            )
    except (BadReference, BadPolicy) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"error: {output}: can't be written: {error.strerror or error}", err=True)
        raise typer.Exit(2) from None
    for source in header.sources:
        for reason in source.reasons:
            typer.echo(f"{source.name}: {reason.kind}: {reason.count} x {reason.text}", err=True)
    for line in merged(header.identity.found()):
        typer.echo(line, err=True)
    counts = header.counts
    typer.echo(f"{output}: {counts.entities} entities, {counts.stakes} stakes, hash {header.hash}", err=True)


@contextmanager
def _shown() -> "Iterator[Tell | None]":
    """Show how far the reading is, where there is a terminal to show it on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total: bar.update(
            task,
            completed=done,
            total=total,
            description="reading" if done < total else "sorting and writing",
        )
