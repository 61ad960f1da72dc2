"""From what an account claims of its organisation to the entity that it is."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

from stream_enforcer.domain.ownership.graph import Entity, Index, OwnershipGraph

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
        registration_country = claim.registration_country or claim.country
        for key in identifier_keys(claim.lei, claim.registration_number, registration_country, claim.domain):
            entity = self._index.identified(key)
            if entity is not None:
                return Match(entity, "identifier", 100)
        return self._by_name(claim)

    def _by_name(self, claim: Claim) -> Match | None:
        name = normal_name(claim.name) if claim.name is not None else ""
        if not name:
            return None
        if claim.country is None:
            return _only(self._index.anywhere(name), 80)
        agreeing = self._index.in_country(name, claim.country)
        return _only(agreeing, 95) if agreeing else _only(self._index.in_no_country(name), 80)


def _only(found: Sequence[Entity], score: int) -> Match | None:
    return Match(found[0].id, "name", score) if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class _MemoryIndex:
    _identified: Mapping[tuple[str, ...], str]
    _named: Mapping[str, tuple[Entity, ...]]

    @classmethod
    def build(cls, graph: OwnershipGraph) -> Self:
        identified: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        named: defaultdict[str, dict[str, Entity]] = defaultdict(dict)
        for entity in graph.entities.values():
            if entity.type == "person":
                continue
            for key in entity_keys(entity):
                identified[key].add(entity.id)
            for name in (entity.name, *entity.aliases):
                named[normal_name(name)][entity.id] = entity
        return cls(
            {key: next(iter(found)) for key, found in identified.items() if len(found) == 1},
            {name: tuple(entities.values()) for name, entities in named.items()},
        )

    def identified(self, key: tuple[str, ...]) -> str | None:
        return self._identified.get(key)

    def in_country(self, name: str, country: str) -> Sequence[Entity]:
        return [entity for entity in self.anywhere(name) if country in countries(entity)]

    def in_no_country(self, name: str) -> Sequence[Entity]:
        return [entity for entity in self.anywhere(name) if not countries(entity)]

    def anywhere(self, name: str) -> Sequence[Entity]:
        return self._named.get(name, ())


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


def identifier_keys(
    lei: str | None, number: str | None, country: str | None, domain: str | None
) -> list[tuple[str, ...]]:
    """Return the keys of an entity or a claim, the surest first."""
    keys: list[tuple[str, ...]] = []
    if lei and lei.strip():
        keys.append(("lei", lei.strip().upper()))
    if number and number.strip() and country:
        keys.append(("registration", country.strip().upper(), number.strip().upper()))
    if domain and domain.strip():
        keys.append(("domain", domain.strip().lower().removesuffix(".").removeprefix("www.")))
    return keys


def entity_keys(entity: Entity) -> list[tuple[str, ...]]:
    """Return the keys by which an entity is identified, the surest first."""
    ids = entity.identifiers
    return identifier_keys(ids.lei, ids.registration_number, entity.country, ids.domain)


def countries(entity: Entity) -> set[str]:
    """Return where an entity is registered and seated, as far as known."""
    return {country for country in (entity.country, entity.headquarters) if country is not None}
