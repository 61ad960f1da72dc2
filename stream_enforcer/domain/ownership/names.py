"""Names of organisations, folded to what tells them apart, and the keys under which they are found.

`rigour` folds legal forms, words and scripts; what is used of it is pure. What it leaves to us: letters that Arabic
and Persian keyboards write with different code points, legal forms that East Asian names have without a space, a
Roman two, which it takes for a legal form, and English words for "company", which it does not.
"""

import re
import unicodedata
from collections.abc import Sequence
from string import digits
from typing import Final

from rigour.names import extract_org_types, remove_org_types, tokenize_name
from rigour.text.phonetics import metaphone
from rigour.text.translit import maybe_ascii

from stream_enforcer.domain.ownership.graph import Key

NAME: Final = "name"
"""Kind of the keys of names; every other kind is of an identifier."""
_SOUND: Final = "sound"
_SHORT: Final = 6

_COMPANY: Final = frozenset(["co", "company", "corp", "corporation", "pte", "pty", "sdn", "asa"])
_FILLING: Final = frozenset(["the", "and", "of", "for"])
_UNSPACED_FORMS: Final = re.compile("(股份有限公司|有限责任公司|有限公司|株式会社|주식회사)")
_TWO: Final = re.compile(r"\bii\b")
_LETTERS: Final = str.maketrans(
    {
        "\u064a": "\u06cc",  # yeh
        "\u0649": "\u06cc",  # alef maksura
        "\u0643": "\u06a9",  # kaf
        "\u0629": "\u0647",  # teh marbuta
        "\u0622": "\u0627",  # alef with madda
        "\u0623": "\u0627",  # alef with hamza above
        "\u0625": "\u0627",  # alef with hamza below
        **{chr(zero + digit): str(digit) for zero in (0x0660, 0x06F0) for digit in range(10)},
    }
)


def words_of(name: str) -> list[str]:
    """Return the words of a name that tell organisations apart: case, accents, script and legal forms go.

    A name that is nothing but legal forms keeps them. Latin, Cyrillic, Greek, Armenian, Georgian and Hangul letters
    come to be ASCII; other scripts stay.
    """
    text = _folded(name)
    spaced = text if name.isascii() else _UNSPACED_FORMS.sub(" ", text)
    words = _latin(tokenize_name(remove_org_types(spaced)))
    if (
        "." in text or not text.isascii()
    ):  # "o.O.O." is a form without its dots, and others are in Latin letters
        words = tokenize_name(remove_org_types(" ".join(words)))
    while words and words[-1] in _COMPANY:
        words.pop()
    return [word for word in words if word not in _FILLING] or _latin(tokenize_name(text))


def _folded(name: str) -> str:
    plain = name.isascii()  # most names are
    text = name.lower() if plain else unicodedata.normalize("NFKC", name).casefold().translate(_LETTERS)
    return _TWO.sub("2", text) if "ii" in text else text


def _latin(words: Sequence[str]) -> list[str]:
    return [word if word.isascii() else maybe_ascii(word) for word in words]


def name_keys(name: str) -> list[Key]:
    """Return the keys of a name, at most two: by its letters, which comes first and is surer, and by its sound.

    Neither depends on the order of words. Names that are not in Latin letters even after `words_of` have no sound.
    """
    words = words_of(name)
    if not words:
        return []
    keys: list[Key] = [(NAME, _letters(words))]
    if all(map(str.isascii, words)):
        keys.append((NAME, _SOUND, " ".join(sorted([metaphone(word) or word for word in words]))))
    return keys


def _letters(words: Sequence[str]) -> str:
    """Return the same for the same words in any order; of longer names also for the same letters in other words.

    Short names and numbers keep their order: too many are made of the same few letters.
    """
    text = "".join(sorted(words))
    if len(text) <= _SHORT:
        return text
    if text.isalpha():
        return "".join(sorted(text))
    return "".join(sorted(text)).lstrip(digits) + "".join(filter(str.isdigit, text))


def forms_of(name: str) -> frozenset[str]:
    """Return the kinds of the legal forms in a name, such as "llc" and "jsc"; of a form of no kind, the form."""
    text = _UNSPACED_FORMS.sub(r" \1 ", _folded(name))
    found = extract_org_types(text, generic=True) or extract_org_types(text)
    return frozenset(form for _, form in found)
