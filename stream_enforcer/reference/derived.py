"""Indirect rows beside the direct rows they sum up: adding both would count a holding twice."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from stream_enforcer.domain.ownership.graph import Stake

SUMMED_UP: Final = "indirect row that sums up others"
"""The reason that readers give for a row which is dropped here."""

_Into = defaultdict[str, list[Stake]]


@dataclass(frozen=True, slots=True)
class Row:
    """A stake, and whether the publisher says that it is held through others."""

    stake: Stake
    indirect: bool


def without_derived(rows: Iterable[Row], dropped: Callable[[Stake], None]) -> tuple[Stake, ...]:
    """Return the stakes that may be added up.

    An indirect row is dropped when other rows lead from its holder to the company: it is their sum. When none
    do, but others hold the company directly, it may or may not pass through them: it keeps only its greatest
    share, so that it proves nothing. When it is all that is known of the company, it counts as it stands.

    Args:
        rows: All rows of a publication.
        dropped: Is told of each stake that is dropped.
    """
    rows = list(rows)
    into: _Into = defaultdict(list)
    for row in rows:
        into[row.stake.held].append(row.stake)
    direct = [row.stake for row in rows if not row.indirect]
    directly_held = {stake.held for stake in direct}
    kept: list[Stake] = []
    for stake in (row.stake for row in rows if row.indirect):
        if _led_to(stake, into):
            into[stake.held].remove(stake)
            dropped(stake)
        elif stake.held in directly_held:
            kept.append(replace(stake, min=0))
        else:
            kept.append(stake)
    return (*direct, *kept)


def _led_to(total: Stake, into: _Into) -> bool:
    """Tell whether other rows, held on all the days of the total, lead through someone to its holder."""
    first = {s.holder for s in into[total.held] if s.holder != total.holder and spans(s, total)}
    seen = first - {total.held}
    waiting = list(seen)
    while waiting:
        for stake in into.get(waiting.pop(), ()):
            if not spans(stake, total):
                continue
            if stake.holder == total.holder:
                return True
            if stake.holder not in seen and stake.holder != total.held:
                seen.add(stake.holder)
                waiting.append(stake.holder)
    return False


def spans(stake: Stake, total: Stake) -> bool:
    """Tell whether a stake lasts at least as long as a total."""
    starts = stake.since is None or (total.since is not None and stake.since <= total.since)
    ends = stake.until is None or (total.until is not None and total.until <= stake.until)
    return stake.max > 0 and starts and ends
