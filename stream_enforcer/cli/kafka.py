"""`stream-enforcer kafka`: a real local Kafka for development."""

import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from stream_enforcer.kafka.broker import LocalKafka
from stream_enforcer.kafka.distribution import LocalKafkaError, LocalKafkaSetupError

app = typer.Typer(no_args_is_help=True)


@app.callback()
def kafka() -> None:
    """Run a real Apache Kafka on this machine."""


@app.command()
def up(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port on 127.0.0.1; a free one by default.")
    ] = None,
) -> None:
    """Start a broker, print its address as KAFKA_BOOTSTRAP_SERVERS=..., and run it until Ctrl-C."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _interrupt_once)
    try:
        with LocalKafka.start(port=port) as broker:
            typer.echo(f"log: {broker.log_path}; stop with Ctrl-C", err=True)
            typer.echo(f"KAFKA_BOOTSTRAP_SERVERS={broker.bootstrap_servers}")
            broker.wait()
    except KeyboardInterrupt:
        return
    except LocalKafkaError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2 if isinstance(error, LocalKafkaSetupError) else 1)


def _interrupt_once(_number: int, _frame: FrameType | None) -> None:
    """End the wait; a second signal must not end the clean stop that follows (which has its own deadline)."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_IGN)
    raise KeyboardInterrupt
