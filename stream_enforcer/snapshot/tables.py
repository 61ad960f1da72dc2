"""From the columns of a spool to the tables of a snapshot: numbered, sorted, and each id once."""

from typing import Final, NamedTuple

import numpy as np

from stream_enforcer.snapshot.columns import Array
from stream_enforcer.snapshot.layout import Counts
from stream_enforcer.snapshot.sorting import (
    Ids,
    Numbered,
    by_party_and_id,
    numbered,
    start_of_groups,
    unique_pairs,
)
from stream_enforcer.snapshot.spool import Spool, pick, starts
from stream_enforcer.snapshot.writing import Items, items

_UNSPECIFIED: Final = np.frombuffer(b'["unspecified:', "u1")


class Tables(NamedTuple):
    """Everything but the verdicts.

    Attributes:
        columns: The numeric sections that verdicts are worked out from, by name.
        sections: All sections but the verdicts.
        party_keys: By number, the first 64 bits of the digest of a party's id.
        unresolved: Parties without a record, except those that stand for "somebody".
    """

    counts: Counts
    columns: dict[str, Array]
    sections: dict[str, Items]
    party_keys: Array
    unresolved: int


class _Parties(NamedTuple):
    """How entities and parties are numbered.

    Attributes:
        entities: How many there are.
        row: By entity, the row of its last record.
        last: By row of an entity record, whether it is the last of its entity.
        of_record: By row of an entity record, its entity.
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


def tables(spool: Spool) -> Tables:
    """Put the tables together."""
    parties = _parties(spool)
    columns = {
        f"entity_{name}": spool.column(f"entity_{name}")[parties.row]
        for name in ("type", "country", "headquarters")
    }
    sections = {name: items(column) for name, column in columns.items()}
    order = np.argsort(parties.key, kind="stable")
    sections |= {
        "party_hash": items(parties.key[order]),
        "party_of_hash": items(order.astype("<u4")),
        **_texts("party", _party_texts(spool, parties)),
    }
    sources = numbered(spool.column("source_digest"))
    stakes, stake_sections = _stakes(spool, parties, sources)
    columns |= stakes
    rows = [(spool.column("source_text"), starts(spool.column("source_length")), sources.first)]
    sections |= stake_sections | _texts("source", rows)
    identifiers, names = _keys("identifier", spool, parties), _keys("name", spool, parties)
    for name, (keys, entities) in {"identifier": identifiers, "name": names}.items():
        sections |= {f"{name}_hash": items(keys), f"{name}_entity": items(entities)}
    counts = Counts(
        entities=parties.entities,
        parties=len(parties.key),
        stakes=len(stakes["stake_held"]),
        sources=len(sources.first),
        identifiers=len(identifiers[0]),
        names=len(names[0]),
    )
    return Tables(counts, columns, sections, parties.key, _unresolved(spool, parties))


def _parties(spool: Spool) -> _Parties:
    """Number entities by their first record, then the parties that have none."""
    digests = np.concatenate([spool.column("entity_digest"), spool.column("party_digest")])
    of_row, first = numbered(digests)
    records = spool.rows("entity_digest")
    entities = int(np.searchsorted(first, records))
    of_record = of_row[:records]
    row: Array = np.zeros(entities, "<i8")
    row[of_record] = np.arange(records)  # the last of several is what stays
    last: Array = np.zeros(records, bool)
    last[row] = True
    key = digests[first, 0]
    return _Parties(entities, row, last, of_record, of_row[records:], first[entities:] - records, key)


Rows = list[tuple[Array, Array, Array]]
"""Texts one after another, where each begins, and which are wanted."""


def _party_texts(spool: Spool, parties: _Parties) -> Rows:
    return [
        (spool.column("entity_text"), starts(spool.column("entity_length")), parties.row),
        (spool.column("party_text"), starts(spool.column("party_length")), parties.other),
    ]


def _texts(name: str, rows: Rows) -> dict[str, Items]:
    lengths = np.concatenate([(start[wanted + 1] - start[wanted]) for _, start, wanted in rows])
    start = starts(lengths)
    pieces = (piece for text, begin, wanted in rows for piece in pick(text, begin, wanted))
    return {f"{name}_text_start": items(start), f"{name}_text": Items(int(start[-1]), pieces)}


def _unresolved(spool: Spool, parties: _Parties) -> int:
    text, start = spool.column("party_text"), starts(spool.column("party_length"))
    size = len(_UNSPECIFIED)
    begin = start[parties.other].astype(np.int64)
    long = begin[start[parties.other + 1].astype(np.int64) - begin > size]
    named = (text[long[:, None] + np.arange(size)] == _UNSPECIFIED).all(axis=1)
    return len(begin) - int(named.sum())


def _stakes(spool: Spool, parties: _Parties, sources: Numbered) -> tuple[dict[str, Array], dict[str, Items]]:
    kept = _last_of_each(numbered(spool.column("stake_digest")))
    held = parties.of_party[spool.column("stake_held")[kept]]
    start = starts(spool.column("stake_length"))
    ids = Ids(spool.column("stake_prefix")[kept], spool.column("stake_text"), start[kept], start[kept + 1])
    order = by_party_and_id(held, ids)
    rows = kept[order]
    source = np.concatenate([np.zeros(1, "<u4"), sources.of_row + np.uint32(1)])
    columns = {
        "stake_held": held[order],
        "stake_holder": parties.of_party[spool.column("stake_holder")[rows]],
        **{f"stake_{name}": spool.column(f"stake_{name}")[rows] for name in ("min", "max", "since", "until")},
    }
    by_holder = by_party_and_id(
        columns["stake_holder"], Ids(ids.prefix[order], ids.text, ids.start[order], ids.end[order])
    )
    count = len(parties.key)
    columns["held_start"] = start_of_groups(columns["stake_held"], count)
    columns["holder_start"] = start_of_groups(columns["stake_holder"], count)
    columns["holder_stake"] = by_holder.astype("<u4")
    texts = _texts("stake", [(ids.text, start, rows)])
    keys = spool.column("stake_digest")[rows, 0]
    by_key = np.argsort(keys, kind="stable").astype("<u4")
    named = {
        "stake_source": source[spool.column("stake_source")[rows]],
        "stake_hash": keys[by_key],
        "stake_of_hash": by_key,
    }
    return columns, {name: items(column) for name, column in (columns | named).items()} | texts


def _last_of_each(stakes: Numbered) -> Array:
    """Return the rows of the last record of each id, in the order of the first."""
    last: Array = np.zeros(len(stakes.first), "<i8")
    last[stakes.of_row] = np.arange(len(stakes.of_row))
    return last


def _keys(table: str, spool: Spool, parties: _Parties) -> tuple[Array, Array]:
    """Return the hashes of identifiers or names, sorted, and the entities that have them."""
    row = spool.column(f"{table}_entity")
    kept = np.flatnonzero(parties.last[row])
    return unique_pairs(spool.column(f"{table}_digest")[kept, 0], parties.of_record[row[kept]])
