"""What became of the statements of ownership files, told on stderr."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from stream_enforcer.domain.ownership.merging import Identity
from stream_enforcer.reference.report import SourceReport

Strict = Annotated[
    bool,
    typer.Option("--strict", help="Refuse an ownership file at its first fault, instead of counting it."),
]

KeepApart = Annotated[
    Path | None,
    typer.Option(
        "--keep-apart",
        metavar="FILE",
        help="Ids of records that are not of one company: two a line, or one that is never merged.",
    ),
]


def tell(reports: Iterable[SourceReport], dangling: int, identity: Identity) -> None:
    """Tell of each file with something to say what it is, and each reason with its count and first place.

    Args:
        reports: One for each file.
        dangling: Parties of stakes that no file describes.
        identity: What was found of companies that several records are of.
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
    for line in merged(identity):
        typer.echo(line, err=True)


def counted(ids: int, companies: int) -> str:
    """Say how many ids are of how many companies."""
    return f"{ids:,} ids are of {companies:,} compan{'y' if companies == 1 else 'ies'}"


def merged(identity: Identity) -> Iterator[str]:
    """Yield what there is to say of companies that several records are of, a line each."""
    if identity.companies:
        yield counted(identity.records, identity.companies)
    for field, count in identity.conflicts.items():
        yield f"  records of one company contradict each other in {field}: {count} times"
    if identity.inner:
        yield f"  stakes between records of one company, left out: {identity.inner}"
    if identity.doubled:
        yield f"  holdings that several sources state, of which one counts: {identity.doubled}"
    if identity.disagreements:
        yield f"  holdings of which sources exclude each other: {identity.disagreements}"
    if identity.apart_unknown:
        yield f"{identity.apart_unknown} ids to keep apart are not in the data"
