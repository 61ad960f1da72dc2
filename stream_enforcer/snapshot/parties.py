"""How the entities and parties of a spool are numbered: each id once, and each company once."""

from typing import NamedTuple

import numpy as np

from stream_enforcer.snapshot.columns import NO_ENTITY, Array
from stream_enforcer.snapshot.sorting import numbered
from stream_enforcer.snapshot.spool import Spool


class Renamed(NamedTuple):
    """Digests of ids that a company does not keep, sorted, and of the id that it keeps instead."""

    others: Array
    kept: Array

    def applied(self, digests: Array) -> Array:
        """Return digests of ids with the kept one in the place of each other."""
        count = len(self.others)
        if not count:
            return digests
        found = np.array(digests)
        high, low = self.others[:, 0], self.others[:, 1]
        first = np.searchsorted(high, digests[:, 0])
        runs = np.flatnonzero(np.concatenate([[True], high[1:] != high[:-1], [True]]))
        for step in range(int(np.diff(runs).max())):  # one step, unless two ids share 64 bits
            place = np.minimum(first + step, count - 1)
            same = (high[place] == digests[:, 0]) & (low[place] == digests[:, 1])
            found[same] = self.kept[place[same]]
        return found


NOTHING_RENAMED = Renamed(np.empty((0, 2), "<u8"), np.empty((0, 2), "<u8"))


class Parties(NamedTuple):
    """How entities and parties are numbered.

    Attributes:
        entities: How many there are.
        row: By entity, the row of its last record.
        last: By row of an entity record, whether it is the last of its entity.
        of_record: By row of an entity record, its entity; of one that was taken back, any.
        of_party: By row of the parties, its number.
        other: Rows of the parties that have no record, one for each, by number.
        key: By number, the first 64 bits of the digest.
    """

    entities: int
    row: Array
    last: Array
    of_record: Array
    of_party: Array
    other: Array
    key: Array


def parties_of(spool: Spool, renamed: Renamed) -> Parties:
    """Number entities by their first record, then the parties that have none."""
    standing = _standing(spool)
    records = len(standing)
    digests = np.concatenate([spool.column("entity_digest")[standing], spool.column("party_digest")])
    digests = renamed.applied(digests)
    of_row, first = numbered(digests)
    entities = int(np.searchsorted(first, records))
    row: Array = np.zeros(entities, "<i8")
    row[of_row[:records]] = standing  # the last of several is what stays
    last: Array = np.zeros(spool.rows("entity_digest"), bool)
    last[row] = True
    of_record: Array = np.zeros(len(last), "<u4")
    of_record[standing] = of_row[:records]
    key = digests[first, 0]
    return Parties(entities, row, last, of_record, of_row[records:], first[entities:] - records, key)


def _standing(spool: Spool) -> Array:
    """Return the rows of entity records that no later record takes back."""
    gone = np.flatnonzero(spool.column("entity_type") == NO_ENTITY)
    rows = np.arange(spool.rows("entity_digest"))
    if not len(gone):
        return rows
    of_row = numbered(spool.column("entity_digest")).of_row
    until: Array = np.full(len(of_row), -1)
    until[of_row[gone]] = gone
    found: Array = rows[rows > until[of_row]]
    return found
