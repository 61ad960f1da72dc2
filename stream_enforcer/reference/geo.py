"""Loads the geo tables of a world: MaxMind DB files and plain CIDR lists."""

import hashlib
import io
import lzma
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final, Literal, cast, get_args

from stream_enforcer.domain.geo import IpFacts, NetworkKind
from stream_enforcer.reference.cidr import Address, Network, Ranges, is_public, parse_cidrs
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.mmdb import (
    Mmdb,
    TableKind,
    asn_said,
    assigned,
    country_said,
    network_said,
    open_mmdb,
)

ListKind = Literal["tor", "vpn", "hosting"]

_STRONGEST_FIRST: Final[tuple[ListKind, ...]] = get_args(ListKind)
_REMEMBERED: Final = 1 << 18
"""Addresses whose facts are kept: tens of megabytes at most."""
_XZ_MAGIC: Final = b"\xfd7zXZ\x00"
_MOST_UNPACKED: Final = 1 << 30
"""Bytes of an unpacked file: some ten times the largest tables there are. A few kilobytes can unpack to more."""
_KIND_PREFIX: Final = re.compile(r"([a-z]+)=(.+)")


class GeoTables:
    """Geo tables in memory; implements `stream_enforcer.domain.geo.GeoLookup`.

    Attributes:
        hash: SHA-256 hex over every source: its kind, its length and its bytes, in order.
        built_on: Day of the oldest country table (ISO date), or None without a country table.
        lookup: Give the facts of a v4 or v6 address; answers are remembered. Raises ValueError where the text
            is not an address.
    """

    __slots__ = ("built_on", "hash", "lookup")

    def __init__(self, tables: "_Tables", content_hash: str) -> None:
        days = [table.built_on for table in tables.country]
        self.hash: Final = content_hash
        self.built_on: Final = min(days, default=None)
        self.lookup: Final[Callable[[str], IpFacts]] = lru_cache(maxsize=_REMEMBERED)(tables.find)

    @property
    def has_country(self) -> bool:
        """Whether any table tells countries; without one, an unknown country says nothing of the address."""
        return self.built_on is not None


@dataclass(frozen=True, slots=True)
class _Tables:
    """The sources of each kind; of the files of one kind the last comes first."""

    country: tuple[Mmdb, ...]
    asn: tuple[Mmdb, ...]
    network: tuple[Mmdb, ...]
    lists: Mapping[ListKind, Ranges]

    def find(self, ip: str) -> IpFacts:
        address = _unmapped(_parse(ip))
        return IpFacts(self._country(address), self._asn(address), self._network(address))

    def _country(self, address: Address) -> str | None:
        if not is_public(address):
            return None
        for table in self.country:
            record = table.record(address)
            code = None if record is None else country_said(record)
            if code is not None:
                return assigned(code)
        return None

    def _asn(self, address: Address) -> int | None:
        for table in self.asn:
            record = table.record(address)
            number = None if record is None else asn_said(record)
            if number is not None:
                return number
        return None

    def _network(self, address: Address) -> NetworkKind:
        said = self._network_said(address)
        for kind in _STRONGEST_FIRST:
            if said == kind or (kind in self.lists and address in self.lists[kind]):
                return kind
        return "unknown"

    def _network_said(self, address: Address) -> NetworkKind | None:
        for table in self.network:
            record = table.record(address)
            kind = None if record is None else network_said(record)
            if kind is not None:
                return kind
        return None


def load_geo(sources: Sequence[str]) -> GeoTables:
    """Load geo tables.

    Of several files of one kind the last that has the address speaks; an address that it does not have is
    looked up in the one before, so that a v4 and a v6 file can be given side by side. CIDR lists of one kind
    add up. Of several kinds of network the strongest is told: tor, then vpn, then hosting. Private and
    reserved addresses have no country whatever a table says. A v4 address written as v6 (::ffff:0:0/96) is
    that v4 address.

    Args:
        sources: Each the path of an mmdb file (country or city, ASN, Anonymous-IP), or KIND=FILE with a plain
            CIDR list, KIND one of vpn, hosting and tor. Either may be compressed with xz.

    Raises:
        BadReference: A source is missing or can't be read as what it should be; names the file and the line.
    """
    digest = hashlib.sha256()
    files: list[Mmdb] = []
    lists: dict[ListKind, list[Network]] = {}
    for source in sources:
        kind, path = _split(source)
        content = read_source(path)
        digest.update(f"{kind or 'mmdb'}:{len(content)}:".encode())
        digest.update(content)
        if kind is None:
            files.append(open_mmdb(path, content))
        else:
            lists.setdefault(kind, []).extend(parse_cidrs(path, content))
    files.reverse()
    tables = _Tables(
        country=_of_kind(files, "country"),
        asn=_of_kind(files, "asn"),
        network=_of_kind(files, "network"),
        lists={kind: Ranges(networks) for kind, networks in lists.items()},
    )
    return GeoTables(tables, digest.hexdigest())


def _of_kind(files: Sequence[Mmdb], kind: TableKind) -> tuple[Mmdb, ...]:
    return tuple(file for file in files if kind in file.kinds)


def _split(source: str) -> tuple[ListKind | None, str]:
    prefixed = _KIND_PREFIX.fullmatch(source)
    if prefixed is None:
        return None, source
    kind, path = prefixed.groups()
    if kind not in _STRONGEST_FIRST:
        known = ", ".join(sorted(_STRONGEST_FIRST))
        raise BadReference(source, f"unknown kind of list {kind!r} (known: {known})")
    return cast("ListKind", kind), path


def read_source(path: str) -> bytes:
    """Read a source's file whole, unpacked where it is compressed with xz.

    Raises:
        BadReference: The file can't be read, or its compressed content is damaged.
    """
    try:
        content = Path(path).read_bytes()
        return _unpacked(path, content) if content.startswith(_XZ_MAGIC) else content
    except OSError as error:
        raise BadReference(path, f"can't be read: {error.strerror}") from error
    except (lzma.LZMAError, EOFError) as error:
        raise BadReference(path, f"is not a whole xz file: {error}") from error


def _unpacked(path: str, content: bytes) -> bytes:
    with lzma.open(io.BytesIO(content)) as file:
        unpacked = file.read(_MOST_UNPACKED + 1)
    if len(unpacked) > _MOST_UNPACKED:
        raise BadReference(path, f"unpacks to more than {_MOST_UNPACKED} bytes")
    return unpacked


def _parse(ip: str) -> Address:
    # Four times as fast as ip_address(text), which counts on a stream whose every third address is new.
    try:
        if ":" in ip:
            return IPv6Address(inet_pton(AF_INET6, ip))
        return IPv4Address(inet_pton(AF_INET, ip))
    except OSError as error:
        raise ValueError(f"{ip!r} is not an address") from error


def _unmapped(address: Address) -> Address:
    return address if address.version == 4 else address.ipv4_mapped or address
