"""What became of the statements of ownership files, told on stderr."""

from collections.abc import Iterable
from typing import Annotated

import typer

from stream_enforcer.reference.report import SourceReport

Strict = Annotated[
    bool,
    typer.Option("--strict", help="Refuse an ownership file at its first fault, instead of counting it."),
]


def tell(reports: Iterable[SourceReport], dangling: int) -> None:
    """Tell of each file with something to say what it is, and each reason with its count and first place.

    Args:
        reports: One for each file.
        dangling: Parties of stakes that no file describes.
    """
    for report in reports:
        if report.reasons:
            typer.echo(
                f"{report.path}: {report.format}, {report.read} statements, {report.used} used", err=True
            )
        for reason in report.reasons:
            first = f"first at {report.unit} {reason.first}"
            typer.echo(f"  {reason.kind}: {reason.text}, {reason.count} times, {first}", err=True)
    if dangling:
        typer.echo(f"{dangling} parties of stakes are described by no file", err=True)
