"""`stream-enforcer decide`: the same engine as the service, over files."""

import os
import sys
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import orjson
import typer

from stream_enforcer.cli.source_reports import KeepApart, Strict, tell
from stream_enforcer.domain.engine import Emit, Step, step
from stream_enforcer.domain.events import Malformed
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.domain.world import World
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.policy_file import BadPolicy
from stream_enforcer.reference.world_files import load_world
from stream_enforcer.replay.event_files import STDIN, event_records, open_lines

if TYPE_CHECKING:
    from stream_enforcer.domain.account import Account

Outcome = tuple[StoredRecord, Step]

EventFiles = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="EVENTS.jsonl|-",
        help="Files of signups, usage and overrides, one JSON object a line, read in this order; - or nothing"
        " reads standard input.",
        show_default=False,
    ),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="Policy; default: the packaged restricted-regions."),
]
GeoSources = Annotated[
    list[str] | None,
    typer.Option(
        "--geo", metavar="SOURCE", help="mmdb file, or vpn=FILE, hosting=FILE, tor=FILE; repeatable."
    ),
]
OwnershipFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--ownership",
        metavar="FILE",
        help="Ownership data: native, BODS, GLEIF or FollowTheMoney; repeatable.",
    ),
]
DeadLetterFile = Annotated[
    Path | None,
    typer.Option(
        "--dead-letters",
        metavar="FILE",
        help="Write the lines that are not events here, each with the reason.",
    ),
]
EmitOption = Annotated[
    Emit,
    typer.Option("--emit", help="Decide on changes only, or on every signup and usage event."),
]


def decide(
    events: EventFiles = None,
    policy: PolicyFile = None,
    geo: GeoSources = None,
    ownership: OwnershipFiles = None,
    dead_letters: DeadLetterFile = None,
    emit: EmitOption = "transitions",
    strict: Strict = False,
    keep_apart: KeepApart = None,
) -> None:
    """Decide over files of events; the decisions go to stdout as JSON lines, the counts to stderr.

    Exits with 0 also when lines were no events (they are counted), and with 2 when a file cannot be used.
    """
    names = events or [STDIN]
    _refuse_unusable(names, dead_letters)
    try:
        loaded = load_world(policy, geo or (), ownership or (), strict=strict, keep_apart=keep_apart)
        tell(loaded.reports, loaded.dangling, loaded.identity)
        with ExitStack() as files:
            letters = files.enter_context(dead_letters.open("wb")) if dead_letters else None
            tally = write(
                decide_records(read(names), loaded.world, emit), typer.get_binary_stream("stdout"), letters
            )
    except (BadPolicy, BadReference) as error:
        raise _wrong(str(error)) from error
    except BrokenPipeError:
        _leave_quietly()
    except OSError as error:
        raise _wrong(f"{error.filename or 'output'}: {error.strerror}") from error
    else:
        _report(tally, dead_letters)


def _refuse_unusable(names: Sequence[str], dead_letters: Path | None) -> None:
    """Find a wrong name before the first decision is written, not halfway."""
    for path in (Path(name) for name in names if name != STDIN):
        if not path.exists():
            raise _wrong(f"{path}: there is no such file")
        if dead_letters is not None and dead_letters.exists() and dead_letters.samefile(path):
            raise _wrong(f"{path}: is to be read, and cannot take the dead letters")


def _wrong(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(2)


def read(names: Iterable[str]) -> Iterator[StoredRecord]:
    """Yield the records of files, one file after the other.

    Raises:
        OSError: A file cannot be read.
    """
    for name in names:
        with open_lines(name, typer.get_binary_stream("stdin")) as stream:
            yield from event_records(name, stream)


def decide_records(records: Iterable[StoredRecord], world: World, emit: Emit) -> Iterator[Outcome]:
    """Yield each record with what it causes; accounts are remembered across files."""
    accounts: dict[bytes, Account] = {}
    for record in records:
        known = None if record.key is None else accounts.get(record.key)
        caused = step(record, None, known, world, emit)
        if caused.account is not None and record.key is not None:
            accounts[record.key] = caused.account
        yield record, caused


@dataclass(slots=True)
class Tally:
    """What was read and written. `first` is the first dead letter's place and reason."""

    events: int = 0
    decisions: int = 0
    suspends: int = 0
    dead_letters: int = 0
    first: str | None = None


def write(outcomes: Iterable[Outcome], decisions: BinaryIO, dead_letters: BinaryIO | None) -> Tally:
    """Write decisions and dead letters as JSON lines, and count."""
    tally = Tally()
    for record, caused in outcomes:
        if caused.malformed is not None:
            tally.dead_letters += 1
            tally.first = tally.first or _place(record, caused.malformed)
            if dead_letters is not None:
                dead_letters.write(orjson.dumps(dead_letter(record, caused.malformed)) + b"\n")
            continue
        tally.events += 1
        if caused.decision is not None:
            tally.decisions += 1
            tally.suspends += caused.decision.action == "suspend"
            decisions.write(caused.decision.value + b"\n")
    decisions.flush()
    return tally


def _place(record: StoredRecord, why: Malformed) -> str:
    return f"{record.topic}:{record.offset}: {why.stage}: {why.message}"


def dead_letter(record: StoredRecord, why: Malformed) -> dict[str, Any]:
    """Return a dead letter: where the line stands, what is wrong, and the line; in base64 when it is not UTF-8."""
    value = record.value or b""
    try:
        shown = {"value": value.decode()}
    except UnicodeDecodeError:
        shown = {"value_base64": b64encode(value).decode()}
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "stage": why.stage,
        "error": why.error,
        "message": why.message,
        **shown,
    }


def _report(tally: Tally, dead_letters: Path | None) -> None:
    typer.echo(summary(tally), err=True)
    if tally.first is not None and dead_letters is None:
        typer.echo(f"first dead letter: {tally.first} (--dead-letters FILE keeps them all)", err=True)


def summary(tally: Tally) -> str:
    """Say in one line what was read and decided."""
    decided = f"{_count(tally.decisions, 'decision')} ({tally.suspends:,} suspend)"
    return f"{_count(tally.events, 'event')}, {decided}, {_count(tally.dead_letters, 'dead letter')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _leave_quietly() -> None:
    """Whoever read our output has enough: let the interpreter's last flush go nowhere instead of failing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
