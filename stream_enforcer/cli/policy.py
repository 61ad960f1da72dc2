"""`stream-enforcer policy`: check policy files."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from stream_enforcer.domain.policy import Policy
from stream_enforcer.reference.policy_file import BadPolicy, load_policy

app = typer.Typer(no_args_is_help=True)


@app.callback()
def policy() -> None:
    """Check policies."""


@app.command()
def check(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The policy, YAML.", exists=True, dir_okay=False, show_default=False
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print id, version, mode, hash and number of rules.")
    ] = False,
) -> None:
    """Check a policy's form and the types of its conditions; exit with 1 and the place of what is wrong."""
    try:
        compiled = load_policy(file)
    except BadPolicy as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(orjson.dumps({**compiled.identity, "rules": len(compiled.rules)}))
    else:
        typer.echo(summary(compiled), err=True)


def summary(policy: Policy) -> str:
    """Say in one line which policy it is."""
    document, rules = policy.document, len(policy.rules)
    return (
        f"ok: {document.id} {document.version}, {rules} rule{'' if rules == 1 else 's'}"
        f"{', shadow' if document.mode == 'shadow' else ''}, hash {policy.hash}"
    )
