"""A decision's `ownership` object as a tree: the account's company at the root, its holders below it."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from rich.text import Text
from rich.tree import Tree

READINGS: Final = {
    "control": "control",
    "effective": "effective share",
    "single_owner": "best single owner",
}
"""The readings of an `ownership` object, with the words for them."""
_STYLES: Final = {"proved": "bold red", "possible": "yellow", "refuted": "green", "unknown": "dim"}
_MILLIONTHS: Final = 1_000_000


def percent(millionths: int) -> str:
    """Write a share in millionths of a percent as per cent, with the decimals that it has: "33.5 %"."""
    whole, rest = divmod(millionths, _MILLIONTHS)
    decimals = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{whole}{decimals} %"


def percent_band(least: int, greatest: int) -> str:
    """Write a band: "60 %" where it is exact, else with a dash between its ends."""
    if least == greatest:
        return percent(least)
    return f"{percent(least).removesuffix(' %')}\u2013{percent(greatest)}"


def tree(ownership: Mapping[str, Any], names: Mapping[str, str]) -> Tree:
    """Draw the proof of an `ownership` object; each company's holders are drawn once.

    Args:
        ownership: As in a decision.
        names: Name by entity id; an id without a name is shown as it is.
    """
    entity = ownership["entity"]
    label = _named(entity, names, "bold")
    for key, title in READINGS.items():
        label.append("\n").append_text(_reading(title, ownership[key]))
    root = Tree(label)
    by_held: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for edge in ownership["proof"]:
        by_held[edge["held"]].append(edge)
    drawn = {entity}
    path = [(root, iter(by_held[entity]))]
    while path:
        branch, edges = path[-1]
        edge = next(edges, None)
        if edge is None:
            path.pop()
            continue
        holder = edge["holder"]
        twig = branch.add(_edge(edge, names, again=holder in drawn and bool(by_held[holder])))
        if holder not in drawn:
            drawn.add(holder)
            path.append((twig, iter(by_held[holder])))
    return root


def _named(entity: str, names: Mapping[str, str], style: str = "") -> Text:
    name = names.get(entity, entity)
    label = Text(name, style=style)
    return label if name == entity else label.append(f" [{entity}]", style="dim")


def _reading(title: str, reading: Mapping[str, Any]) -> Text:
    band = percent_band(reading["min"], reading["max"])
    return (
        Text(f"{title}: ").append(reading["verdict"], style=_STYLES[reading["verdict"]]).append(f", {band}")
    )


def _edge(edge: Mapping[str, Any], names: Mapping[str, str], *, again: bool) -> Text:
    label = Text(f"{percent_band(edge['min'], edge['max'])} ").append_text(_named(edge["holder"], names))
    if edge.get("country"):
        label.append(f" ({edge['country']})", style="bold red")
    if edge.get("since"):
        label.append(f" since {edge['since']}", style="dim")
    if again:
        label.append(" (see above)", style="dim")
    return label
