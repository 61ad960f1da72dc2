"""`stream-enforcer dead-letters`: look at dead letters, and send them back."""

import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from stream_enforcer.cli.asking import ask
from stream_enforcer.cli.config import ConfigFile, settings_or_exit
from stream_enforcer.domain.events import rfc3339
from stream_enforcer.kafka.access import Command
from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.redrive import Found, NotAllSent, Wanted, dead_letters, newest, refusal, send_back
from stream_enforcer.kafka.topics import TopicsMismatch, partition_counts
from stream_enforcer.settings import Settings

app = typer.Typer(help="Look at dead letters, and send them back.", no_args_is_help=True)

Since = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d"], metavar="DAY", help="Failed on this UTC day or later."),
]
ErrorClass = Annotated[str | None, typer.Option("--class", metavar="CLASS", help="With this error class.")]
Topic = Annotated[str | None, typer.Option("--topic", help="That came from this topic.")]
FromPartition = Annotated[
    int | None, typer.Option("--partition", min=0, help="That came from this partition.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="At most so many.")]

HEAD = ("id", "class", "stage", "failed at", "sent back", "message")


@app.command("list")
def list_(
    since: Since = None,
    error: ErrorClass = None,
    topic: Topic = None,
    partition: FromPartition = None,
    limit: Limit = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON lines, with keys and values of the records.")
    ] = False,
    counts: Annotated[bool, typer.Option("--counts", help="Count by class and topic.")] = False,
    config: ConfigFile = None,
) -> None:
    """List dead letters, up to the topic's end; never what is in the records, unless --json asks for it."""
    if counts and as_json:
        raise typer.BadParameter("--counts and --json exclude each other")
    settings = settings_or_exit(config)
    letters = _ask(
        _read(settings, _wanted(since, error, topic, partition), limit), settings, "dead-letters list"
    )
    if as_json:
        for letter in letters:
            typer.echo(orjson.dumps(as_object(letter)))
    elif counts:
        tally = Counter((letter.error, letter.topic) for letter in letters)
        _print(
            ("class", "topic", "dead letters"), [(*what, str(count)) for what, count in tally.most_common()]
        )
    else:
        _print(HEAD, [_row(letter) for letter in letters])


@app.command()
def retry(
    since: Since = None,
    error: ErrorClass = None,
    topic: Topic = None,
    partition: FromPartition = None,
    limit: Limit = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only; send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigFile = None,
) -> None:
    """Send records that failed back to the partitions they came from; each one once, after its last failure."""
    if not (yes or dry_run or can_ask()):
        typer.echo("there is no terminal to ask on: give --yes or --dry-run", err=True)
        raise typer.Exit(2)
    settings = settings_or_exit(config)
    wanted = _wanted(since, error, topic, partition)
    chosen = newest(_ask(_read(settings, wanted, None), settings, "dead-letters retry"))[:limit]
    existing = _ask(partition_counts(Clients(settings.kafka)), settings, "dead-letters retry")
    answers = [(letter, refusal(letter, settings.topics, existing)) for letter in chosen]
    for why, count in Counter(why for _, why in answers if why is not None).items():
        typer.echo(f"{count} cannot be sent back: {why}", err=True)
    letters = [letter for letter, why in answers if why is None]
    for name, count in sorted(Counter(letter.topic for letter in letters).items()):
        typer.echo(f"{count} to {name}", err=True)
    if dry_run or not letters:
        typer.echo(f"{len(letters)} would be sent back" if dry_run else "nothing to send back")
        return
    if not yes:
        typer.confirm(f"Send {len(letters)} records back?", abort=True, err=True)
    sent = _ask(send_back(settings, letters), settings, "dead-letters retry")
    typer.echo(f"{sent} sent back")


def can_ask() -> bool:
    """Tell whether somebody can answer a question."""
    return sys.stdin.isatty()


def _wanted(since: datetime | None, error: str | None, topic: str | None, partition: int | None) -> Wanted:
    start = None if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1000)
    return Wanted(start, error, topic, partition)


async def _read(settings: Settings, wanted: Wanted, limit: int | None) -> list[Found]:
    letters: list[Found] = []
    foreign = 0
    reading = dead_letters(settings, wanted)
    try:
        async for letter in reading:
            if letter is None:
                foreign += 1
                continue
            letters.append(letter)
            if len(letters) == limit:
                break
    finally:
        await reading.aclose()
    if foreign:
        typer.echo(f"{foreign} records of the topic are no dead letters of this service", err=True)
    return letters


def _ask(question: Coroutine[Any, Any, Any], settings: Settings, command: Command) -> Any:
    try:
        return ask(question, settings, command)
    except (TopicsMismatch, NotAllSent) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def as_object(letter: Found) -> dict[str, Any]:
    """Return a dead letter as a JSON object; bytes that are not UTF-8 are in base64."""
    return {
        "id": letter.id,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "stage": letter.stage,
        "error": letter.error,
        "message": letter.message,
        "failed_at": rfc3339(letter.failed_at),
        "redrive_count": letter.redrives,
        **_shown("key", letter.key),
        **_shown("value", letter.value),
    }


def _shown(name: str, content: bytes | None) -> dict[str, str | None]:
    try:
        return {name: None if content is None else content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(content or b"").decode()}


def _row(letter: Found) -> tuple[str, ...]:
    failed = rfc3339(letter.failed_at)
    return letter.id, letter.error, letter.stage, failed, str(letter.redrives), letter.message


def _print(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    console.print(table)
