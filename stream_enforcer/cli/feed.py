"""`stream-enforcer feed`: events for a service that somebody wants to see at work."""

import logging
import time
from itertools import islice
from typing import Annotated

import typer

from stream_enforcer.cli.config import ConfigFile, settings_or_exit
from stream_enforcer.demo.feed import Feeder, endless_events
from stream_enforcer.demo.interrupts import Interrupts
from stream_enforcer.kafka.client import UNREACHABLE, Clients
from stream_enforcer.kafka.topics import TopicsMismatch, check
from stream_enforcer.settings import Settings

Rate = Annotated[int, typer.Option(min=1, max=10_000, help="Events per second.")]
EventCount = Annotated[int | None, typer.Option(min=1, help="End after so many; without it, at Ctrl-C.")]


def feed(rate: Rate = 100, events: EventCount = None, config: ConfigFile = None) -> None:
    """Feed invented events to the input topics, at a steady rate: accounts as in the demo, other ones each time.

    For a service to be seen at work; not for topics with events of real accounts.
    """
    settings = settings_or_exit(config)
    # What the client has to say is in the errors that it raises.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        sent = Interrupts().run(_feed(settings, rate, events))
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        return
    except TopicsMismatch as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except UNREACHABLE as error:
        typer.echo(f"Kafka does not answer: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{sent} events", err=True)


async def _feed(settings: Settings, rate: int, events: int | None) -> int:
    clients = Clients(settings.kafka)
    counts = await check(clients, settings.topics)
    topics = settings.topics.model_copy(update={"partitions": counts[settings.topics.signups]})
    producer = clients.producer(None)
    await producer.start()
    try:
        feeder = Feeder(producer, topics)
        await feeder.flow(islice(endless_events(f"{time.time_ns() // 1_000_000_000:x}"), events), rate)
    finally:
        await producer.stop()
    return feeder.total
