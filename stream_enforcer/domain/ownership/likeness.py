"""How alike two names of organisations are."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rigour.text.distance import levenshtein
from rigour.text.scripts import text_scripts

from stream_enforcer.domain.ownership.names import forms_of, words_of

_REORDERED: Final = 98
_RESPACED: Final = 97
_SIMILAR: Final = 96
_OTHER_FORM: Final = 15
_LATIN: Final = frozenset({"Latin"})


class FoldedName(NamedTuple):
    """What names are compared by.

    Attributes:
        words: See `words_of`.
        forms: See `forms_of`.
        scripts: In which the name is written.
    """

    words: Sequence[str]
    forms: frozenset[str]
    scripts: frozenset[str]

    @classmethod
    def of(cls, name: str) -> "FoldedName":
        """Fold a name."""
        scripts = _LATIN if name.isascii() else frozenset(text_scripts(name))
        return cls(words_of(name), forms_of(name), scripts)


class Likeness(NamedTuple):
    """How alike two names are.

    Attributes:
        score: From 0 to 100, which is the same words in the same order.
        features: Why; see `compare`.
    """

    score: int
    features: tuple[str, ...]


def compare(one: FoldedName, other: FoldedName) -> Likeness:
    """Tell how alike two names of organisations are; it does not matter which comes first.

    The first feature is `same-words` (100), `reordered` (98), `respaced` (97) or `similar`: per cent of the letters
    that need no edit (Levenshtein), at most 96. Then follow `form-agrees`, `form-differs` or `form-missing`, if
    there is a legal form in either, and `script-differs`. Legal forms of two kinds are rarely of one company: 15
    less.
    """
    score, first = _spelling(one.words, other.words)
    features = [first]
    if one.forms & other.forms:
        features.append("form-agrees")
    elif one.forms and other.forms:
        features.append("form-differs")
        score = max(0, score - _OTHER_FORM)
    elif one.forms or other.forms:
        features.append("form-missing")
    if not one.scripts & other.scripts:
        features.append("script-differs")
    return Likeness(score, tuple(features))


def _spelling(one: Sequence[str], other: Sequence[str]) -> tuple[int, str]:
    if one == other:
        return 100, "same-words"
    if sorted(one) == sorted(other):
        return _REORDERED, "reordered"
    left, right = "".join(one), "".join(other)
    if left == right:
        return _RESPACED, "respaced"
    # Of very long names only the beginning is looked at.
    longest = max(len(left), len(right))
    return min(_SIMILAR, 100 * (longest - levenshtein(left, right)) // longest), "similar"
