"""From the columns of a spool to the tables of a snapshot: numbered, sorted, and each id once."""

from typing import Final, NamedTuple

import numpy as np

from stream_enforcer.snapshot.columns import Array
from stream_enforcer.snapshot.parties import Parties
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
    """Everything but verdicts and merges.

    Attributes:
        counts: How many there are of what, see `layout.Counts`.
        columns: The numeric sections that verdicts are worked out from, by name.
        sections: All sections but theirs.
        party_keys: By number, the first 64 bits of the digest of a party's id.
        unresolved: Parties without a record, except those that stand for "somebody".
    """

    counts: dict[str, int]
    columns: dict[str, Array]
    sections: dict[str, Items]
    party_keys: Array
    unresolved: int


def tables(spool: Spool, parties: Parties) -> Tables:
    """Put the tables together."""
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
    counts = {
        "entities": parties.entities,
        "parties": len(parties.key),
        "stakes": len(stakes["stake_held"]),
        "sources": len(sources.first),
        "identifiers": len(identifiers[0]),
        "names": len(names[0]),
    }
    return Tables(counts, columns, sections, parties.key, _unresolved(spool, parties, stakes))


Rows = list[tuple[Array, Array, Array]]
"""Texts one after another, where each begins, and which are wanted."""


def _party_texts(spool: Spool, parties: Parties) -> Rows:
    return [
        (spool.column("entity_text"), starts(spool.column("entity_length")), parties.row),
        (spool.column("party_text"), starts(spool.column("party_length")), parties.other),
    ]


def _texts(name: str, rows: Rows) -> dict[str, Items]:
    lengths = np.concatenate([(start[wanted + 1] - start[wanted]) for _, start, wanted in rows])
    start = starts(lengths)
    pieces = (piece for text, begin, wanted in rows for piece in pick(text, begin, wanted))
    return {f"{name}_text_start": items(start), f"{name}_text": Items(int(start[-1]), pieces)}


def _unresolved(spool: Spool, parties: Parties, stakes: dict[str, Array]) -> int:
    """Count parties of stakes that have no record. A party of a stake that was replaced is none."""
    takes_part = np.zeros(len(parties.key), bool)
    takes_part[stakes["stake_holder"]] = takes_part[stakes["stake_held"]] = True
    other = parties.other[takes_part[parties.entities :]]
    text, start = spool.column("party_text"), starts(spool.column("party_length"))
    size = len(_UNSPECIFIED)
    begin = start[other].astype(np.int64)
    long = begin[start[other + 1].astype(np.int64) - begin > size]
    named = (text[long[:, None] + np.arange(size)] == _UNSPECIFIED).all(axis=1)
    return len(begin) - int(named.sum())


def _stakes(spool: Spool, parties: Parties, sources: Numbered) -> tuple[dict[str, Array], dict[str, Items]]:
    kept = standing(spool)
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


def standing(spool: Spool) -> Array:
    """Return the rows of the last record of each stake, in the order of the first, unless it takes the stake back."""
    stakes = numbered(spool.column("stake_digest"))
    last: Array = np.zeros(len(stakes.first), "<i8")
    last[stakes.of_row] = np.arange(len(stakes.of_row))
    found: Array = last[spool.column("stake_min")[last] <= spool.column("stake_max")[last]]
    return found


def _keys(table: str, spool: Spool, parties: Parties) -> tuple[Array, Array]:
    """Return the hashes of identifiers or names, sorted, and the entities that have them."""
    row = spool.column(f"{table}_entity")
    kept = np.flatnonzero(parties.last[row])
    return unique_pairs(spool.column(f"{table}_digest")[kept, 0], parties.of_record[row[kept]])
