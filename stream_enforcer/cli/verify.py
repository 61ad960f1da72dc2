"""`stream-enforcer verify`: check decisions with no other data than themselves."""

from pathlib import Path
from typing import Annotated

import typer

from stream_enforcer.domain.policy import Policy
from stream_enforcer.reference.policy_file import BadPolicy, load_policy
from stream_enforcer.replay.event_files import STDIN, open_lines, read_lines
from stream_enforcer.replay.verification import Failure, Verified, verify_decisions

DecisionFile = Annotated[
    str,
    typer.Argument(
        metavar="DECISIONS.jsonl|-", help="Decisions, one a line; - or nothing reads standard input."
    ),
]
JudgePolicy = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="Judge the facts again with this policy, and compare."),
]
Partial = Annotated[
    bool,
    typer.Option(
        "--partial",
        help="Accept accounts whose first decisions are not in the data, or that were forgotten and came back.",
    ),
]


def verify(decisions: DecisionFile = STDIN, policy: JudgePolicy = None, partial: Partial = False) -> None:
    """Verify ids, chains and ownership proofs of decisions; exit with 1 and name the first that fails.

    Of every decision: it has a decision's form, its id is the SHA-256 of its
    content, it follows its account's last one without gap or repeat, its
    ownership readings follow from the holdings that it shows, and what it says
    beside its facts agrees with them.
    """
    try:
        compiled = None if policy is None else load_policy(policy)
        result = _verify(decisions, compiled, partial=partial)
    except BadPolicy as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        typer.echo(f"{decisions}: cannot be read: {error.strerror}", err=True)
        raise typer.Exit(2) from error
    if result.failure is not None:
        typer.echo(failure_text(decisions, result.failure), err=True)
        raise typer.Exit(1)
    typer.echo(summary(result), err=True)


def _verify(name: str, policy: Policy | None, *, partial: bool) -> Verified:
    with open_lines(name, typer.get_binary_stream("stdin")) as stream:
        return verify_decisions(read_lines(stream), policy, partial=partial)


def failure_text(name: str, failure: Failure) -> str:
    """Say which decision of a file fails, and why."""
    which = "a decision without id" if failure.decision_id is None else f"decision {failure.decision_id}"
    return f"{name}:{failure.line}: {which}: {failure.what}"


def summary(result: Verified) -> str:
    """Say how much was verified."""
    decisions, accounts = result.decisions, len(result.chains)
    return (
        f"{decisions:,} decision{'' if decisions == 1 else 's'} of"
        f" {accounts:,} account{'' if accounts == 1 else 's'} verified"
    )
