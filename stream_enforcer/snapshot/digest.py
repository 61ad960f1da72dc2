"""Hashes by which ids, identifiers and names are found in a snapshot.

BLAKE2b, so that nobody can choose names that meet in one place. The first 64 bits are the key of an index (whoever
reads it compares the text too); while a file is built, all 128 stand for the text.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

ANYWHERE: Final = 0xFFFF
"""Stands for the country of every entity, where names are looked up without one."""
NOWHERE: Final = 0
"""Stands for the country of an entity of which none is known."""

SPREAD: Final = 0x9E37_79B9_7F4A_7C15
"""Spreads the country over the bits of a hash."""
_MASK: Final = (1 << 64) - 1
DIGEST: Final = 16


def digest(text: bytes) -> bytes:
    """Return the 128 bits that stand for a text."""
    return blake2b(text, digest_size=DIGEST).digest()


def key_of(text: str) -> int:
    """Return the 64 bits under which an id is found."""
    return int.from_bytes(digest(text.encode(errors="surrogatepass"))[:8], "little")


def identifier_text(key: Sequence[str]) -> bytes:
    """Return an identifier as the text that is hashed: its kind first, so that an LEI meets no domain."""
    return "\0".join(key).encode(errors="surrogatepass")


def name_key(name_hash: int, country: int) -> int:
    """Return the 64 bits under which a name in a country is found.

    Args:
        name_hash: First 64 bits of the digest of the normal name.
        country: As `country_code` gives it, or one of the two above.
    """
    return (name_hash ^ (country * SPREAD)) & _MASK


def country_code(country: str | None) -> int:
    """Pack a two-letter code into 16 bits."""
    if country is None:
        return NOWHERE
    first, second = country.encode("ascii")
    return first << 8 | second


def country_name(code: int) -> str | None:
    """Unpack a two-letter code."""
    if code == NOWHERE:
        return None
    return chr(code >> 8) + chr(code & 0xFF)
