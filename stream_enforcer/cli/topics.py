"""`stream-enforcer topics`: create the topics and check that they fit together."""

from collections.abc import Coroutine
from typing import Annotated, Any

import typer

from stream_enforcer.cli.asking import ask
from stream_enforcer.cli.config import ConfigFile, settings_or_exit
from stream_enforcer.kafka import topics
from stream_enforcer.kafka.access import Command, needed, principal
from stream_enforcer.kafka.client import Clients
from stream_enforcer.settings import Settings

app = typer.Typer(help="Create and check the topics.", no_args_is_help=True)


@app.command()
def create(config: ConfigFile = None) -> None:
    """Create the topics that are missing; name each on stdout."""
    settings = settings_or_exit(config)
    for name in _ask(topics.create(Clients(settings.kafka), settings.topics), settings, "topics create"):
        typer.echo(name)


@app.command()
def check(config: ConfigFile = None) -> None:
    """Check that every topic exists and the partition counts fit; exit with 1 when they do not."""
    settings = settings_or_exit(config)
    _ask(topics.check(Clients(settings.kafka), settings.topics), settings, "topics check")
    typer.echo("ok: the topics fit together", err=True)


@app.command()
def acls(
    config: ConfigFile = None,
    who: Annotated[
        str | None,
        typer.Option("--principal", help="Whom to allow, such as User:enforcer; default: the SASL user."),
    ] = None,
) -> None:
    """Print the least rights that `run` needs, as arguments of Kafka's kafka-acls.sh, one line for each."""
    settings = settings_or_exit(config)
    for grant in needed(settings):
        typer.echo(grant.as_acl(who or principal(settings.kafka)))


def _ask(question: Coroutine[Any, Any, Any], settings: Settings, command: Command) -> Any:
    try:
        return ask(question, settings, command)
    except topics.TopicsMismatch as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
