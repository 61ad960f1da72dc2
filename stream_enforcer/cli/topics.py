"""`stream-enforcer topics`: create the topics and check that they fit together."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import typer

from stream_enforcer.cli.config import ConfigFile, settings_or_exit
from stream_enforcer.kafka import topics
from stream_enforcer.kafka.client import UNREACHABLE, Clients

app = typer.Typer(help="Create and check the topics.", no_args_is_help=True)


@app.command()
def create(config: ConfigFile = None) -> None:
    """Create the topics that are missing; name each on stdout."""
    settings = settings_or_exit(config)
    for name in _ask(topics.create(Clients(settings.kafka), settings.topics)):
        typer.echo(name)


@app.command()
def check(config: ConfigFile = None) -> None:
    """Check that every topic exists and the partition counts fit; exit with 1 when they do not."""
    settings = settings_or_exit(config)
    _ask(topics.check(Clients(settings.kafka), settings.topics))
    typer.echo("ok: the topics fit together", err=True)


def _ask(question: Coroutine[Any, Any, Any]) -> Any:
    try:
        return asyncio.run(question)
    except topics.TopicsMismatch as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except UNREACHABLE as error:
        typer.echo(f"Kafka does not answer: {error}", err=True)
        raise typer.Exit(2) from error
