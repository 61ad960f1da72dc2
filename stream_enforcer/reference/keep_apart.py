"""The operator's word on which records are of different companies, where the data make one of them.

A line has one id, of a record that is never merged with any other, or two, of records that are not of one company.
Empty lines, and lines that begin with `#`, say nothing.
"""

from hashlib import sha256
from pathlib import Path

from stream_enforcer.domain.ownership.identity import NOTHING_APART, Apart
from stream_enforcer.reference.errors import BadReference


def read_keep_apart(path: Path | None) -> Apart:
    """Read a file of ids.

    Args:
        path: None keeps nothing apart.

    Raises:
        BadReference: It can't be read, or a line has more than two ids, or one id twice.
    """
    if path is None:
        return NOTHING_APART
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise BadReference(str(path), f"can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise BadReference(str(path), f"is not UTF-8: {error.reason}") from None
    alone: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    for number, line in enumerate(lines, start=1):
        match [] if line.startswith("#") else line.split():
            case []:
                pass
            case [one]:
                alone.add(one)
            case [one, other] if one != other:
                pairs |= {(one, other), (other, one)}
            case _:
                raise BadReference(str(path), "is neither one id nor two different ones", line=number)
    return Apart(frozenset(alone), frozenset(pairs))


def text_of(apart: Apart) -> bytes:
    """Return what is kept apart as bytes for a hash: the same for the same ids, nothing for none."""
    if apart == NOTHING_APART:
        return b""
    lines = sorted([*apart.alone, *("\0".join(pair) for pair in apart.pairs)])
    return "\n".join(["keep apart", *lines]).encode(errors="surrogatepass")


def digest_of(apart: Apart) -> str:
    """Return the SHA-256 (hex) of what is kept apart."""
    return sha256(text_of(apart)).hexdigest()
