"""An account as bytes: what the changelog holds of it.

A state is a JSON array that begins with the number of its format. `encode` writes the newest format; `decode`
reads every format that has a reader here, so that a new version starts on what an old one wrote.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from stream_enforcer.domain.account import Account, Action, DatedClaim, Evidence, HeldOverride, Sighting
from stream_enforcer.domain.events import LATEST_MS, MS_PER_DAY
from stream_enforcer.domain.geo import NetworkKind
from stream_enforcer.domain.ownership.resolve import Claim

FORMAT: Final = 1


def encode(account: Account) -> bytes:
    """Encode an account for the changelog, in the newest format: the same bytes for equal accounts."""
    e = account.evidence
    claims = [[d.occurred_at, d.event_id, *_claim_fields(d.claim)] for d in e.claims]
    evidence = [
        e.clock,
        e.signup,
        e.usage,
        e.declared,
        e.billing,
        e.phone,
        e.domains,
        claims,
        e.claimed,
        e.overflowed,
    ]
    last = [
        account.standing,
        account.sequence,
        account.decision_id,
        account.action,
        account.review,
        account.codes,
    ]
    return orjson.dumps([FORMAT, evidence, e.override, last], default=tuple)


def _claim_fields(claim: Claim) -> tuple[str | None, ...]:
    return (
        claim.name,
        claim.country,
        claim.lei,
        claim.registration_number,
        claim.registration_country,
        claim.domain,
    )


class UnknownFormat(ValueError):
    """An account's state has a format that this version does not read, or is not what its format says."""


def decode(value: bytes) -> Account:
    """Decode what `encode` of this version, or of one whose format is still read, wrote.

    Raises:
        UnknownFormat: It is no such state. The text holds nothing of what it says.
    """
    head = value.split(b",", 1)[0]
    read = _READERS.get(head)
    if read is None:
        number = _NUMBER.fullmatch(head)
        what = f"an account state has format {number[1].decode()}" if number else "this is no account state"
        raise UnknownFormat(f"{what}; this version reads format {_READ}")
    try:
        return read(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UnknownFormat(
            f"an account state is not what its format says: {place}: {first['msg']}"
        ) from None


_Day = Annotated[int, Field(ge=0, lt=LATEST_MS // MS_PER_DAY)]
_Ms = Annotated[int, Field(ge=0, lt=LATEST_MS)]
_Texts = tuple[str, ...]
_Sighting1 = tuple[str, NetworkKind, tuple[_Day, ...]]
_Claim1 = tuple[_Ms, str, str | None, str | None, str | None, str | None, str | None, str | None]
_Evidence1 = tuple[
    _Day,
    tuple[_Sighting1, ...],
    tuple[_Sighting1, ...],
    _Texts,
    _Texts,
    _Texts,
    _Texts,
    tuple[_Claim1, ...],
    _Texts,
    bool,
]
_Override1 = tuple[_Ms, str, str, Literal["allow", "suspend", "none"], _Ms | None, _Texts | None, str | None]
_Last1 = tuple[Action, Annotated[int, Field(ge=0, lt=1 << 53)], str, Action | None, bool, _Texts]
_STATE_1: Final = TypeAdapter[Any](
    tuple[Literal[1], _Evidence1, _Override1 | None, _Last1], config=ConfigDict(strict=True)
).validator


def _read_1(value: bytes) -> Account:
    _, evidence, override, last = _STATE_1.validate_json(value)
    clock, signup, usage, declared, billing, phone, domains, claims, claimed, overflowed = evidence
    found = Evidence(
        clock=clock,
        signup=_sightings(signup),
        usage=_sightings(usage),
        declared=declared,
        billing=billing,
        phone=phone,
        domains=domains,
        claims=tuple([DatedClaim(at, event_id, Claim(*fields)) for at, event_id, *fields in claims]),
        claimed=claimed,
        overflowed=overflowed,
        override=None if override is None else HeldOverride(*override),
    )
    return Account(_shared(found), *last)


def _sightings(rows: tuple[_Sighting1, ...]) -> tuple[Sighting, ...]:
    return tuple([Sighting(*row) for row in rows])


@lru_cache(maxsize=1 << 16)
def _shared(evidence: Evidence) -> Evidence:
    return evidence


_READERS: Final[Mapping[bytes, Callable[[bytes], Account]]] = MappingProxyType({b"[1": _read_1})
"""The reader of each format, by the bytes that a state of it begins with."""
_READ: Final = ", ".join(head[1:].decode() for head in _READERS)
_NUMBER: Final = re.compile(rb"\[(\d{1,9})")
