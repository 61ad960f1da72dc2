"""The command line: one file per command, each a thin wrapper."""

import typer

from stream_enforcer.cli import config, kafka, ownership, topics
from stream_enforcer.cli.demo import demo
from stream_enforcer.cli.run import run

app = typer.Typer(
    name="stream-enforcer",
    help="Regional and corporate-ownership enforcement over Kafka.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(run)
app.add_typer(ownership.app, name="ownership")
app.add_typer(topics.app, name="topics")
app.add_typer(config.app, name="config")
app.add_typer(kafka.app, name="kafka")


def main() -> None:
    """Run the command line."""
    app()
