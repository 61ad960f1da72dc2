"""`stream-enforcer explain`: an account's current decision, for people."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from stream_enforcer.cli.asking import ask
from stream_enforcer.cli.config import ConfigFile, settings_or_exit
from stream_enforcer.cli.drawing import DotFile, SvgFile, described, draw
from stream_enforcer.cli.explanation import explanation
from stream_enforcer.cli.picture import Described
from stream_enforcer.cli.printable import printable
from stream_enforcer.domain.account_state import UnknownFormat
from stream_enforcer.domain.cost import Spent
from stream_enforcer.domain.decision import PublishedDecision
from stream_enforcer.kafka.decisions import LastWord, last_word
from stream_enforcer.kafka.topics import TopicsMismatch
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.ownership import load_ownership
from stream_enforcer.replay.event_files import Line, open_lines, read_lines

AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the decision as it was published.")]
FromFile = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="DECISIONS.jsonl|-",
        help="Read decisions from this file, not from Kafka; the account's last one counts.",
    ),
]
NamesFrom = Annotated[
    list[Path] | None,
    typer.Option("--ownership", metavar="FILE", help="Ownership data to take the names from; repeatable."),
]


class NotADecision(ValueError):
    """Something that should be a decision is none; the text says where and why."""


def explain(
    account: AccountId,
    as_json: AsJson = False,
    decisions: FromFile = None,
    ownership: NamesFrom = None,
    config: ConfigFile = None,
    svg: SvgFile = None,
    dot: DotFile = None,
) -> None:
    """Explain an account's current decision: what, since when, why, who owns the company, judged by what.

    Reads the topic of decisions, or a file of them. Exits with 1 when the account has no decision, or when a
    picture is asked for and the decision shows no company.
    """
    try:
        found = _from_kafka(account, config) if decisions is None else _from_file(account, decisions)
        if found is None:
            typer.echo("no decision about this account was found", err=True)
            raise typer.Exit(1)
        value = found.decision
        if as_json:
            typer.echo(value)
        if as_json and svg is None and dot is None:
            return
        decision = parse(value)
        parties = _parties(decision, ownership or ())
        if not as_json:
            names = {party: known.name for party, known in parties.items()}
            _print(printable(decision), found.spent, printable(names))
        if svg is not None or dot is not None:
            _draw(decision, parties, svg, dot)
    except (NotADecision, BadReference) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _from_kafka(account: str, config: Path | None) -> LastWord | None:
    settings = settings_or_exit(config)
    try:
        found: LastWord | None = ask(last_word(settings, account), settings, "explain")
    except (TopicsMismatch, UnknownFormat) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    return found


def _from_file(account: str, name: str) -> LastWord | None:
    try:
        with open_lines(name, typer.get_binary_stream("stdin")) as stream:
            found = last_of(account, read_lines(stream), name)
            return None if found is None else LastWord(found, None)
    except OSError as error:
        typer.echo(f"{name}: cannot be read: {error.strerror}", err=True)
        raise typer.Exit(2) from error


def last_of(account: str, lines: Iterable[Line], name: str) -> bytes | None:
    """Return an account's last decision among lines, or None; `name` stands for the file in errors.

    Raises:
        NotADecision: A line is not a JSON object.
    """
    found: bytes | None = None
    for line in lines:
        try:
            decision = orjson.loads(line.value)
        except orjson.JSONDecodeError as error:
            raise NotADecision(f"{name}:{line.number}: is not JSON: {error}") from error
        if not isinstance(decision, dict):
            raise NotADecision(f"{name}:{line.number}: is not a JSON object")
        if decision.get("account_id") == account:
            found = line.value
    return found


def parse(value: bytes) -> dict[str, Any]:
    """Read a decision.

    Raises:
        NotADecision: It has not the form that this version publishes.
    """
    try:
        PublishedDecision.model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise NotADecision(
            f"the account's last decision has another form: {place}: {first['msg']}"
        ) from error
    try:
        decision: dict[str, Any] = orjson.loads(value)
    except (
        orjson.JSONDecodeError
    ) as error:  # numbers such as NaN, which one parser takes and the other does not
        raise NotADecision(f"the account's last decision is not JSON: {error}") from error
    return decision


def _parties(decision: Mapping[str, Any], files: Sequence[Path]) -> dict[str, Described]:
    ownership = decision["ownership"]
    return {} if ownership is None or not files else described(ownership, load_ownership(files).entities)


def _draw(
    decision: Mapping[str, Any], parties: Mapping[str, Described], svg: Path | None, dot: Path | None
) -> None:
    if decision["ownership"] is None:
        typer.echo("the decision shows no company, so there is nothing to draw", err=True)
        raise typer.Exit(1)
    day = str(decision["facts"].get("as_of", decision["event_time"][:10]))
    draw(decision["ownership"], parties, day, svg_file=svg, dot_file=dot)


def _print(decision: Mapping[str, Any], spent: Spent | None, names: Mapping[str, str]) -> None:
    console = Console(highlight=False)
    for part in explanation(decision, spent, names):
        # A hash that is broken over two lines cannot be copied: only the tree is laid out to the width.
        console.print(part, soft_wrap=isinstance(part, Text))
