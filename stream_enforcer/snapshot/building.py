"""Build a snapshot from ownership files: read them once, keep columns on disk, sort, write."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.snapshot.columns import Array, day_number
from stream_enforcer.snapshot.layout import FOLDED_BY, Asked, Header
from stream_enforcer.snapshot.readings import verdicts
from stream_enforcer.snapshot.readings.network import excepted
from stream_enforcer.snapshot.records import day_text
from stream_enforcer.snapshot.sources import Progress, read_sources
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
    workers: int = 1,
    progress: Progress | None = None,
) -> Header:
    """Build a snapshot. The same files in the same order give the same bytes, however many processes read.

    A later record of the same id replaces an earlier one, as in memory. Files that are not native are read by their
    readers, which hold them in memory.

    Args:
        paths: Ownership files of any format that is known.
        target: Where the snapshot is to be. Beside it there must be room for about twice its size.
        ask: Work out verdicts as well.
        workers: Processes that read native JSON Lines.
        progress: Is told how far the reading is.

    Raises:
        BadReference: A file can't be used; see `read_ownership`. Or verdicts are wanted, and no day is known.
        OSError: The target can't be written.
    """
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        with Spool(Path(folder)) as spool:
            read = read_sources(paths, spool, workers, progress)
        found = tables(spool)
        asked, bits = _verdicts(found, ask, read.as_of, target)
        sections = found.sections | {"entity_verdict": items(bits)}
        places, length = layout_of(sections)
        header = Header(
            builder=f"stream-enforcer {version('stream-enforcer')}",
            folded_by=FOLDED_BY,
            hash=read.hash,
            as_of=read.as_of,
            counts=found.counts,
            unresolved=found.unresolved,
            sources=read.sources,
            asked=asked,
            sections=places,
            data_length=length,
        )
        write(target, header, sections)
    return header


def _verdicts(found: Tables, ask: Ask | None, as_of: str | None, target: Path) -> tuple[Asked | None, Array]:
    if ask is None:
        return None, np.zeros(found.counts.entities, "<u1")
    on = ask.on or as_of
    if on is None:
        raise BadReference(str(target), "verdicts need a day, and no file says which day it describes")
    since, until = _around(found, day_number(on))
    question = ask.question
    asked = Asked(
        restricted=sorted(question.restricted),
        threshold=question.threshold,
        strict=question.strict,
        exceptions=sorted(question.exceptions),
        on=on,
        since=day_text(since),
        until=day_text(until),
    )
    exceptions = excepted(found.party_keys, question)
    return asked, verdicts(found.columns, day_number(on), question, exceptions)


def _around(found: Tables, on: int) -> tuple[int, int]:
    """Return the days on which stakes begin or end next to a day, itself among the earlier ones; 0 for none."""
    days = np.concatenate([found.columns["stake_since"], found.columns["stake_until"]]).astype(np.int64)
    before, after = days[days <= on], days[days > on]
    return int(before.max(initial=0)), int(after.min()) if after.size else 0
