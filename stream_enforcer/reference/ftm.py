"""FollowTheMoney entities, as OpenSanctions and Aleph publish them: parties, and ownerships between them.

A property has a list of texts. Field meanings: the FollowTheMoney schemata LegalEntity, Company and Ownership.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from stream_enforcer.domain.ownership.graph import Entity, EntityType, Identifiers, Listing, Stake
from stream_enforcer.reference.bods_shares import SkippedError, day_of
from stream_enforcer.reference.country_names import country_code
from stream_enforcer.reference.ftm_shares import band_of
from stream_enforcer.reference.reading import Sink, later
from stream_enforcer.reference.report import Origin

# A legal entity may be a person or a company.
_TYPES: Final[Mapping[str, EntityType]] = {
    "Company": "company",
    "Organization": "company",
    "PublicBody": "state",
    "LegalEntity": "unknown",
    "Person": "person",
}

# Topics that mean an entry on a list, in the words of the native records. Others, such as that someone is a bank or
# in politics, are descriptions: they are no reason to look at an account.
_LISTS: Final[Mapping[str, str]] = {
    "sanction": "sanction",
    "sanction.linked": "sanction.linked",
    "mil": "military",
    "export.control": "export.control",
    "export.control.linked": "export.control.linked",
    "debarment": "debarment",
    "asset.frozen": "asset.frozen",
}
_NAMES: Final = ("name", "alias", "weakAlias", "previousName")
_REGISTRATION: Final = ("registrationNumber", "ogrnCode", "uscCode", "innCode")

_READ: Final = frozenset(
    {
        *_NAMES,
        *_REGISTRATION,
        *("jurisdiction", "mainCountry", "country", "topics", "leiCode"),
        *("owner", "asset", "percentage", "startDate", "endDate", "sourceUrl", "publisherUrl"),
    }
)

_Properties = Mapping[str, list[str]]


class FtmReader:
    """Takes objects of any number of files; a later one with the same id replaces an earlier one.

    Attributes:
        as_of: The newest day on which an object was seen.
    """

    def __init__(self, sink: Sink) -> None:
        self.as_of: str | None = None
        self._sink = sink

    def statement(self, record: Mapping[str, Any], origin: Origin) -> None:
        """Take an object."""
        name, schema = record.get("id"), record.get("schema")
        if not isinstance(name, str) or not name or not isinstance(schema, str):
            origin.fault("object without an id or a schema")
            return
        self.as_of = later(self.as_of, day_of(record.get("last_seen")))
        properties = _properties(record)
        if schema in _TYPES:
            entity = _entity(name, record.get("caption"), _TYPES[schema], properties, origin)
            self._sink.entity(replace(entity, same_as=_referents(record)))
        elif schema == "Ownership":
            try:
                self._sink.stake(_stake(name, properties, origin))
            except SkippedError as reason:
                self._sink.no_stake(name)
                origin.fault(str(reason))
                return
        else:
            origin.pass_over("object that is neither a party nor an ownership")
            return
        origin.tally.used += 1


def _referents(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids that a party had before its records were merged."""
    found = record.get("referents")
    return tuple(dict.fromkeys(_texts(found))) if isinstance(found, list) else ()


def _properties(record: Mapping[str, Any]) -> _Properties:
    """Return the texts of each property; in a nested object, the ids of the objects that stand in it."""
    found = record.get("properties")
    given = found if isinstance(found, dict) else {}
    return {key: _texts(values) for key, values in given.items() if key in _READ}


def _texts(values: object) -> list[str]:
    items = values if isinstance(values, list) else [values]
    found = (item.get("id") if isinstance(item, dict) else item for item in items)
    return [text.strip() for text in found if isinstance(text, str) and text.strip()]


def _entity(name: str, caption: object, kind: EntityType, properties: _Properties, origin: Origin) -> Entity:
    """Return a party. The main country of a company stands for its headquarters, for which there is no property."""
    names = list(dict.fromkeys(text for key in _NAMES for text in properties.get(key, ())))
    called = caption.strip() if isinstance(caption, str) else ""
    title = called or next(iter(names), name)
    aliases = tuple(alias for alias in names if alias != title)
    if kind == "person":
        return Entity(name, title, kind, aliases=aliases, listings=_listings(properties))
    main = _country(properties, "mainCountry", origin)
    country = _country(properties, "jurisdiction", origin) or main or _country(properties, "country", origin)
    return Entity(
        id=name,
        name=title,
        type=kind,
        country=country,
        headquarters=main,
        aliases=aliases,
        identifiers=Identifiers(_first(properties, ("leiCode",)), _first(properties, _REGISTRATION)),
        listings=_listings(properties),
    )


def _country(properties: _Properties, key: str, origin: Origin) -> str | None:
    """Return the one country that a property names."""
    codes = {country_code(value) for value in properties.get(key, ())}
    if None in codes:
        origin.fault("country that is not known")
    known = codes - {None}
    if len(known) > 1:
        origin.remark("party with several countries, of which none was taken")
    return next(iter(known)) if len(known) == 1 else None


def _first(properties: _Properties, keys: tuple[str, ...]) -> str | None:
    return next((value for key in keys for value in properties.get(key, ())), None)


def _listings(properties: _Properties) -> tuple[Listing, ...]:
    found = {_LISTS[topic] for topic in properties.get("topics", ()) if topic in _LISTS}
    return tuple(Listing(topic) for topic in sorted(found))


def _stake(name: str, properties: _Properties, origin: Origin) -> Stake:
    owners, assets = (set(properties.get(key, ())) for key in ("owner", "asset"))
    if len(owners) != 1 or len(assets) != 1:
        raise SkippedError("ownership without one owner and one asset")
    shares = properties.get("percentage", [])
    band = band_of(shares)
    if band.fraction:
        origin.remark("share below 1 that may be a fraction, taken as either")
    starts, ends = (_days(properties.get(key, ())) for key in ("startDate", "endDate"))
    since, until = min(starts, default=None), max(ends, default=None)
    if since is not None and until is not None and until < since:
        raise SkippedError("ownership that ends before it begins")
    source = _first(properties, ("sourceUrl", "publisherUrl")) or f"ftm:{name}"
    return Stake(name, owners.pop(), assets.pop(), band.min, band.max, since, until, source)


def _days(values: "list[str] | tuple[()]") -> list[str]:
    days = [day_of(value) for value in values]
    if None in days:
        raise SkippedError("date that can't be read")
    return [day for day in days if day is not None]
