"""Which party stands how high: by its longest chain down to the company, where rings are cut open."""

from collections import defaultdict

from stream_enforcer.cli.picture.parts import Picture


def heights(picture: Picture) -> dict[str, int]:
    """Return each party's height: 0 for the lowest, and every holder above all that it holds.

    Of a ring, the holding that leads back down to where the walk upwards came from is left out of account, so
    that one arrow points upwards.
    """
    above: defaultdict[str, list[str]] = defaultdict(list)
    for holding in picture.holdings:
        above[holding.held].append(holding.holder)
    order, back = _walk(picture, above)
    found = dict.fromkeys(picture.parties, 0)
    for held in reversed(order):
        for holder in above[held]:
            if (holder, held) not in back:
                found[holder] = max(found[holder], found[held] + 1)
    return found


def _walk(picture: Picture, above: defaultdict[str, list[str]]) -> tuple[list[str], set[tuple[str, str]]]:
    """Walk upwards, depth first; return the parties as they are left, and the holdings that close a ring."""
    order: list[str] = []
    back: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for start in picture.parties:
        if start in seen:
            continue
        seen.add(start)
        path = {start: iter(above[start])}
        while path:
            held, holders = next(reversed(path.items()))
            holder = next(holders, None)
            if holder is None:
                order.append(held)
                del path[held]
            elif holder in path:
                back.add((holder, held))
            elif holder not in seen:
                seen.add(holder)
                path[holder] = iter(above[holder])
    return order, back
