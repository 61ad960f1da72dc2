"""`stream-enforcer schemas`: JSON Schema of every public document, and AsyncAPI of the topics."""

from pathlib import Path
from typing import Annotated

import typer

from stream_enforcer.schemas import contract_files

app = typer.Typer(no_args_is_help=True)


@app.callback()
def schemas() -> None:
    """JSON Schema of every public document, and AsyncAPI of the topics."""


@app.command()
def export(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to write; it is made when missing.")
    ] = Path("schemas"),
) -> None:
    """Write one JSON Schema (draft 2020-12) for each document, and asyncapi.yaml; name every file on stdout."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in contract_files().items():
            (directory / name).write_bytes(content)
            typer.echo(str(directory / name))
    except OSError as error:
        typer.echo(f"{error.filename}: cannot be written: {error.strerror}", err=True)
        raise typer.Exit(2) from error
