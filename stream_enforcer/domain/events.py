"""Bytes to events: the one place where input is validated."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv6Address
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from stream_enforcer.domain.countries import ISO_3166_1
from stream_enforcer.domain.framing import FRAME_BYTES, FRAMED_BELOW
from stream_enforcer.domain.records import Record

EventKind = Literal["signup", "usage", "override"]

EARLIEST_MS: Final = 946_684_800_000  # 2000-01-01T00:00:00Z
LATEST_MS: Final = 4_133_980_800_000  # 2101-01-01T00:00:00Z, exclusive
MS_PER_DAY: Final = 86_400_000
# The ISO forms that Python reads beside these (no colons, a comma, no seconds) are not RFC 3339.
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
).fullmatch
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def _epoch_ms(value: object) -> int:
    if isinstance(value, str):
        if _RFC3339(value) is None:
            raise PydanticCustomError("bad_time", "not an RFC 3339 time with an offset or Z")
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError as error:
            raise PydanticCustomError("bad_time", "no such day, time or offset") from error
        value = (moment - _EPOCH) // _MS
    if type(value) is not int:
        raise PydanticCustomError(
            "bad_time", "neither an RFC 3339 string nor an integer of epoch milliseconds"
        )
    if not EARLIEST_MS <= value < LATEST_MS:
        raise PydanticCustomError("bad_time", "outside the years 2000 to 2100")
    return value


def _country(value: str) -> str:
    code = value.upper()
    # Capitals of other letters can make a code: the ligature "fi" becomes FI, a sharp s SS.
    if code not in ISO_3166_1 or not value.isascii():
        raise PydanticCustomError("unknown_country", "not an ISO 3166-1 alpha-2 code")
    return code


# Checked by pattern, because parsing every address of a stream costs more than all else of its validation.
_IPV4: Final = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}", re.ASCII)


def _ip(value: str) -> str:
    if not (_IPV4.fullmatch(value) or _is_ipv6(value)):
        raise PydanticCustomError("bad_ip", "not an IPv4 or IPv6 address")
    return value


@lru_cache(maxsize=1 << 16)
def _is_ipv6(value: str) -> bool:
    # A zone index names an interface of one machine, not an address.
    if "%" in value:
        return False
    try:
        IPv6Address(value)
    except ValueError:
        return False
    return True


Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64, to_upper=True, strip_whitespace=True)]
Domain = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253, to_lower=True, strip_whitespace=True, pattern=r"^\S+$"),
]
Country = Annotated[
    str,
    AfterValidator(_country),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{2}$", "description": "ISO 3166-1 alpha-2"}),
]
Ip = Annotated[
    str,
    AfterValidator(_ip),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
]
Moment = Annotated[
    int,
    BeforeValidator(_epoch_ms),
    WithJsonSchema(
        {
            "description": "RFC 3339, or epoch milliseconds; years 2000 to 2100",
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": EARLIEST_MS, "exclusiveMaximum": LATEST_MS},
            ],
        }
    ),
]
Count = Annotated[int, Field(ge=0, le=10**15)]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    event_id: Identifier
    account_id: Identifier
    occurred_at: Moment
    ip: Ip | None = None


class Organization(BaseModel):
    """The organisation that a signup claims to act for."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    name: Text
    country: Country | None = None
    lei: Code | None = None
    registration_number: Code | None = None
    registration_country: Country | None = None
    domain: Domain | None = None


class Signup(_Event):
    """An account was created, or said again who it is."""

    type: Literal["signup"]
    email_domain: Domain | None = None
    declared_country: Country | None = None
    billing_country: Country | None = None
    phone_country: Country | None = None
    organization: Organization | None = None


class Usage(_Event):
    """An account used the service once."""

    type: Literal["usage"]
    model: Text | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost_usd_micros: Count | None = None


class Override(_Event):
    """Two people decided about an account; `none` lifts what an earlier override set."""

    type: Literal["override"]
    override_id: Identifier
    action: Literal["allow", "suspend", "none"]
    reason: Text
    requested_by: Identifier
    approved_by: Identifier
    expires_at: Moment | None = None
    # The first bad rule is enough: a megabyte of them would be a million errors and seconds of work.
    rules: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=64, fail_fast=True)] | None = None
    evidence_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _two_people(self) -> "Override":
        if self.requested_by == self.approved_by:
            raise PydanticCustomError("same_person", "approved_by must differ from requested_by")
        return self


Event = Signup | Usage | Override

MODELS: Final[Mapping[EventKind, type[Event]]] = MappingProxyType(
    {"signup": Signup, "usage": Usage, "override": Override}
)


class Malformed(NamedTuple):
    """Why a record cannot be judged.

    Attributes:
        stage: Where it failed: "decode" (not JSON text) or "validate" (JSON, but not such an event).
        error: A short class, fit for a metric label.
        message: What is wrong and in which field; never the value itself.
    """

    stage: Literal["decode", "validate"]
    error: str
    message: str


class _Typed(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    type: EventKind


_TOMBSTONE: Final = Malformed("decode", "tombstone", "an input record without a value says nothing")
_KEY: Final = Malformed("validate", "key_mismatch", "the record's key is not its account_id")


def decode(record: Record, kind: EventKind | None) -> Event | Malformed:
    """Read one record as an event.

    Args:
        record: The record; its key must be the UTF-8 account_id, its value JSON, with or without the frame of a
            schema registry.
        kind: What the topic carries; None where one file carries all kinds and `type` alone tells.

    Returns:
        The event, or why it is malformed. Nothing is raised for bad input.
    """
    value = record.value
    if value is None:
        return _TOMBSTONE
    if value < FRAMED_BELOW:  # `unframed`, without its call for every record
        value = value[FRAME_BYTES:]
    try:
        model = MODELS[kind or _Typed.__pydantic_validator__.validate_json(value).type]
        # The validator itself: `model_validate_json` costs half as much again per record.
        event: Event = model.__pydantic_validator__.validate_json(value)
    except ValidationError as error:
        return _explain(error)
    return event if record.key == event.account_id.encode() else _KEY


def _explain(error: ValidationError) -> Malformed:
    first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    kind, message = first["type"], first["msg"]
    if kind == "json_invalid":
        return Malformed("decode", kind, message)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return Malformed("validate", kind, f"{place}: {message}{more}" if place else f"{message}{more}")


def rfc3339(epoch_ms: int) -> str:
    """Write epoch milliseconds as RFC 3339 in UTC, always with milliseconds, so that equal times are equal text."""
    # By hand, because datetime's own way was a fifteenth of all time spent on an event that is decided.
    day, ms = divmod(epoch_ms, MS_PER_DAY)
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{iso_day(day)}T{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{ms:03d}Z"


@lru_cache(maxsize=1 << 12)
def iso_day(epoch_day: int) -> str:
    """Write days since 1970-01-01 as an ISO date."""
    return datetime.fromtimestamp(epoch_day * 86_400, UTC).date().isoformat()
