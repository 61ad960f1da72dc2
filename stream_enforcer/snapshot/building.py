"""Build a snapshot from ownership files: read them once, keep columns on disk, sort, write."""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from stream_enforcer.domain.ownership.merging import identity_of
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.keep_apart import digest_of, read_keep_apart
from stream_enforcer.snapshot.columns import Array, day_number
from stream_enforcer.snapshot.identifying import identify, merge_tables
from stream_enforcer.snapshot.layout import FOLDED_BY, Asked, Counts, Header, Identified
from stream_enforcer.snapshot.parties import Renamed
from stream_enforcer.snapshot.readings import verdicts
from stream_enforcer.snapshot.readings.network import excepted
from stream_enforcer.snapshot.records import day_text
from stream_enforcer.snapshot.sources import Progress, Read, read_sources
from stream_enforcer.snapshot.speaking import each_holding_once
from stream_enforcer.snapshot.spool import Spool
from stream_enforcer.snapshot.tables import Tables, tables
from stream_enforcer.snapshot.writing import items, layout_of, write


class Ask(NamedTuple):
    """What verdicts are worked out for.

    Attributes:
        on: ISO day; None takes the day that the data describe.
    """

    question: Question
    on: str | None = None


def build(
    paths: Sequence[Path],
    target: Path,
    ask: Ask | None = None,
    *,
    keep_apart: Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Header:
    """Build a snapshot. The same files in the same order give the same bytes, however many processes read.

    A later record of the same id replaces an earlier one, and records of one company are merged, as in memory.

    Args:
        paths: Ownership files of any format that is known.
        target: Where the snapshot is to be. Beside it there must be room for about twice its size.
        ask: Work out verdicts as well.
        keep_apart: A file of ids of records that are not to be merged, see `reference.keep_apart`.
        workers: Processes that read native JSON Lines.
        progress: Is told how far the reading is.

    Raises:
        BadReference: A file can't be used; see `read_ownership`. Or verdicts are wanted, and no day is known.
        OSError: The target can't be written.
    """
    apart = read_keep_apart(keep_apart)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        with Spool(Path(folder)) as spool:
            read = read_sources(paths, spool, apart, workers, progress)
            identified = identify(spool, apart)
            spoken = each_holding_once(spool, identified.parties, identified.renamed)
        found, merges = tables(spool, identified.parties), merge_tables(identified)
        asked, bits = (
            (None, np.zeros(found.counts["entities"], "<u1"))
            if ask is None
            else _verdicts(found, identified.renamed, ask.question, _day(ask, read, target))
        )
        sections = found.sections | merges.sections | {"entity_verdict": items(bits)}
        places, length = layout_of(sections)
        identity = identity_of(identified.merges, spoken, identified.apart_unknown)
        header = Header(
            builder=f"stream-enforcer {version('stream-enforcer')}",
            folded_by=FOLDED_BY,
            hash=read.hash,
            as_of=read.as_of,
            counts=Counts(**found.counts, **merges.counts),
            unresolved=found.unresolved,
            identity=Identified(**asdict(identity)),
            keep_apart=digest_of(apart),
            sources=read.sources,
            asked=asked,
            sections=places,
            data_length=length,
        )
        write(target, header, sections)
    return header


def _day(ask: Ask, read: Read, target: Path) -> str:
    on = ask.on or read.as_of
    if on is None:
        raise BadReference(str(target), "verdicts need a day, and no file says which day it describes")
    return on


def _verdicts(found: Tables, renamed: Renamed, question: Question, on: str) -> tuple[Asked, Array]:
    since, until = _around(found, day_number(on))
    asked = Asked(
        restricted=sorted(question.restricted),
        threshold=question.threshold,
        strict=question.strict,
        exceptions=sorted(question.exceptions),
        on=on,
        since=day_text(since),
        until=day_text(until),
    )
    exceptions = excepted(found.party_keys, question, renamed)
    return asked, verdicts(found.columns, day_number(on), question, exceptions)


def _around(found: Tables, on: int) -> tuple[int, int]:
    """Return the days on which stakes begin or end next to a day, itself among the earlier ones; 0 for none."""
    days = np.concatenate([found.columns["stake_since"], found.columns["stake_until"]]).astype(np.int64)
    before, after = days[days <= on], days[days > on]
    return int(before.max(initial=0)), int(after.min()) if after.size else 0
