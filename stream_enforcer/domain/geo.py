"""What an IP address says: country, network and the kind of network."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

NetworkKind = Literal["residential", "hosting", "vpn", "tor", "unknown"]

ANONYMOUS: Final[frozenset[NetworkKind]] = frozenset({"hosting", "vpn", "tor"})
"""Kinds behind which the user's own location is not known. They add suspicion and never clear anything."""


@dataclass(frozen=True, slots=True)
class IpFacts:
    """What the geo tables say of one address.

    Attributes:
        country: ISO 3166-1 alpha-2, or None where no table has one (private and reserved addresses included).
        asn: Autonomous system number, or None.
        network: Kind of network; "unknown" unless a table says what it is.
    """

    country: str | None
    asn: int | None
    network: NetworkKind


class GeoLookup(Protocol):
    """The geo tables of a world, loaded elsewhere; to the core a pure function of the address."""

    @property
    def hash(self) -> str:
        """SHA-256 hex over every source."""

    @property
    def built_on(self) -> str | None:
        """Day of the oldest country table (ISO date), or None where the world has no country table."""

    def lookup(self, ip: str, /) -> IpFacts:
        """Return the facts of a syntactically valid v4 or v6 address."""
