"""`stream-enforcer replay reproduce`: do published decisions come out again from the facts that they carry?"""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from stream_enforcer.cli.asking import ask
from stream_enforcer.cli.config import ConfigFile, settings_or_exit
from stream_enforcer.cli.replay_interruption import Interruption
from stream_enforcer.cli.replay_options import DecisionFiles, JsonCounts
from stream_enforcer.cli.replay_reading import Stretch, read_decision_files, read_decisions
from stream_enforcer.reference.policy_file import BadPolicy, load_policy
from stream_enforcer.replay.history import BadHistory
from stream_enforcer.replay.reproduction import Reproduction

Policies = Annotated[
    list[Path] | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="A policy that decisions may name; repeatable. Default: that of the settings.",
    ),
]


def reproduce(
    policies: Policies = None,
    decisions: DecisionFiles = None,
    as_json: JsonCounts = False,
    config: ConfigFile = None,
) -> None:
    """Judge published decisions again, from their own facts, with the policies that they name.

    `replay --reproduce` is the same. Decisions that name none of the policies
    given are counted, not judged. Exits with 1 when one comes out otherwise, and
    names the first; with 2 when none could be judged.
    """
    settings = settings_or_exit(config) if not decisions else None
    named: list[Path | None] = [*(policies or [])]
    if not named:
        named = [None if settings is None else settings.policy]
    try:
        found = Reproduction([load_policy(path) for path in named])
        if settings is None:
            read_decision_files(decisions or (), found)
        else:
            ask(read_decisions(settings, Stretch(), found, Interruption()), settings, "replay")
    except (BadPolicy, BadHistory) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        typer.echo(f"{error.filename or 'output'}: {error.strerror or error}", err=True)
        raise typer.Exit(2) from error
    _tell(found, as_json=as_json)


def _tell(found: Reproduction, *, as_json: bool) -> None:
    counts = found.to_json()
    if as_json:
        typer.echo(orjson.dumps(counts, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2))
    else:
        typer.echo(
            f"{counts['judged']:,} decisions judged again, {counts['differing']:,} differ,"
            f" {counts['not_judged']:,} not judged"
        )
    for policy in counts["not_judged_policies"]:
        typer.echo(
            f"not judged: {policy['decisions']:,} by policy {policy['id']} version {policy['version']},"
            f" hash {policy['hash']}, which is not given",
            err=True,
        )
    if found.first is not None:
        typer.echo(f"the first that differs: {found.first}", err=True)
        raise typer.Exit(1)
    if counts["not_judged"] and not counts["judged"]:
        typer.echo("no decision was judged: name their policies with --policy", err=True)
        raise typer.Exit(2)
