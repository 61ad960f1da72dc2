"""Ask Kafka something, and say in a line why it gives no answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import typer

from stream_enforcer.kafka.access import Command, lacking
from stream_enforcer.kafka.bounded_read import ReadStalled
from stream_enforcer.kafka.client import UNREACHABLE
from stream_enforcer.kafka.refusal import refusal
from stream_enforcer.settings import Settings


def ask(question: Coroutine[Any, Any, Any], settings: Settings, command: Command) -> Any:
    """Run a question to the end and return its answer.

    Args:
        question: What asks.
        settings: What it was made with.
        command: The command that asks; tells the rights that it needs.

    Raises:
        typer.Exit: With code 2, after the reason was written to stderr: Kafka is not reached, does not let us in,
            or denies a right.
    """
    try:
        return asyncio.run(question)
    except (*UNREACHABLE, ReadStalled) as error:
        typer.echo(_reason(error, settings, command), err=True)
        raise typer.Exit(2) from error


def _reason(error: BaseException, settings: Settings, command: Command) -> str:
    lacks = lacking(error, settings, command)
    if lacks is not None:
        return lacks
    found = None if isinstance(error, ReadStalled) else asyncio.run(refusal(settings.kafka))
    return f"Kafka does not answer: {error if found is None else found.reason}"
