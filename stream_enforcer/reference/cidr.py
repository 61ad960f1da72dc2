"""Sets of address ranges: plain CIDR lists, and the addresses that are nobody's in public."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

from stream_enforcer.reference.errors import BadReference

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED: Final = 0xFFFF << 32
"""First address of ::ffff:0:0/96, where IPv6 writes IPv4 addresses."""


class Ranges:
    """A set of v4 and v6 addresses, kept as sorted, merged integer ranges; membership is one bisection.

    Args:
        networks: In any order; they may overlap. One inside ::ffff:0:0/96 counts as v4.
    """

    __slots__ = ("_ends4", "_ends6", "_starts4", "_starts6")

    def __init__(self, networks: Iterable[Network]) -> None:
        v4: list[tuple[int, int]] = []
        v6: list[tuple[int, int]] = []
        for network in networks:
            first, last = int(network.network_address), int(network.broadcast_address)
            if network.version == 4:
                v4.append((first, last))
            elif first >= _MAPPED and last <= _MAPPED + 0xFFFFFFFF:
                v4.append((first - _MAPPED, last - _MAPPED))
            else:
                v6.append((first, last))
        self._starts4, self._ends4 = _merged(v4)
        self._starts6, self._ends6 = _merged(v6)

    def __contains__(self, address: Address) -> bool:
        """Say whether an address, v4 or v6, lies in one of the ranges."""
        number = int(address)
        starts, ends = (self._starts4, self._ends4) if address.version == 4 else (self._starts6, self._ends6)
        at = bisect_right(starts, number) - 1
        return at >= 0 and number <= ends[at]

    def spans(self) -> Iterator[tuple[Address, Address]]:
        """Give the merged ranges as (first, last), v4 before v6, ascending."""
        for first, last in zip(self._starts4, self._ends4, strict=True):
            yield IPv4Address(first), IPv4Address(last)
        for first, last in zip(self._starts6, self._ends6, strict=True):
            yield IPv6Address(first), IPv6Address(last)


def _merged(ranges: list[tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    starts: list[int] = []
    ends: list[int] = []
    for first, last in sorted(ranges):
        if ends and first <= ends[-1] + 1:
            ends[-1] = max(ends[-1], last)
        else:
            starts.append(first)
            ends.append(last)
    return tuple(starts), tuple(ends)


def parse_cidrs(path: str, content: bytes) -> list[Network]:
    """Read a plain CIDR list: one network or address a line; `#` starts a comment; blank lines are skipped.

    Args:
        path: Name of the file, for errors.
        content: The file's bytes, UTF-8.

    Raises:
        BadReference: A line is neither a network nor an address, or has bits set to the right of its prefix.
    """
    networks: list[Network] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            entry = line.decode("utf-8").split("#", 1)[0].strip()
            if entry:
                networks.append(ip_network(entry))
        except UnicodeDecodeError:
            raise BadReference(path, "is not text, so not a CIDR list", line=number) from None
        except ValueError as error:
            raise BadReference(path, f"is not a CIDR network or an address: {error}", line=number) from None
    return networks


_NOT_PUBLIC: Final = Ranges(
    ip_network(network)
    for network in (
        # IANA IPv4 Special-Purpose Address Registry, the entries that are not globally reachable.
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "240.0.0.0/4"),
        # Multicast (RFC 5771), and the relay anycast that RFC 7526 took out of use.
        *("224.0.0.0/4", "192.88.99.0/24"),
        # IPv6: all but the global unicast block 2000::/3 (RFC 4291).
        *("::/3", "4000::/2", "8000::/1"),
        # Within it: protocol assignments with Teredo, documentation twice.
        *("2001::/23", "2001:db8::/32", "3fff::/20"),
    )
)


def is_public(address: Address) -> bool:
    """Say whether an address can be a user's own on the public internet.

    Private, reserved, documentation and multicast addresses are not. The list is fixed here, and not asked of
    `ipaddress`, whose answer differs between Python releases: the same world has to give the same facts.
    """
    return address not in _NOT_PUBLIC
