"""The entities and persons of BODS as entities of the ownership graph."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from stream_enforcer.domain.ownership.graph import Entity, EntityType, Identifiers
from stream_enforcer.reference.country_names import country_code

_TYPES: Final[Mapping[str, EntityType]] = {
    "registeredEntity": "company",
    "legalEntity": "company",
    "arrangement": "company",
    "state": "state",
    "stateBody": "state",
}
_LEI: Final = "XI-LEI"


def entity_of(record: str, details: Mapping[str, Any], fault: Callable[[str], None]) -> Entity:
    """Return the entity of a record.

    BODS has no field for headquarters; publications made from LEI data put it in the address of type
    "business". Without a jurisdiction, the registered address says where it is registered.

    Args:
        record: Its id.
        details: What the record says.
        fault: Is told of what can't be read.
    """
    jurisdiction = details.get("jurisdiction") or details.get("incorporatedInJurisdiction")
    country = _country(jurisdiction or _address(details, "registered"), fault)
    known = [_mapping(identifier) for identifier in _list(details.get("identifiers"))]
    lei, number = _identifiers(known, country)
    return Entity(
        id=record,
        name=_text(details.get("name")) or record,
        type=_type(details.get("entityType")),
        country=country,
        headquarters=_country(_address(details, "business"), fault),
        aliases=tuple(name for name in map(_text, _list(details.get("alternateNames"))) if name),
        identifiers=Identifiers(lei=lei, registration_number=number),
        same_as=tuple(dict.fromkeys(name for identifier in known for name in _names(identifier))),
    )


def person_of(record: str, details: Mapping[str, Any]) -> Entity:
    """Return a natural person: a name, and neither nationality nor address."""
    names = (_text(_mapping(name).get("fullName")) for name in _list(details.get("names")))
    return Entity(id=record, name=next(filter(None, names), record), type="person")


def _type(value: object) -> EntityType:
    return _TYPES.get(str(_mapping(value).get("type") if isinstance(value, dict) else value), "unknown")


def _country(value: object, fault: Callable[[str], None]) -> str | None:
    code = country_code(value)
    if code is None and value:
        fault("country in words that are not known")
    return code


def _address(details: Mapping[str, Any], kind: str) -> object:
    addresses = [_mapping(address) for address in _list(details.get("addresses"))]
    return next((a["country"] for a in addresses if a.get("type") == kind and a.get("country")), None)


def _names(identifier: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids that other publications could give a record with an identifier.

    These are an LEI, an address, and scheme and number joined as org-id.guide does. A number alone means too much.
    """
    scheme, number, uri = (_text(identifier.get(key)) for key in ("scheme", "id", "uri"))
    if scheme and number:
        yield number if scheme == _LEI else f"{scheme}-{number}"
    yield from (text for text in (number, uri) if text and "://" in text)


def _identifiers(found: Iterable[Mapping[str, Any]], country: str | None) -> tuple[str | None, str | None]:
    """Return the LEI and the registration number, a scheme of the entity's own country first."""
    known = [(str(item.get("scheme") or ""), _text(item.get("id"))) for item in found]
    lei = next((number for scheme, number in known if scheme == _LEI and number), None)
    own = [number for scheme, number in known if country and scheme.startswith(f"{country}-") and number]
    others = [number for scheme, number in known if scheme != _LEI and number]
    return lei, next(iter(own + others), None)


def _text(value: object) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
