"""The options that draw a proof into files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from stream_enforcer.cli.picture import Described, dot, picture, svg
from stream_enforcer.domain.ownership.graph import Entity
from stream_enforcer.domain.ownership.question import seat
from stream_enforcer.domain.ownership.witness import MOST_EDGES

SvgFile = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", help="Draw the proof into this file, as SVG.")
]
DotFile = Annotated[
    Path | None, typer.Option("--dot", metavar="FILE", help="Draw the proof into this file, for Graphviz.")
]


def described(ownership: Mapping[str, Any], entities: Mapping[str, Entity]) -> dict[str, Described]:
    """Return what ownership data say of those parties of an `ownership` object that are in them."""
    shown = {ownership["entity"], *(edge["holder"] for edge in ownership["proof"])}
    known = {party: entities.get(party) for party in sorted(shown)}
    return {
        party: Described(entity.name, seat(entity)[0])
        for party, entity in known.items()
        if entity is not None
    }


def draw(
    ownership: Mapping[str, Any],
    parties: Mapping[str, Described],
    day: str,
    *,
    svg_file: Path | None,
    dot_file: Path | None,
) -> None:
    """Draw the proof of an `ownership` object into those files that are given.

    Raises:
        typer.Exit: With code 2, after saying so: a file cannot be written, or there are more holdings than the
            service ever writes, which could take hours to draw.
    """
    if len(ownership["proof"]) > MOST_EDGES:
        typer.echo(f"the proof has more than {MOST_EDGES} holdings, too many to draw", err=True)
        raise typer.Exit(2)
    drawn = picture(ownership, parties, day)
    for file, write in ((svg_file, svg), (dot_file, dot)):
        if file is None:
            continue
        try:
            file.write_text(write(drawn), encoding="utf-8")
        except OSError as error:
            typer.echo(f"{file}: cannot be written: {error.strerror}", err=True)
            raise typer.Exit(2) from error
