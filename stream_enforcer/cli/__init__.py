"""The command line: one file per command, each a thin wrapper."""

from importlib.metadata import version
from typing import Annotated

import typer

from stream_enforcer.cli import (
    config,
    dead_letters,
    decide,
    demo,
    explain,
    feed,
    kafka,
    ownership,
    policy,
    replay,
    run,
    schemas,
    topics,
    verify,
)

app = typer.Typer(
    name="stream-enforcer",
    help="Regional and corporate-ownership enforcement over Kafka.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (demo.demo, run.run, decide.decide, explain.explain, verify.verify, feed.feed):
    app.command()(command)
app.add_typer(replay.app, name="replay")
app.add_typer(policy.app, name="policy")
app.add_typer(ownership.app, name="ownership")
app.add_typer(topics.app, name="topics")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(config.app, name="config")
app.add_typer(schemas.app, name="schemas")
app.add_typer(kafka.app, name="kafka")


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"stream-enforcer {version('stream-enforcer')}")
        raise typer.Exit


@app.callback()
def program(
    _asked: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Regional and corporate-ownership enforcement over Kafka."""


def main() -> None:
    """Run the command line."""
    app()
