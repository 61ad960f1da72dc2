"""From what an account claims of its organisation to the entity that it is.

The law of keys: a claim resolves only to an organisation with which it shares a key. `claim_keys` and `entity_keys`
are the keys of both; an index finds organisations by key, and everything else is decided here.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Self

from stream_enforcer.domain.ownership.graph import Entity, Index, Key, OwnershipGraph

NAME: Final = "name"
"""Kind of the keys of names; every other kind is of an identifier."""
MOST_CANDIDATES: Final = 64
"""As many organisations of one name key are looked at; a name that more have says nothing."""

# The last five are Cyrillic, as Russian names are written.
_LEADING: Final = (
    "jsc pjsc ojsc cjsc oao pao zao ooo "
    "\u0430\u043e \u043e\u0430\u043e \u043f\u0430\u043e \u0437\u0430\u043e \u043e\u043e\u043e"
)
_TRAILING: Final = (
    "ltd limited inc incorporated llc llp lp plc co company corp corporation gmbh ag kg se sa sas sarl srl spa "
    "bv nv oy oyj ab as asa aps pte pty bhd sdn"
)
_LEADING_FORMS: Final = frozenset(_LEADING.split())
_TRAILING_FORMS: Final = _LEADING_FORMS | frozenset(_TRAILING.split())
_JOINED_FORMS: Final = ("股份有限公司", "有限责任公司", "有限公司", "株式会社")

# Letters that Arabic and Persian keyboards write with different code points, which NFKC keeps apart, and marks
# that may be left out.
_LETTERS: Final = str.maketrans(
    {
        "\u064a": "\u06cc",  # yeh
        "\u0649": "\u06cc",  # alef maksura
        "\u0643": "\u06a9",  # kaf
        "\u0640": None,  # tatweel
        "\u200c": None,  # zero-width non-joiner
        "\u200d": None,  # zero-width joiner
        **{chr(mark): None for mark in range(0x064B, 0x0653)},  # vowel signs
        "&": " and ",
        ".": None,
        "'": None,
        "\u2019": None,
    }
)

_ASCII: Final = str.maketrans(
    {
        letter: _LETTERS.get(ord(letter), letter.lower() if letter.isalnum() else " ")
        for letter in map(chr, range(128))
    }
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What an account says its organisation is."""

    name: str | None = None
    country: str | None = None
    lei: str | None = None
    registration_number: str | None = None
    registration_country: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """The entity that a claim names.

    Attributes:
        entity: Its id.
        kind: By an identifier, or by name.
        score: 100 for an identifier; for a name 95 when the countries agree and 80 when one side has none.
    """

    entity: str
    kind: Literal["identifier", "name"]
    score: int


@dataclass(frozen=True, slots=True)
class Resolver:
    """Looks up claims in a graph's index. Natural persons are never an organisation."""

    _index: Index

    @classmethod
    def build(cls, graph: OwnershipGraph) -> Self:
        """Take the index of a graph, or make it: an identifier that two entities share identifies neither."""
        return cls(graph.index or _MemoryIndex.build(graph))

    def resolve(self, claim: Claim) -> Match | None:
        """Return the one entity that a claim names: by LEI, registration number, domain, else by name."""
        for key in _claimed_identifiers(claim):
            found = self._index.candidates(key, 2)
            if len(found) == 1:
                return Match(found[0].id, "identifier", 100)
        for key in name_keys(claim.name or ""):
            match = self._by_name(key, claim.country)
            if match is not None:
                return match
        return None

    def _by_name(self, key: Key, country: str | None) -> Match | None:
        found = self._index.candidates(key, MOST_CANDIDATES + 1)
        if len(found) > MOST_CANDIDATES:
            return None
        if country is None:
            return _only(found, 80)
        agreeing = [entity for entity in found if country in countries(entity)]
        return _only(agreeing, 95) or _only([entity for entity in found if not countries(entity)], 80)


def _only(found: Sequence[Entity], score: int) -> Match | None:
    return Match(found[0].id, "name", score) if len(found) == 1 else None


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


def normal_name(name: str) -> str:
    """Fold a name to what tells organisations apart: case, width, punctuation and legal forms go.

    A name that is nothing but legal forms keeps them.
    """
    if name.isascii():  # most names are: the same in one step
        words = kept = name.translate(_ASCII).split()
    else:
        folded = unicodedata.normalize("NFKC", name).casefold().translate(_LETTERS)
        words = "".join(letter if letter.isalnum() or _is_mark(letter) else " " for letter in folded).split()
        kept = [found for word in words if (found := _without_joined_forms(word))]
    return " ".join(_without_forms(kept) or words)


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter).startswith("M")


def _without_forms(words: list[str]) -> list[str]:
    kept = words.copy()
    while kept and kept[-1] in _TRAILING_FORMS:
        kept.pop()
        if kept[-1:] == ["and"]:
            kept.pop()
    while kept and kept[0] in _LEADING_FORMS:
        kept.pop(0)
    return kept


def _without_joined_forms(word: str) -> str:
    for form in _JOINED_FORMS:
        word = word.removesuffix(form).removeprefix(form)
    return word


def claim_keys(claim: Claim) -> list[Key]:
    """Return the keys by which a claim can find an organisation, the surest first."""
    return [*_claimed_identifiers(claim), *name_keys(claim.name or "")]


def entity_keys(entity: Entity) -> list[Key]:
    """Return the keys by which an entity is found, each once, the surest first; none for a natural person."""
    if entity.type == "person":
        return []
    ids = entity.identifiers
    keys = [*_identifier_keys(ids.lei, ids.registration_number, entity.country, ids.domain)]
    for name in (entity.name, *entity.aliases):
        keys += name_keys(name)
    return list(dict.fromkeys(keys)) if entity.aliases else keys


def name_keys(name: str) -> list[Key]:
    """Return the keys of a name, the surest first."""
    normal = normal_name(name)
    return [(NAME, normal)] if normal else []


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
