"""What a picture of a proof shows, before it is laid out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from stream_enforcer.cli.ownership_tree import READINGS, percent, percent_band
from stream_enforcer.cli.printable import printable


class Described(NamedTuple):
    """What ownership data say of an entity beside its id."""

    name: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Party:
    """A company, or one that holds a part of it.

    Attributes:
        name: Its id where no name is known.
        country: Where it is; of a restricted holder the country that makes it one.
        restricted: Whether it is a restricted holder.
        asked: Whether it is the company that the proof is about.
        own: What it holds of itself, in words.
    """

    id: str
    name: str
    country: str | None
    restricted: bool
    asked: bool
    own: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """Return what stands below the name."""
        place = " \u00b7 ".join(
            (*([self.country] if self.country else []), *["restricted"] * self.restricted)
        )
        own = (f"holds {share} of itself" for share in self.own)
        return tuple(line for line in ("" if self.id == self.name else self.id, place, *own) if line)


@dataclass(frozen=True, slots=True)
class Holding:
    """An arrow: all stakes of one holder in one company, each as a line of text."""

    holder: str
    held: str
    stakes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A proof, ready to be drawn. All text is fit to be shown.

    Attributes:
        parties: By id, the company that was asked about first.
        holdings: One for each pair of a holder and another company.
        title: What is shown, in a line.
        caption: The three readings, the threshold and the day, line by line.
    """

    parties: Mapping[str, Party]
    holdings: tuple[Holding, ...]
    title: str
    caption: tuple[str, ...]


def picture(ownership: Mapping[str, Any], described: Mapping[str, Described], day: str) -> Picture:
    """Collect what a picture of an `ownership` object shows.

    Args:
        ownership: As in a decision.
        described: Names and countries by entity id, as far as they are known.
        day: ISO day on which the stakes were held.
    """
    stakes: dict[tuple[str, str], list[str]] = {}
    restricted: dict[str, str] = {}
    for edge in ownership["proof"]:
        stakes.setdefault((edge["holder"], edge["held"]), []).append(_stake(edge))
        if edge.get("country") is not None:
            restricted[edge["holder"]] = edge["country"]
    entity = ownership["entity"]
    ids = dict.fromkeys([entity, *(party for holder, held in stakes for party in (held, holder))])
    parties = {
        party: _party(
            party, described.get(party), restricted.get(party), stakes.get((party, party), ()), entity
        )
        for party in ids
    }
    holdings = [Holding(*pair, tuple(lines)) for pair, lines in stakes.items() if pair[0] != pair[1]]
    title = f"Who holds {parties[entity].name}"
    return Picture(parties, tuple(holdings), title, tuple(_caption(ownership, day)))


def _party(
    party: str, known: Described | None, restricted: str | None, own: Iterable[str], entity: str
) -> Party:
    country = restricted or (None if known is None else known.country)
    return Party(
        id=printable(party),
        name=printable(party if known is None else known.name),
        country=None if country is None else printable(country),
        restricted=restricted is not None,
        asked=party == entity,
        own=tuple(own),
    )


def _stake(edge: Mapping[str, Any]) -> str:
    share, since = percent_band(edge["min"], edge["max"]), edge.get("since")
    return share if since is None else f"{share} since {printable(since)}"


_NOTHING: Final = frozenset({"refuted", "unknown"})


def _caption(ownership: Mapping[str, Any], day: str) -> Iterator[str]:
    for name, title in READINGS.items():
        reading = ownership[name]
        yield f"{title}: {printable(reading['verdict'])}, {percent_band(reading['min'], reading['max'])}"
    over = "more than" if ownership.get("strict", True) else "at least"
    yield f"threshold: {over} {percent(ownership['threshold'])}; stakes of {printable(day)}"
    if ownership["match"]["kind"] == "name":
        yield "found by its name alone, so what is proved counts as possible"
    if {ownership[name]["verdict"] for name in READINGS} <= _NOTHING:
        yield "nothing is proved or possible, so there are no holdings to show"
    elif not ownership.get("proof_complete", True):
        yield "the proof is not complete: too many stakes take part"
