"""Real IP addresses by country, drawn from the demo's geo tables."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path
from random import Random
from typing import Final

from stream_enforcer.demo.data import country_files, hosting_file
from stream_enforcer.reference.cidr import Address, Network, Ranges, is_public, parse_cidrs
from stream_enforcer.reference.geo import read_source
from stream_enforcer.reference.mmdb import Mmdb, assigned, country_said, open_mmdb

_PROBES: Final = {4: 30_000, 6: 60_000}
"""Random addresses looked up to find networks: enough for dozens in a country of ten million addresses."""
_REGISTRIES: Final = tuple(0x2400 + step for step in (0x0, 0x200, 0x400, 0x600, 0x800))
"""First 16 bits of the v6 blocks of the five registries: 2400::/12, 2600::/12, 2800::/12, 2a00::/12, 2c00::/12."""
_NORTH_KOREA: Final = IPv4Address("175.45.176.0")
"""All of the country's v4 space is the /22 that starts here; chance would not find it."""


@dataclass(frozen=True, slots=True)
class AddressBook:
    """Real networks, sampled.

    Attributes:
        homes: By country, networks that are not a cloud provider's.
        clouds: A sample of the cloud providers' networks with the country that the tables give them.
        hosting: All networks of the cloud providers.
    """

    homes: Mapping[str, Sequence[Network]]
    clouds: Sequence[tuple[Network, str]]
    hosting: Ranges

    def at_home(self, country: str, rng: Random) -> str:
        """Draw a public address of a country, outside the cloud providers' networks."""
        while True:
            address = _within(rng.choice(self.homes[country]), rng)
            if is_public(address) and address not in self.hosting:
                return str(address)

    def in_the_cloud(self, rng: Random) -> tuple[str, str]:
        """Draw a cloud provider's address; return it and its country."""
        network, country = rng.choice(self.clouds)
        return str(_within(network, rng)), country


def address_book(rng: Random, *, restricted: Container[str]) -> AddressBook:
    """Sample the demo's tables.

    Args:
        rng: The same state gives the same book.
        restricted: Countries of which no cloud network is taken.

    Returns:
        Networks of every country that 90,000 random looks find, and of North Korea.
    """
    tables = {table.reads_v6: table for table in map(_opened, country_files())}
    listed = parse_cidrs(str(hosting_file()), read_source(str(hosting_file())))
    hosting = Ranges(listed)
    homes: dict[str, list[Network]] = {}
    for probe in _probes(rng):
        found = _look(tables, probe)
        if found and is_public(probe) and probe not in hosting:
            homes.setdefault(found[1], []).append(found[0])
    clouds: list[tuple[Network, str]] = []
    for network in _some(listed, rng):
        found = _look(tables, network.network_address)
        if found and found[1] not in restricted:
            clouds.append((max(network, found[0], key=lambda either: either.prefixlen), found[1]))
    return AddressBook(homes, clouds, hosting)


def _opened(path: Path) -> Mmdb:
    return open_mmdb(str(path), read_source(str(path)))


def _probes(rng: Random) -> Iterator[Address]:
    yield _NORTH_KOREA
    for _ in range(_PROBES[4]):
        yield IPv4Address(rng.getrandbits(32))
    for _ in range(_PROBES[6]):
        yield IPv6Address(rng.choice(_REGISTRIES) + rng.getrandbits(4) << 112 | rng.getrandbits(16) << 96)


def _some(listed: Sequence[Network], rng: Random) -> list[Network]:
    v4 = [network for network in listed if network.version == 4]
    v6 = [network for network in listed if network.version == 6]
    return rng.sample(v4, 300) + rng.sample(v6, 100)


def _look(tables: Mapping[bool, Mmdb], address: Address) -> tuple[Network, str] | None:
    """Return the network that a table has for an address, and its country."""
    record, prefix = tables[address.version == 6].reader.get_with_prefix_len(address)
    code = country_said(record) if isinstance(record, dict) else None
    country = None if code is None else assigned(code)
    return None if country is None else (ip_network((int(address), prefix), strict=False), country)


def _within(network: Network, rng: Random) -> Address:
    return network[rng.randrange(network.num_addresses)]
