"""`stream-enforcer ownership info`: what a snapshot holds."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from stream_enforcer.cli.printable import printable
from stream_enforcer.cli.source_reports import counted
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.snapshot.graph import Snapshot


def info(
    file: Annotated[Path, typer.Argument(metavar="SNAPSHOT", help="The snapshot.", show_default=False)],
    check: Annotated[
        bool, typer.Option("--check", help="Read the whole file and compare it with its checksum.")
    ] = False,
    merges: Annotated[
        bool, typer.Option("--merges", help="Print each company that has several records instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; of merges, an object a line.")] = False,
) -> None:
    """Show what a snapshot holds, from which sources, and how much is on record."""
    from stream_enforcer.snapshot.summary import summary  # noqa: PLC0415 - loads numpy, which only this command needs

    try:
        snapshot = Snapshot(file)
        if check:
            snapshot.file.check()
        if merges:
            _print_merges(snapshot, as_json=as_json)
            return
        found = summary(snapshot)
    except BadReference as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for name, text in _rows(found):
            typer.echo(printable(f"{name:<18}  {text}"))


def _print_merges(snapshot: Snapshot, *, as_json: bool) -> None:
    """Print merges so that a line of --keep-apart can be made of each."""
    for merge in snapshot.merges():
        if as_json:
            typer.echo(json.dumps(asdict(merge), ensure_ascii=False))
            continue
        typer.echo(printable(f"{merge.entity} = {', '.join(merge.others)}"))
        typer.echo(printable(f"  by {'; '.join(merge.ties)}"))
        if merge.conflicts:
            typer.echo(f"  contradictions: {', '.join(merge.conflicts)}")


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("as_of", "hash", "sha256", "bytes", "builder"):
        yield name.replace("_", " "), str(found[name] if found[name] is not None else "unknown")
    for name in ("entities", "stakes"):
        yield name, f"{found['counts'][name]:,}"
    yield "unresolved holders", f"{found['unresolved_holders']:,}"
    identity = found["identity"]
    yield "merged", counted(identity["records"], identity["companies"])
    yield "  contradictions", _counts(identity["conflicts"]) or "none"
    yield "  inner stakes", f"{identity['inner']:,} left out"
    yield "  said twice", f"{identity['doubled']:,} holdings, {identity['disagreements']:,} that disagree"
    yield "shares on record", _counts(found["coverage"])
    asked = found["verdicts_for"]
    if asked is None:
        yield "verdicts", "none; build with --policy"
    else:
        span = f"{asked['since'] or 'the beginning'} to before {asked['until'] or 'the end'}"
        yield "verdicts", f"{asked['on']} ({span}), restricted {','.join(asked['restricted'])}"
        for name, counts in found["verdicts"].items():
            yield f"  {name.replace('_', ' ')}", _counts(counts)
    for source in found["sources"]:
        used = f"{source['used']:,} of {source['read']:,} statements used"
        yield "source", f"{source['name']}: {source['format']}, {used}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())
