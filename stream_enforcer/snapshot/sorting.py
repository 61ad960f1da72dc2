"""Sorting and numbering of tens of millions of rows."""

from typing import NamedTuple

import numpy as np

from stream_enforcer.snapshot.columns import Array


class Numbered(NamedTuple):
    """Rows of which several can mean the same.

    Attributes:
        of_row: Each row's number; numbers follow first appearance.
        first: By number, the first row that has it.
    """

    of_row: Array
    first: Array


def numbered(digests: Array) -> Numbered:
    """Number rows by their 128 bits: equal bits, equal number."""
    high, low = digests[:, 0], digests[:, 1]
    order = np.argsort(high, kind="stable")
    new = _changes(high[order])
    low_differs = _changes(low[order])
    if (low_differs & ~new).any():
        order = np.lexsort((low, high))
        new = _changes(high[order]) | _changes(low[order])
    del low_differs
    group = np.cumsum(new, dtype=np.uint32) - np.uint32(1)
    first = order[np.flatnonzero(new)]
    by_first = np.argsort(first)
    number: Array = np.empty(len(first), "<u4")
    number[by_first] = np.arange(len(first), dtype="<u4")
    of_row: Array = np.empty(len(order), "<u4")
    of_row[order] = number[group]
    return Numbered(of_row, first[by_first])


def _changes(values: Array) -> Array:
    """Tell of each value whether it differs from the one before; the first does."""
    found: Array = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def unique_pairs(keys: Array, numbers: Array) -> tuple[Array, Array]:
    """Sort pairs by key, then number, and leave out what is there twice."""
    order = np.lexsort((numbers, keys))
    keys, numbers = keys[order], numbers[order]
    kept = _changes(keys) | _changes(numbers)
    return keys[kept], numbers[kept]


def start_of_groups(parties: Array, count: int) -> Array:
    """Return where the rows of each party begin in rows that are sorted by party, and where the last ends."""
    found: Array = np.zeros(count + 1, "<u4")
    np.cumsum(np.bincount(parties, minlength=count), out=found[1:], dtype="<u4")
    return found


class Ids(NamedTuple):
    """The ids of rows: their first bytes as numbers, and all of them.

    Attributes:
        prefix: Three numbers for each row, from 24 bytes, the first of which weighs most; short ids end in zeros.
        text: All ids, one after another.
        start: By row, where its id begins.
        end: By row, where it ends.
    """

    prefix: Array
    text: Array
    start: Array
    end: Array

    def of(self, row: int) -> bytes:
        """Return a whole id."""
        return self.text[int(self.start[row]) : int(self.end[row])].tobytes()


def by_party_and_id(party: Array, ids: Ids) -> Array:
    """Return the rows sorted by party, and those of one party by id."""
    order = np.argsort(party, kind="stable")
    _sort_groups(order, party, ids)
    return order


def _sort_groups(order: Array, party: Array, ids: Ids) -> None:
    """Sort by id within the groups that are not: usually few, as files are often in order."""
    grouped = party[order]
    new = _changes(grouped)
    falls = np.zeros(len(order), bool)
    falls[1:] = ~new[1:] & ~_rises(ids.prefix, order)
    if not falls.any():
        return
    group = np.cumsum(new) - 1
    wrong = np.isin(group, np.unique(group[falls]))
    places = np.flatnonzero(wrong)
    rows = order[places]
    prefix = ids.prefix[rows]
    rows = rows[np.lexsort((prefix[:, 2], prefix[:, 1], prefix[:, 0], group[places]))]
    order[places] = rows
    falls[1:] = ~new[1:] & ~_rises(ids.prefix, order)
    begin = np.flatnonzero(new)
    for number in np.unique(group[falls]).tolist():
        first = int(begin[number])
        last = int(begin[number + 1]) if number + 1 < len(begin) else len(order)
        order[first:last] = sorted(order[first:last].tolist(), key=ids.of)


def _rises(prefix: Array, order: Array) -> Array:
    """Tell of each row but the first whether its prefix is greater than the one before."""
    columns = [prefix[:, part][order] for part in range(3)]
    greater: Array = np.zeros(max(len(order) - 1, 0), bool)
    for column in reversed(columns):
        greater = (column[1:] > column[:-1]) | ((column[1:] == column[:-1]) & greater)
    return greater
