"""Hashes by which ids, identifiers and names are found in a snapshot.

BLAKE2b, so that nobody can choose names that meet in one place. The first 64 bits are the key of an index (whoever
reads it compares the text too); while a file is built, all 128 stand for the text.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

NOWHERE: Final = 0
"""Stands for the country of an entity of which none is known."""

DIGEST: Final = 16


def digest(text: bytes) -> bytes:
    """Return the 128 bits that stand for a text."""
    return blake2b(text, digest_size=DIGEST).digest()


def key_of(text: str) -> int:
    """Return the 64 bits under which an id is found."""
    return int.from_bytes(digest(text.encode(errors="surrogatepass"))[:8], "little")


def digest_of_key(key: Sequence[str]) -> bytes:
    """Return the 128 bits of an identifier or name: its kind is part of it, so that an LEI meets no domain."""
    return digest("\0".join(key).encode(errors="surrogatepass"))


def country_code(country: str | None) -> int:
    """Pack a two-letter code into 16 bits."""
    if country is None:
        return NOWHERE
    first, second = country.encode("ascii")
    return first << 8 | second


@lru_cache(1 << 10)
def country_name(code: int) -> str | None:
    """Unpack a two-letter code."""
    if code == NOWHERE:
        return None
    return chr(code >> 8) + chr(code & 0xFF)
