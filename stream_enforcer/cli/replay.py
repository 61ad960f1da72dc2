"""`stream-enforcer replay`: what a policy would have done on history, account by account, and what it would cost."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer

from stream_enforcer.cli.config import ConfigFile, settings_or_exit
from stream_enforcer.cli.decide import GeoSources, PolicyFile
from stream_enforcer.cli.replay_comparison import REFUSALS, Asked, Result, compare, prepare
from stream_enforcer.cli.replay_emission import emit, refuse_unfit
from stream_enforcer.cli.replay_group import ReplayGroup
from stream_enforcer.cli.replay_interruption import EXIT, Interrupted
from stream_enforcer.cli.replay_options import (
    Against,
    AgainstOwnership,
    AsJson,
    DecisionFiles,
    EmitTo,
    Files,
    From,
    MaxCost,
    MaxNew,
    MaxPercent,
    Out,
    Ownership,
    Parquet,
    Part,
    Report,
    Resume,
    ServeMetrics,
    To,
    Workers,
)
from stream_enforcer.cli.replay_reading import WHOLE, Stretch
from stream_enforcer.cli.replay_reproduce import reproduce
from stream_enforcer.cli.replay_sides import DECISIONS, Given
from stream_enforcer.cli.replay_workers import compare_in_parts, forget, put_together
from stream_enforcer.replay.gates import Gates
from stream_enforcer.replay.outcome import Json
from stream_enforcer.replay.results import write, write_parquet, write_report
from stream_enforcer.replay.summary import gated, of_side
from stream_enforcer.settings import Settings

app = typer.Typer(cls=ReplayGroup, no_args_is_help=False)


@app.callback()
def replay() -> None:
    """Judge history again: what would another policy, or other ownership data, have done, and what would it cost?"""


@app.command()
def run(
    files: Files = None,
    policy: PolicyFile = None,
    ownership: Ownership = None,
    against: Against = None,
    against_ownership: AgainstOwnership = None,
    geo: GeoSources = None,
    decisions: DecisionFiles = None,
    start: From = None,
    end: To = None,
    part: Part = "0/1",
    workers: Workers = 1,
    resume: Resume = False,
    out: Out = Path("replay"),
    parquet: Parquet = None,
    report: Report = None,
    emit_to: EmitTo = None,
    max_new_suspensions: MaxNew = None,
    max_cost: MaxCost = None,
    max_percent: MaxPercent = None,
    metrics: ServeMetrics = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Compare two sides on history: events in files, or the topics up to where they end now.

    The new side is --policy with --ownership; the old one is what --against and --against-ownership put in
    their place. Nothing is written to Kafka unless --emit-to asks for it, and no group hears of it. Exits with 1
    when a limit is broken; nothing is published then.
    """
    settings = settings_or_exit(config) if not files else None
    if settings is not None:
        policy, geo = policy or settings.policy, geo or list(settings.geo)
        ownership = ownership or [str(path) for path in settings.ownership]
    new = Given(policy, ownership or ())
    asked = Asked(
        new=new,
        old=_old(new, against, against_ownership, decisions, settings),
        geo=tuple(geo or ()),
        files=tuple(files or ()),
        decisions=tuple(decisions or ()),
        stretch=Stretch(tuple(start or ()), tuple(end or ()), _part(part)),
        settings=settings,
        metrics=metrics,
    )
    _refuse_unfit(asked, workers, emit_to)
    gates = Gates(max_new_suspensions, _exact(max_cost), _exact(max_percent))
    with _refusals():
        comparison = prepare(asked) if workers == 1 or emit_to is not None else None
        if comparison is not None and emit_to is not None:
            refuse_unfit(comparison, emit_to)
        if comparison is not None and workers == 1:
            whole, rows = compare(comparison, out, resume=resume)
        else:
            whole, rows = compare_in_parts(asked, workers, out, resume=resume)
        write(out, found := gated(whole, gates), rows)
        forget(out)
        _write_more((found, rows), parquet, report)
        _finish(found, out, as_json)
        if comparison is not None and emit_to is not None:
            published, before = emit(comparison, whole["run"]["sources"], emit_to)
            typer.echo(f"{published:,} decisions published to {emit_to}; {before:,} were there", err=True)


@app.command()
def merge(
    parts: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Results of parts.", show_default=False)
    ],
    out: Out = Path("replay"),
    parquet: Parquet = None,
    report: Report = None,
    max_new_suspensions: MaxNew = None,
    max_cost: MaxCost = None,
    max_percent: MaxPercent = None,
    as_json: AsJson = False,
) -> None:
    """Put the results of several parts together: what one run over all of them would have said, to the byte."""
    gates = Gates(max_new_suspensions, _exact(max_cost), _exact(max_percent))
    with _refusals():
        whole, rows = put_together(parts)
        write(out, found := gated(whole, gates), rows)
        _write_more((found, rows), parquet, report)
        _finish(found, out, as_json)


app.command()(reproduce)


def _old(
    new: Given,
    against: str | None,
    against_ownership: Sequence[str] | None,
    decisions: Sequence[str] | None,
    settings: Settings | None,
) -> Given | None:
    """Return the old side as it was given; None for what was really decided."""
    if against == DECISIONS or (against is None and not against_ownership and (decisions or settings)):
        if settings is None and not decisions:
            _wrong("to compare files with what was decided, name the file of decisions: --decisions FILE")
        return None
    if against is None and not against_ownership:
        _wrong("say what to compare with: --against POLICY, --against decisions or --against-ownership FILE")
    return Given(new.policy if against is None else Path(against), against_ownership or new.ownership)


def _refuse_unfit(asked: Asked, workers: int, emit_to: str | None) -> None:
    """Refuse what would be ignored without a word."""
    if asked.files and (workers > 1 or asked.stretch != Stretch() or emit_to is not None):
        _wrong(
            "--from, --to, --part, --workers and --emit-to are for topics; files are read whole, by one process"
        )
    if workers > 1 and asked.metrics is not None:
        _wrong(
            "--workers and --metrics: metrics are those of one process; share the work out with --part instead"
        )
    if workers > 1 and asked.stretch.part != WHOLE:
        _wrong("--workers and --part: a part is read by one process")


def _part(text: str) -> tuple[int, int]:
    number, _, parts = text.partition("/")
    if not (number.isdecimal() and parts.isdecimal() and int(number) < int(parts)):
        _wrong(f"--part {text}: write I/N, with I from 0 to N - 1")
    return int(number), int(parts)


def _exact(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def _write_more(result: Result, parquet: Path | None, report: Path | None) -> None:
    """Write a result in the other forms that were asked for."""
    if parquet is not None:
        write_parquet(parquet, result[1])
    if report is not None:
        write_report(report, *result)


def _finish(found: Json, out: Path, as_json: bool) -> None:
    """Tell what a replay found, which is written."""
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2))
    else:
        typer.echo("\n".join(_told(found, out)))
    broken = [gate for gate in found["gates"] if not gate["passed"]]
    for gate in broken:
        typer.echo(f"{gate['name']}: {gate['value']} is more than {gate['limit']}", err=True)
    if broken:
        raise typer.Exit(1)


def _told(found: Json, out: Path) -> list[str]:
    totals = found["totals"]
    cost = totals["cost_at_stake_usd_micros_per_month"] / 1_000_000
    told = [
        f"{found['accounts']:,} accounts, {found['events']:,} events, {found['malformed']:,} malformed",
        f"old: {of_side(found, 'old')}: {totals['old']['suspended']:,} suspended",
        f"new: {of_side(found, 'new')}: {totals['new']['suspended']:,} suspended",
        f"newly suspended {totals['new_suspensions']:,}, at a cost of {cost:,.2f} dollars a month",
        f"let in {totals['lifted_suspensions']:,}; other changes {totals['other_changes']:,}",
    ]
    return [*told, *(f"note: {note}" for note in found["run"]["notes"]), f"in {out}"]


@contextmanager
def _refusals() -> Iterator[None]:
    """Say what is wrong, and exit with 2."""
    try:
        yield
    except Interrupted as interrupted:
        typer.echo(str(interrupted), err=True)
        raise typer.Exit(EXIT) from interrupted
    except REFUSALS as error:
        _wrong(str(error))
    except OSError as error:
        _wrong(f"{error.filename or 'output'}: {error.strerror or error}")


def _wrong(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
