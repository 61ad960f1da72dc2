"""`stream-enforcer config`: show the settings and check them. Here the command line meets the environment."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from stream_enforcer.observe.spans import check_tracing
from stream_enforcer.settings import BadSettings, SettingRow, Settings, describe, kafka_security, load

app = typer.Typer(help="Show and check the settings.", no_args_is_help=True)

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="YAML file of settings; default: STREAM_ENFORCER_CONFIG."),
]


def settings_or_exit(config: Path | None) -> Settings:
    """Load the settings from the process's environment and the file.

    Raises:
        typer.Exit: With code 2, after every problem was written to stderr.
    """
    try:
        return load(config, os.environ)
    except BadSettings as error:
        raise refused(error) from error


def refused(error: BadSettings) -> typer.Exit:
    """Write every problem to stderr and return the exit to raise, with code 2."""
    typer.echo(str(error), err=True)
    return typer.Exit(2)


@app.command()
def show(
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List every setting with its value, its origin and its meaning; secrets are masked."""
    rows = describe(settings_or_exit(config))
    console = Console()
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False))
    elif console.is_terminal:
        console.print(_table(rows))
    else:
        for row in rows:
            typer.echo("\t".join((row.name, _shown(row.value), row.origin, row.help)))


@app.command()
def check(config: ConfigFile = None) -> None:
    """Check the settings, and the certificate files and extras that they need; exit with 2 when something is wrong."""
    settings = settings_or_exit(config)
    try:
        kafka_security(settings.kafka)
        check_tracing(settings)
    except BadSettings as error:
        raise refused(error) from error
    given = sum(row.origin != "default" for row in describe(settings))
    typer.echo(f"ok: {given} settings given, the rest are defaults", err=True)


def _table(rows: list[SettingRow]) -> Table:
    table = Table("setting", "value", "origin", "meaning")
    for row in rows:
        table.add_row(row.name, _shown(row.value), row.origin, row.help)
    return table


def _shown(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
