"""Let one publication speak for each holding of a spool, day by day; see `domain.ownership.said_twice`."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from stream_enforcer.domain.ownership.merging import Spoken, part_id
from stream_enforcer.domain.ownership.said_twice import ALWAYS, NEVER, Days, Told, heard
from stream_enforcer.snapshot.columns import Array, stake_ids
from stream_enforcer.snapshot.digest import key_of
from stream_enforcer.snapshot.parties import Parties, Renamed
from stream_enforcer.snapshot.records import day_text
from stream_enforcer.snapshot.spool import Spool
from stream_enforcer.snapshot.tables import standing

_COPIED = ("publication", "holder", "held", "min", "max", "source")


def each_holding_once(spool: Spool, parties: Parties, renamed: Renamed) -> Spoken:
    """Replace stakes that do not count on all of their days, and take back those that never do."""
    publication = spool.column("stake_publication")
    alone = not len(publication) or publication.min() == publication.max()
    if alone and not len(renamed.others):
        return Spoken()
    rows = standing(spool)
    holder_row, held_row = spool.column("stake_holder")[rows], spool.column("stake_held")[rows]
    holder, held = parties.of_party[holder_row], parties.of_party[held_row]
    inner = (holder == held) & (holder_row != held_row)
    changes = _Changes(spool)
    for row in rows[inner].tolist():
        changes.take(row, [])
    pair = (held.astype(np.int64) * len(parties.key) + holder)[~inner]
    rows = rows[~inner]
    doubled = disagreements = 0
    for group in _told_twice(pair, publication[rows]):
        told = rows[group].tolist()
        found = heard([changes.told(row) for row in told])
        for row, days in zip(told, found.days, strict=True):
            changes.take(row, days)
        doubled += 1
        disagreements += found.disagree
    changes.write()
    return Spoken(int(inner.sum()), doubled, disagreements)


def _told_twice(pair: Array, publication: Array) -> Sequence[Array]:
    """Return the places of the stakes of each pair of which several publications speak."""
    if not len(pair):
        return []
    order = np.argsort(pair, kind="stable")
    first = np.flatnonzero(np.concatenate([[True], pair[order][1:] != pair[order][:-1]]))
    said = publication[order]
    several = np.minimum.reduceat(said, first) != np.maximum.reduceat(said, first)
    ends = np.append(first[1:], len(order))
    return [order[begin:end] for begin, end in zip(first[several], ends[several], strict=True)]


class _Changes:
    """Collects records of stakes that replace earlier ones."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._column = {
            name: spool.column(f"stake_{name}") for name in (*_COPIED, "since", "until", "digest")
        }
        self._names = spool.texts("stake")
        self._rows: list[int] = []
        self._days: list[Days | None] = []
        self._ids: list[bytes] = []

    def told(self, row: int) -> Told:
        """Return what a stake says."""
        publication, least, greatest = (
            int(self._column[name][row]) for name in ("publication", "min", "max")
        )
        return Told(publication, least, greatest, self._days_of(row))

    def take(self, row: int, days: Sequence[Days]) -> None:
        """Take note of the days on which a stake counts."""
        if list(days) == [self._days_of(row)]:
            return
        name = self._names.of(row)
        self._add(row, days[0] if days else None, name)
        for since, until in days[1:]:
            begins = day_text(since) or ""
            self._add(row, (since, until), part_id(name.decode(), begins, self._taken).encode())

    def write(self) -> None:
        """Append the records to the spool."""
        if not self._rows:
            return
        rows = np.array(self._rows)
        copied = {f"stake_{name}": np.array(self._column[name][rows]) for name in _COPIED}
        gone = np.array([days is None for days in self._days])
        copied["stake_min"][gone], copied["stake_max"][gone] = 1, 0
        since, until = (np.array([(days or (0, 0))[end] for days in self._days], "<u4") for end in (0, 1))
        until[until == NEVER] = 0
        self._spool.append({**copied, **stake_ids(self._ids), "stake_since": since, "stake_until": until})

    def _add(self, row: int, days: Days | None, name: bytes) -> None:
        self._rows.append(row)
        self._days.append(days)
        self._ids.append(name)

    def _days_of(self, row: int) -> Days:
        since, until = int(self._column["since"][row]), int(self._column["until"][row])
        return since or ALWAYS, until or NEVER

    @cached_property
    def _keys(self) -> Array:
        return np.sort(self._column["digest"][:, 0])

    def _taken(self, name: str) -> bool:
        key = np.uint64(key_of(name))
        place = int(np.searchsorted(self._keys, key))
        return place < len(self._keys) and bool(self._keys[place] == key)
