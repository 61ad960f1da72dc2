"""Who holds what on one day, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.snapshot.columns import Array
from stream_enforcer.snapshot.digest import country_code, digest
from stream_enforcer.snapshot.parties import NOTHING_RENAMED, Renamed
from stream_enforcer.snapshot.records import TYPES

_PERSON: Final = TYPES.index("person")


class Passes(NamedTuple):
    """The threshold, for many shares at once."""

    threshold: int
    strict: bool

    def __call__(self, shares: Array) -> Array:
        """Tell of each share, in millionths of a percent, whether it passes."""
        clamped = np.minimum(shares, FULL)
        found: Array = clamped > self.threshold if self.strict else clamped >= self.threshold
        return found

    def of_products(self, shares: Array) -> Array:
        """Tell the same of shares in parts of 10**16, as products of two shares are."""
        clamped, line = np.minimum(shares, FULL * FULL), self.threshold * FULL
        found: Array = clamped > line if self.strict else clamped >= line
        return found

    def one(self, share: int) -> bool:
        """Tell whether a share passes."""
        clamped = min(share, FULL)
        return clamped > self.threshold if self.strict else clamped >= self.threshold


class Shares(NamedTuple):
    """One end of the bands: the shares by held company, and the same by holder."""

    into: Array
    out: Array


@dataclass(frozen=True, slots=True)
class Network:
    """The stakes of one day; several of one holder in one company are summed. Nobody holds a natural person.

    Attributes:
        restricted: By party, whether it is a restricted holder.
        in_start, in_holder: By held company, where its holders begin; who they are.
        out_start, out_held: By holder, where its holdings begin; in whom they are.
        least, greatest: The shares.
    """

    restricted: Array
    in_start: Array
    in_holder: Array
    out_start: Array
    out_held: Array
    least: Shares
    greatest: Shares

    def shares(self, *, least: bool) -> Shares:
        """Return one end of the bands."""
        return self.least if least else self.greatest

    def into(self, parties: Array) -> tuple[Array, Array]:
        """Return the places of all stakes in some parties, and for each the place of the party among these."""
        return ranges(self.in_start, parties)

    def out(self, parties: Array) -> Array:
        """Return the places of all holdings of some parties."""
        return ranges(self.out_start, parties)[0]


def network(columns: Mapping[str, Array], on: int, question: Question, exceptions: Array) -> Network:
    """Collect the stakes of a day; see `readings.verdicts`."""
    count = len(columns["held_start"]) - 1
    kind = columns["entity_type"]
    person = np.zeros(count, bool)
    person[: len(kind)] = kind == _PERSON
    held, holder, least, greatest = _summed(columns, _active(columns, on, person), count)
    out = np.argsort(holder, kind="stable")
    return Network(
        restricted=_restricted(columns, question, exceptions, count),
        in_start=_starts(held, count),
        in_holder=holder,
        out_start=_starts(holder, count),
        out_held=held[out],
        least=Shares(least, least[out]),
        greatest=Shares(greatest, greatest[out]),
    )


def excepted(party_keys: Array, question: Question, renamed: Renamed = NOTHING_RENAMED) -> Array:
    """Return the numbers of the entities that a question excepts, by any of their ids.

    Args:
        party_keys: By number, the first 64 bits of the digest of the id.
        question: Names the exceptions.
        renamed: Ids that companies have not kept.
    """
    digests = b"".join(digest(one.encode(errors="surrogatepass")) for one in sorted(question.exceptions))
    keys = renamed.applied(np.frombuffer(digests, "<u8").reshape(-1, 2))[:, 0]
    return np.flatnonzero(np.isin(party_keys, keys))


def ranges(start: Array, rows: Array) -> tuple[Array, Array]:
    """Return all places of some rows one after another, and for each the place of its row among these."""
    begin = start[rows]
    length = start[rows + 1] - begin
    ends = np.cumsum(length)
    total = int(ends[-1]) if len(ends) else 0
    of = np.repeat(np.arange(len(rows)), length)
    return np.repeat(begin - ends + length, length) + np.arange(total), of


def _active(columns: Mapping[str, Array], on: int, person: Array) -> Array:
    until = columns["stake_until"]
    active = (columns["stake_since"] <= on) & ((until == 0) | (until > on))
    return np.flatnonzero(active & ~person[columns["stake_held"]])


def _summed(columns: Mapping[str, Array], rows: Array, count: int) -> tuple[Array, Array, Array, Array]:
    """Return the stakes of each pair together, by held company and then by holder."""
    pair = columns["stake_held"][rows].astype(np.int64) * count + columns["stake_holder"][rows]
    order = np.argsort(pair, kind="stable")
    pair = pair[order]
    first = np.flatnonzero(np.concatenate([np.ones(min(len(pair), 1), bool), pair[1:] != pair[:-1]]))
    pair = pair[first]
    least, greatest = (
        np.add.reduceat(columns[name][rows[order]].astype(np.int64), first) if len(first) else pair
        for name in ("stake_min", "stake_max")
    )
    return pair // count, pair % count, least, greatest


def _starts(parties: Array, count: int) -> Array:
    found: Array = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(parties, minlength=count), out=found[1:])
    return found


def _restricted(columns: Mapping[str, Array], question: Question, exceptions: Array, count: int) -> Array:
    kind, seat = columns["entity_type"], columns["entity_headquarters"]
    seat = np.where(seat == 0, columns["entity_country"], seat)
    codes = np.array(sorted(map(country_code, question.restricted)), seat.dtype)
    found: Array = np.zeros(count, bool)
    found[: len(kind)] = np.isin(seat, codes) & (kind != _PERSON)
    found[exceptions] = False
    return found
