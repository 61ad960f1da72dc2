"""From what an account claims of its organisation to the entity that it is.

The law of keys: a claim resolves only to an organisation with which it shares a key. `claim_keys` and `entity_keys`
are the keys of both; an index finds organisations by key, and everything else is decided here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, Self

from stream_enforcer.domain.ownership.graph import Entity, Index, Key, OwnershipGraph
from stream_enforcer.domain.ownership.likeness import FoldedName, Likeness, compare
from stream_enforcer.domain.ownership.names import name_keys

NAME_SCORE_AT_LEAST: Final = 83
"""The score at which a name points to an organisation, where a policy says nothing else: the one with the greatest
F1 when measured on labelled pairs; see `benchmarks/names.py`."""
MOST_CANDIDATES: Final = 32
"""As many organisations of one name key are looked at; what more have in common tells nobody apart."""

_COUNTRY_UNKNOWN: Final = 5
_COUNTRY_DIFFERS: Final = 30


@dataclass(frozen=True, slots=True)
class Claim:
    """What an account says its organisation is."""

    name: str | None = None
    country: str | None = None
    lei: str | None = None
    registration_number: str | None = None
    registration_country: str | None = None
    domain: str | None = None


class RunnerUp(NamedTuple):
    """The next best candidate, and its score."""

    entity: str
    score: int


@dataclass(frozen=True, slots=True)
class Match:
    """The entity that a claim names.

    Attributes:
        entity: Its id.
        kind: By an identifier, or by name.
        score: 100 for an identifier. For a name, how alike the names are, less 5 where the claim or the entity has
            no country and less 30 where their countries differ.
        features: Which identifier it is; of a name, what `compare` says, then `alias` unless it is the main name,
            then `country-agrees`, `country-unknown` or `country-differs`.
        runner_up: Of a name, who else was a candidate.
    """

    entity: str
    kind: Literal["identifier", "name"]
    score: int
    features: tuple[str, ...] = ()
    runner_up: RunnerUp | None = None


class Resolution(NamedTuple):
    """What became of a claim.

    Attributes:
        match: The one entity that it names, or None.
        ambiguous: Whether there is none because several are named alike: they share the identifier, or come out
            with the same score, or are more than `MOST_CANDIDATES`.
    """

    match: Match | None
    ambiguous: bool


_NOBODY: Final = Resolution(None, ambiguous=False)
_SEVERAL: Final = Resolution(None, ambiguous=True)


@dataclass(frozen=True, slots=True)
class Resolver:
    """Looks up claims in a graph's index. Natural persons are never an organisation."""

    _index: Index
    _name_score_at_least: int

    @classmethod
    def build(cls, graph: OwnershipGraph, name_score_at_least: int = NAME_SCORE_AT_LEAST) -> Self:
        """Take the index of a graph, or make it.

        Args:
            graph: Whose organisations are looked up.
            name_score_at_least: Least score of a match by name, 0 to 100.
        """
        return cls(graph.index or _MemoryIndex.build(graph), name_score_at_least)

    def resolve(self, claim: Claim) -> Match | None:
        """Return the one entity that a claim names: by LEI, registration number, domain, else by name."""
        return self.resolution(claim).match

    def resolution(self, claim: Claim) -> Resolution:
        """Return the same, and whether there was a choice: an identifier of several identifies none of them."""
        shared = False
        for key in _claimed_identifiers(claim):
            found = self._index.candidates(key, 2)
            if len(found) == 1:
                return Resolution(Match(found[0].id, "identifier", 100, (key[0],)), ambiguous=False)
            shared = shared or bool(found)
        named = self._by_name(claim)
        return _SEVERAL if shared and named.match is None else named

    def _by_name(self, claim: Claim) -> Resolution:
        keys = name_keys(claim.name or "")
        pool: dict[str, Entity] = {}
        for place, key in enumerate(keys):
            found = self._index.candidates(key, MOST_CANDIDATES + 1)
            if len(found) > MOST_CANDIDATES:
                # That many share a sound does not mean that they share a name.
                return _NOBODY if place else _SEVERAL
            pool.update((entity.id, entity) for entity in found)
            best = _decided(_ranked(claim, pool.values()), self._name_score_at_least)
            if best is not _NOBODY:
                return best
        return _NOBODY


def _decided(ranked: Sequence[tuple[Likeness, str]], least: int) -> Resolution:
    if not ranked or ranked[0][0].score < least:
        return _NOBODY
    (likeness, entity), *others = ranked
    runner_up = RunnerUp(others[0][1], others[0][0].score) if others else None
    if runner_up is not None and runner_up.score == likeness.score:
        return _SEVERAL
    return Resolution(Match(entity, "name", likeness.score, likeness.features, runner_up), ambiguous=False)


def _ranked(claim: Claim, found: Iterable[Entity]) -> Sequence[tuple[Likeness, str]]:
    """Return candidates by falling score, and by id where it is the same."""
    name = FoldedName.of(claim.name or "")
    claimed = {country for country in (claim.country, claim.registration_country) if country is not None}
    scored = [(_likeness(name, claimed, entity), entity.id) for entity in found]
    return sorted(scored, key=lambda candidate: (-candidate[0].score, candidate[1]))


def _likeness(claimed: FoldedName, claimed_in: set[str], entity: Entity) -> Likeness:
    """Return how alike a claim and an entity are: its name that is most alike counts, and the countries."""
    score, features = compare(claimed, FoldedName.of(entity.name))
    for alias in entity.aliases:
        if score == 100:
            break
        other = compare(claimed, FoldedName.of(alias))
        if other.score > score:
            score, features = other.score, (*other.features, "alias")
    known_in = countries(entity)
    if claimed_in & known_in:
        return Likeness(score, (*features, "country-agrees"))
    if claimed_in and known_in:
        return Likeness(max(0, score - _COUNTRY_DIFFERS), (*features, "country-differs"))
    return Likeness(max(0, score - _COUNTRY_UNKNOWN), (*features, "country-unknown"))


@dataclass(frozen=True, slots=True)
class _MemoryIndex:
    _found: Mapping[Key, Sequence[Entity]]

    @classmethod
    def build(cls, graph: OwnershipGraph) -> Self:
        found: defaultdict[Key, list[Entity]] = defaultdict(list)
        for entity in graph.entities.values():
            for key in entity_keys(entity):
                found[key].append(entity)
        return cls(found)

    def candidates(self, key: Key, limit: int) -> Sequence[Entity]:
        return self._found.get(key, ())[:limit]


def indexed(graph: OwnershipGraph) -> OwnershipGraph:
    """Return a graph with its index, made if it has none."""
    return graph if graph.index is not None else replace(graph, index=_MemoryIndex.build(graph))


def claim_keys(claim: Claim) -> list[Key]:
    """Return the keys by which a claim can find an organisation, the surest first."""
    return [*_claimed_identifiers(claim), *name_keys(claim.name or "")]


def entity_keys(entity: Entity) -> list[Key]:
    """Return the keys by which an entity is found, each once, the surest first; none for a natural person."""
    return list(dict.fromkeys(_entity_keys(entity)))


def has_key(entity: Entity, key: Key) -> bool:
    """Tell whether a key is among those of an entity, without working out more of them than that takes."""
    return key in _entity_keys(entity)


def _entity_keys(entity: Entity) -> Iterator[Key]:
    if entity.type == "person":
        return
    yield from identifier_keys(entity)
    for name in (entity.name, *entity.aliases):
        yield from name_keys(name)


def identifier_keys(entity: Entity) -> Iterator[Key]:
    """Yield the keys of an entity's identifiers, the surest first."""
    ids = entity.identifiers
    yield from _identifier_keys(ids.lei, ids.registration_number, entity.country, ids.domain)
    yield from ids.more


def _claimed_identifiers(claim: Claim) -> Iterator[Key]:
    country = claim.registration_country or claim.country
    return _identifier_keys(claim.lei, claim.registration_number, country, claim.domain)


def _identifier_keys(
    lei: str | None, number: str | None, country: str | None, domain: str | None
) -> Iterator[Key]:
    if lei and lei.strip():
        yield ("lei", lei.strip().upper())
    if number and number.strip() and country:
        yield ("registration", country.strip().upper(), number.strip().upper())
    if domain and domain.strip():
        yield ("domain", domain.strip().lower().removesuffix(".").removeprefix("www."))


def countries(entity: Entity) -> set[str]:
    """Return where an entity is registered and seated, as far as known."""
    return {country for country in (entity.country, entity.headquarters) if country is not None}
