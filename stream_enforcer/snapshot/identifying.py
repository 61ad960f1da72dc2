"""Find the records of a spool that are of one company, and add each such company as one more record.

Only what could tie records is looked at as text; the domain decides. So this costs as much as there is to merge.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import orjson

from stream_enforcer.domain.ownership.graph import Entity, Key
from stream_enforcer.domain.ownership.identity import NO_RECORD, Apart, Group, Tied
from stream_enforcer.domain.ownership.merging import Merge, merge_of
from stream_enforcer.snapshot.columns import Array, Columns
from stream_enforcer.snapshot.digest import digest, key_of
from stream_enforcer.snapshot.parties import NOTHING_RENAMED, Parties, Renamed, parties_of
from stream_enforcer.snapshot.records import TYPES, entity_of
from stream_enforcer.snapshot.sorting import numbered
from stream_enforcer.snapshot.spool import Spool, starts
from stream_enforcer.snapshot.tables import standing
from stream_enforcer.snapshot.writing import Items, items

_PERSON: Final = TYPES.index("person")
_BATCH: Final = 100_000


class Identified(NamedTuple):
    """What was found, and how the parties are numbered with it.

    Attributes:
        merges: Companies of several records; their records are the last of the spool, in this order.
        apart_unknown: How many ids that are to be kept apart are not in the data.
    """

    renamed: Renamed
    parties: Parties
    merges: list[Merge]
    apart_unknown: int


def identify(spool: Spool, apart: Apart) -> Identified:
    """Merge the records of each company; see `domain.ownership.identity`."""
    parties = parties_of(spool, NOTHING_RENAMED)
    known = _Known(spool, parties)
    unknown = sum(known.number(one) is None for one in apart.ids())
    ties = _ties(spool, parties)
    groups = Tied(known.rank, apart).groups(ties.items()) if ties else []
    if not groups:
        return Identified(NOTHING_RENAMED, parties, [], unknown)
    merges = list(_merges(groups, known, spool))
    renamed = _renamed(merges)
    return Identified(renamed, parties_of(spool, renamed), merges, unknown)


class MergeTables(NamedTuple):
    """The sections of companies of several records, and how many there are of what."""

    counts: dict[str, int]
    sections: dict[str, Items]


def merge_tables(found: Identified) -> MergeTables:
    """Put together what a snapshot says of companies of several records."""
    merges = found.merges
    records = found.parties.of_record
    numbers = records[len(records) - len(merges) :]
    texts = [orjson.dumps(merge) for merge in merges]
    hashes = np.array([key_of(other) for merge in merges for other in merge.others], "<u8")
    entities = np.repeat(numbers, [len(merge.others) for merge in merges])
    order = np.argsort(hashes, kind="stable")
    return MergeTables(
        counts={"merges": len(merges), "members": len(hashes)},
        sections={
            "merge_text_start": items(starts(np.array(list(map(len, texts)), "<u8"))),
            "merge_text": items(np.frombuffer(b"".join(texts), "<u1")),
            "member_hash": items(hashes[order]),
            "member_entity": items(entities[order].astype("<u4")),
        },
    )


def _ties(spool: Spool, parties: Parties) -> dict[Key, list[str]]:
    """Return the ties that several records have, or that name a party, and whose they are."""
    entity = spool.column("tie_entity")
    rows = np.flatnonzero(parties.last[entity])
    if not len(rows):
        return {}
    digests = spool.column("tie_digest")[rows]
    of_row = numbered(digests).of_row
    shared = np.bincount(of_row)[of_row] > 1
    rows = rows[shared | np.isin(digests[:, 0], parties.key)]
    found: defaultdict[Key, list[str]] = defaultdict(list)
    ties, owners = spool.texts("tie"), spool.texts("entity")
    for row, owner in zip(rows.tolist(), entity[rows].tolist(), strict=True):
        found[tuple(orjson.loads(ties.of(row)))].append(orjson.loads(owners.of(owner))[0])
    return found


def _merges(groups: Iterable[Group], known: "_Known", spool: Spool) -> Iterator[Merge]:
    columns = Columns()
    for group in groups:
        records = {one: (0, entity) for one in group.members if (entity := known.entity(one)) is not None}
        company, merge = merge_of(group, records)
        columns.company(company)
        if len(columns) == _BATCH:
            spool.add(columns.batch())
            columns = Columns()
        yield merge
    spool.add(columns.batch())


def _renamed(merges: Iterable[Merge]) -> Renamed:
    pairs = [
        (digest(other.encode()), digest(merge.entity.encode())) for merge in merges for other in merge.others
    ]
    others, kept = (
        np.frombuffer(b"".join(pair[side] for pair in pairs), "<u8").reshape(-1, 2) for side in (0, 1)
    )
    order = np.lexsort((others[:, 1], others[:, 0]))
    return Renamed(others[order], kept[order])


class _Known:
    """The parties of a spool by id, as they are before anything is merged."""

    def __init__(self, spool: Spool, parties: Parties) -> None:
        self._spool = spool
        self._parties = parties
        self._order: Array | None = None
        self._texts = spool.texts("entity"), spool.texts("party")
        self._ranks: dict[str, int | None] = {}
        self._publication = spool.column("entity_publication")
        self._numbers = [spool.column(f"entity_{name}") for name in ("type", "country", "headquarters")]

    def number(self, one: str) -> int | None:
        """Return the number of a party."""
        if self._order is None:
            self._order = np.argsort(self._parties.key)
            self._key = self._parties.key[self._order]
        key = np.uint64(key_of(one))
        place = int(np.searchsorted(self._key, key))
        while place < len(self._key) and self._key[place] == key:
            number = int(self._order[place])
            if orjson.loads(self._text(number))[0] == one:
                return number if number < self._parties.entities or self._takes_part[number] else None
            place += 1
        return None

    @cached_property
    def _takes_part(self) -> Array:
        """By number, whether a party has to do with a stake that no later record replaces."""
        found: Array = np.zeros(len(self._parties.key), bool)
        rows = standing(self._spool)
        for end in ("holder", "held"):
            found[self._parties.of_party[self._spool.column(f"stake_{end}")[rows]]] = True
        return found

    def rank(self, one: str) -> int | None:
        """Return the publication of a party's record; None for a person and for whoever is not there."""
        if one not in self._ranks:
            self._ranks[one] = self._rank(one)
        return self._ranks[one]

    def _rank(self, one: str) -> int | None:
        number = self.number(one)
        if number is None:
            return None
        if number >= self._parties.entities:
            return NO_RECORD
        row = self._parties.row[number]
        return None if self._numbers[0][row] == _PERSON else int(self._publication[row])

    def entity(self, one: str) -> Entity | None:
        """Return the record of a party."""
        number = self.number(one)
        if number is None or number >= self._parties.entities:
            return None
        row = self._parties.row[number]
        kind, country, headquarters = (int(column[row]) for column in self._numbers)
        return entity_of(orjson.loads(self._text(number)), kind, country, headquarters)

    def _text(self, number: int) -> bytes:
        parties = self._parties
        recorded = number < parties.entities
        row = parties.row[number] if recorded else parties.other[number - parties.entities]
        return self._texts[0 if recorded else 1].of(row)
