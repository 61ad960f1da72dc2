"""`stream-enforcer ownership`: look at ownership data without the service."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from stream_enforcer.cli.drawing import DotFile, SvgFile, described, draw
from stream_enforcer.cli.ownership_build import build
from stream_enforcer.cli.ownership_diff import diff
from stream_enforcer.cli.ownership_info import info
from stream_enforcer.cli.ownership_tree import percent, tree
from stream_enforcer.cli.printable import printable
from stream_enforcer.cli.source_reports import KeepApart, Strict, tell
from stream_enforcer.domain.ownership import to_json
from stream_enforcer.domain.ownership.graph import OwnershipGraph
from stream_enforcer.domain.ownership.resolve import Match
from stream_enforcer.domain.ownership.semantics import Finding, Question, assess
from stream_enforcer.reference.country_names import COUNTRIES
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.fields import is_day, millionths
from stream_enforcer.reference.ownership import read_ownership

app = typer.Typer(no_args_is_help=True)


@app.callback()
def ownership() -> None:
    """Look at ownership data."""


app.command()(build)
app.command()(info)
app.command()(diff)


@app.command()
def show(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="Id of the company in the data.")],
    files: Annotated[
        list[Path], typer.Option("--ownership", help="Ownership file, repeatable; or one snapshot.")
    ],
    restricted: Annotated[str, typer.Option(help="Country codes, separated by commas.")],
    at: Annotated[str | None, typer.Option(help="Day, such as 2024-06-30; today (UTC) by default.")] = None,
    threshold: Annotated[str, typer.Option(help="In per cent; more than this counts.")] = "50",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    strict: Strict = False,
    svg: SvgFile = None,
    dot: DotFile = None,
    keep_apart: KeepApart = None,
) -> None:
    """Show who holds a company: the three readings and the proof."""
    question = _question(restricted, threshold)
    day = _day(at)
    graph = _graph(files, strict=strict, keep_apart=keep_apart)
    kept = graph.merged.get(entity)
    if kept is not None:
        typer.echo(printable(f"{entity} is of the same company as {kept}"), err=True)
        entity = kept
    if entity not in graph.entities:
        typer.echo(f"{entity} is not in the ownership data", err=True)
        raise typer.Exit(1)
    finding = assess(graph, entity, day, question)
    found = _found(finding, question)
    parties = described(found, graph.entities)
    draw(found, parties, day, svg_file=svg, dot_file=dot)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print(found, {party: known.name for party, known in parties.items()})


def _question(restricted: str, threshold: str) -> Question:
    codes = frozenset(code.strip().upper() for code in restricted.split(",") if code.strip())
    wrong = sorted(codes - COUNTRIES)
    if wrong or not codes:
        what = ", ".join(wrong) or "nothing"
        raise typer.BadParameter(f"{what}: not a country code of ISO 3166-1", param_hint="--restricted")
    try:
        return Question(codes, millionths(threshold))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--threshold") from None


def _day(at: str | None) -> str:
    if at is None:
        return datetime.now(UTC).date().isoformat()
    if not is_day(at):
        raise typer.BadParameter(f"{at!r} is not a day such as 2024-06-30", param_hint="--at")
    return at


def _graph(files: list[Path], *, strict: bool, keep_apart: Path | None) -> OwnershipGraph:
    try:
        read = read_ownership(files, strict=strict, keep_apart=keep_apart)
    except BadReference as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    tell(read.reports, read.dangling, read.identity)
    return read.graph


def _found(finding: Finding, question: Question) -> dict[str, Any]:
    return {
        **to_json(finding, Match(finding.entity, "identifier", 100), question),
        "headquarters": finding.headquarters,
        "basis": finding.basis,
        "coverage": finding.coverage,
        "chain_coverage": finding.chain_coverage,
        "listings": list(finding.listings),
    }


def _print(found: dict[str, Any], names: dict[str, str]) -> None:
    console = Console(highlight=False)
    found = printable(found)
    console.print(tree(found, printable(names)))
    if not found.get("proof_complete", True):
        console.print("The proof is not complete: too many stakes take part.")
    console.print(f"seat: {found['headquarters'] or 'unknown'} ({found['basis']})")
    console.print(
        f"recorded shares: {percent(found['coverage'])}, {percent(found['chain_coverage'])} up the chain"
    )
    console.print(f"listings: {', '.join(found['listings']) or 'none'}", markup=False)
