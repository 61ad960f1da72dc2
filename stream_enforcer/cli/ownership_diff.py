"""`stream-enforcer ownership diff`: whose verdicts two snapshots differ in."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream_enforcer.cli.ownership_tree import percent_band
from stream_enforcer.cli.printable import printable
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.snapshot.graph import Snapshot, Verdicts

if TYPE_CHECKING:
    from stream_enforcer.snapshot.changes import Change, Reason


def diff(
    before: Annotated[
        Path, typer.Argument(metavar="BEFORE", help="The earlier snapshot.", show_default=False)
    ],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The later snapshot.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Show the companies whose verdicts change from one snapshot to another, and the holdings that differ."""
    from stream_enforcer.snapshot.changes import changes  # noqa: PLC0415 - loads numpy, which only this command needs

    count = 0
    try:
        for change in changes(Snapshot(before), Snapshot(after)):
            count += 1
            typer.echo(json.dumps(_object(change), ensure_ascii=False) if as_json else _text(change))
    except BadReference as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{count} compan{'y changes' if count == 1 else 'ies change'}", err=True)


def _object(change: "Change") -> dict[str, Any]:
    return {
        "entity": change.entity,
        "name": change.name,
        "before": change.before and change.before._asdict(),
        "after": change.after and change.after._asdict(),
        "reasons": [reason._asdict() for reason in change.reasons],
    }


def _text(change: "Change") -> str:
    lines = [printable(f"{change.name} [{change.entity}]")]
    old, new = (_verdicts(verdicts) for verdicts in (change.before, change.after))
    lines += [f"  {name}: {old[name]} -> {new[name]}" for name in old if old[name] != new[name]]
    lines += [f"  {printable(_reason(reason))}" for reason in change.reasons]
    return "\n".join(lines)


def _verdicts(verdicts: Verdicts | None) -> dict[str, str]:
    found = dict.fromkeys(Verdicts._fields, "not in the data") if verdicts is None else verdicts._asdict()
    return {name.replace("_", " "): verdict for name, verdict in found.items()}


def _reason(reason: "Reason") -> str:
    text = f"{reason.holder} -> {reason.held}: {_band(reason.before)} -> {_band(reason.after)}"
    was, is_now = reason.restricted
    if was == is_now:
        return text
    return f"{text}; {reason.holder} is {'now' if is_now else 'no longer'} a restricted holder"


def _band(band: tuple[int, int] | None) -> str:
    return "none" if band is None else percent_band(*band)
