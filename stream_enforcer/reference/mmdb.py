"""MaxMind DB files: opened from their bytes, told apart by what their records hold."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import Final, Literal

import maxminddb

from stream_enforcer.domain.countries import ISO_3166_1
from stream_enforcer.domain.geo import NetworkKind
from stream_enforcer.reference.cidr import Address
from stream_enforcer.reference.errors import BadReference

TableKind = Literal["country", "asn", "network"]
Fields = Mapping[str, object]

_SIGNS: Final[Mapping[TableKind, frozenset[str]]] = {
    "country": frozenset({"country", "country_code"}),
    "asn": frozenset({"autonomous_system_number", "asn"}),
    "network": frozenset(
        {
            "is_anonymous",
            "is_anonymous_vpn",
            "is_hosting_provider",
            "is_public_proxy",
            "is_residential_proxy",
            "is_tor_exit_node",
        }
    ),
}
_SAMPLE: Final = 1000
"""Records read to tell a file's kind: in country files the first ones may have no country."""
_MOST_LOOKUPS: Final = 100_000
"""Look-ups for them: most of a tree of single addresses is empty."""

_DAMAGE: Final = (maxminddb.InvalidDatabaseError, ValueError)
"""What the reader raises for a damaged file: a text or a network that makes no sense is a ValueError."""

_COUNTRIES: Final[Mapping[str, str]] = {code: code for code in ISO_3166_1}
"""One string object per country, for all remembered facts to share."""


@dataclass(frozen=True, slots=True)
class Mmdb:
    """An open MaxMind DB.

    Attributes:
        path: The file, as the operator gave it.
        kinds: What its records tell; one file may tell more than one thing.
        built_on: Day of its build in UTC (ISO date), from its metadata.
        reads_v6: Whether it can be asked for v6 addresses.
        reader: The open file.
    """

    path: str
    kinds: frozenset[TableKind]
    built_on: str
    reads_v6: bool
    reader: maxminddb.Reader

    def record(self, address: Address) -> Fields | None:
        """Return the record of an address, or None where the file has none.

        Raises:
            BadReference: The file is damaged at the place of this address.
        """
        if address.version == 6 and not self.reads_v6:
            return None
        try:
            record = self.reader.get(address)
        except _DAMAGE as error:
            raise BadReference(self.path, f"is damaged: {error}") from error
        return record if isinstance(record, dict) else None


def open_mmdb(path: str, content: bytes) -> Mmdb:
    """Open a MaxMind DB from its bytes and tell its kind.

    The reader works on a copy in memory, not on the file: a file that is replaced or cut while it is in use
    changes neither the answers nor the hash under which they were given.

    Args:
        path: Name of the file, for errors.
        content: The file's bytes, not compressed.

    Raises:
        BadReference: Not a MaxMind DB, cut short, damaged, or its records tell neither country, ASN nor
            anonymous networks.
    """
    try:
        with _named_copy(content) as name:
            reader = maxminddb.open_database(name)
    except maxminddb.InvalidDatabaseError:
        raise BadReference(
            path,
            "is not a MaxMind DB file, or is cut short (a CIDR list is given with its kind, as vpn=FILE)",
        ) from None
    try:
        keys = {key for record in islice(_records(reader), _SAMPLE) for key in record}
    except _DAMAGE as error:
        raise BadReference(path, f"is damaged: {error}") from error
    metadata = reader.metadata()
    kinds = frozenset(kind for kind, signs in _SIGNS.items() if keys & signs)
    if not kinds:
        raise BadReference(
            path,
            f"tells neither country, ASN nor anonymous networks (database_type {metadata.database_type!r})",
        )
    return Mmdb(path, kinds, _day(path, metadata.build_epoch), metadata.ip_version == 6, reader)


def _records(reader: maxminddb.Reader) -> Iterator[Fields]:
    """Yield the records of the tree, lowest address first, within a bounded number of look-ups.

    Not the reader's own iteration: on a damaged tree that runs in circles it writes past its memory.
    """
    make, width = (IPv6Address, 128) if reader.metadata().ip_version == 6 else (IPv4Address, 32)
    at = 0
    for _ in range(_MOST_LOOKUPS):
        if at >> width:
            return
        record, prefix = reader.get_with_prefix_len(make(at))
        if isinstance(record, dict):
            yield record
        at = ((at >> width - prefix) + 1) << width - prefix


@contextmanager
def _named_copy(content: bytes) -> Iterator[str]:
    if sys.platform == "linux":
        with os.fdopen(os.memfd_create("geo"), "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            yield file.name


def _day(path: str, epoch: int) -> str:
    try:
        return datetime.fromtimestamp(epoch, UTC).date().isoformat()
    except (OverflowError, OSError, ValueError):
        raise BadReference(path, f"is not a time: {epoch}", field="build_epoch") from None


def country_said(record: Fields) -> str | None:
    """Return the country code that a record gives, or None where it gives none.

    Reads MaxMind's and DB-IP's `country.iso_code`, and the flat `country_code` and `country`. MaxMind's
    `registered_country` is not read: it is where the network was registered, and that says nothing of where
    the user is.
    """
    code = record.get("country_code")
    if code is None:
        country = record.get("country")
        code = country.get("iso_code") if isinstance(country, dict) else country
    return code if isinstance(code, str) else None


def assigned(code: str) -> str | None:
    """Return an officially assigned country code as it is, and None for any other (ZZ, EU, AP, XK, "")."""
    return _COUNTRIES.get(code)


def asn_said(record: Fields) -> int | None:
    """Return the AS number of a record: MaxMind's integer, or IPinfo's "AS64496"."""
    number = record.get("autonomous_system_number")
    if isinstance(number, int):
        return number
    name = record.get("asn")
    if isinstance(name, str) and name.startswith("AS") and name[2:].isdecimal():
        return int(name[2:])
    return None


def network_said(record: Fields) -> NetworkKind | None:
    """Return the kind of network of an Anonymous-IP record, or None where no flag is set (absent is false).

    Proxies, residential ones too, count as "vpn": behind them the user's own place is not known either.
    """
    if record.get("is_tor_exit_node"):
        return "tor"
    if record.get("is_anonymous_vpn") or record.get("is_public_proxy") or record.get("is_residential_proxy"):
        return "vpn"
    if record.get("is_hosting_provider"):
        return "hosting"
    return "vpn" if record.get("is_anonymous") else None
