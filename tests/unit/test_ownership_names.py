"""Names in many scripts: what of them tells organisations apart, and how alike two are."""

import pytest

from stream_enforcer.domain.ownership.likeness import FoldedName, Likeness, compare
from stream_enforcer.domain.ownership.names import NAME, forms_of, name_keys, words_of

SPELLED_OUT = (
    "\u0410\u043a\u0446\u0438\u043e\u043d\u0435\u0440\u043d\u043e\u0435 "
    "\u043e\u0431\u0449\u0435\u0441\u0442\u0432\u043e"
)
"""Russian for "joint-stock company"."""
SAME = [
    ("ACME, Ltd.", "acme limited"),
    ("Acme Co., Ltd", "ACME"),
    ("Acme & Co", "acme"),
    ("Smith & Sons", "Smith and Sons"),
    ("The Bank of Acme", "Bank Acme"),
    ("L.L.C. Acme LLC", "llc acme"),
    ("Acme o.O.O.", "OOO Acme"),
    ("Acme Aktiengesellschaft", "Acme AG"),
    ("\uff21\uff23\uff2d\uff25", "acme"),
    ("Stra\u00dfe AG", "STRASSE"),
    ("Caf\u00e9 S.A.", "Cafe SA"),
    ("O\u2019Neill S.A.", "ONeill"),
    ("Fund II", "Fund 2"),
    ("PJSC Gazprom", "Gazprom"),
    # Cyrillic: with its forms in front, spelled out, and against its transliteration.
    ("\u041e\u041e\u041e \u00ab\u0420\u043e\u0433\u0430\u00bb", "\u0440\u043e\u0433\u0430"),
    ("\u041f\u0410\u041e \u0413\u0430\u0437\u043f\u0440\u043e\u043c", "PJSC Gazprom"),
    (f"{SPELLED_OUT} \u0413\u0430\u0437\u043f\u0440\u043e\u043c", "Gazprom"),
    # Greek, Korean.
    ("\u03a4\u03c1\u03ac\u03c0\u03b5\u03b6\u03b1", "Trapeza"),
    ("\uc0bc\uc131 \uc8fc\uc2dd\ud68c\uc0ac", "Samseong"),
    # Han, with the form joined on either side.
    ("\u534e\u4e3a\u6280\u672f\u6709\u9650\u516c\u53f8", "\u534e\u4e3a\u6280\u672f"),
    ("\u682a\u5f0f\u4f1a\u793e\u65e5\u7acb", "\u65e5\u7acb"),
    # Arabic keyboards against Persian ones: yeh, kaf, digits; teh marbuta; the joiner; vowel signs.
    ("\u0634\u0631\u0643\u062a \u0645\u0644\u064a", "\u0634\u0631\u06a9\u062a \u0645\u0644\u06cc"),
    ("\u0645\u0644\u0649", "\u0645\u0644\u06cc"),
    ("\u0634\u0631\u0643\u0629", "\u0634\u0631\u06a9\u0647"),
    ("\u0623\u062d\u0645\u062f", "\u0627\u062d\u0645\u062f"),
    ("\u0646\u0641\u062a \u0661\u0662", "\u0646\u0641\u062a \u06f1\u06f2"),
    ("\u0645\u06cc\u200c\u0646\u0627", "\u0645\u06cc\u0646\u0627"),
    ("\u0634\u064e\u0631\u06a9", "\u0634\u0631\u06a9"),
    # Turkish: dotless and dotted i, with forms that are known in Latin letters only.
    ("I\u015f\u0131k Ltd. \u015eti.", "isik"),
    ("\u0130STANBUL A.\u015e.", "istanbul"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_names_that_differ_in_form_and_script_only_have_the_same_words_and_keys(one: str, other: str) -> None:
    assert words_of(one) == words_of(other) != []
    assert name_keys(one) == name_keys(other)


def test_the_words_are_those_that_people_would_write_in_latin_letters() -> None:
    assert words_of(
        "\u041e\u041e\u041e \u00ab\u0420\u043e\u0433\u0430 \u0438 \u041a\u043e\u043f\u044b\u0442\u0430\u00bb"
    ) == ["roga", "i", "kopyta"]
    assert words_of("Stra\u00dfe & S\u00f6hne AG") == ["strasse", "sohne"]
    assert words_of("I\u015f\u0131k \u0130ncir A.\u015e.") == ["isik", "incir"]
    assert (
        words_of("\u0646\u0641\u062a \u0660\u0669")
        == words_of("\u0646\u0641\u062a \u06f0\u06f9")
        == ["\u0646\u0641\u062a", "09"]
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Bank", "Acme"),
        ("Limited", "Company"),
        ("Fund II", "Fund III"),
        ("Fund II", "Fund"),
        ("\u534e\u4e3a\u6280\u672f", "\u534e\u4e3a"),
        ("\u6709\u9650\u516c\u53f8", "\u682a\u5f0f\u4f1a\u793e"),
        ("\u0420\u043e\u0433\u0430", "\u041a\u043e\u043f\u044b\u0442\u0430"),
    ],
)
def test_names_that_differ_in_substance_share_no_key(one: str, other: str) -> None:
    assert words_of(one) != words_of(other)
    assert not set(name_keys(one)) & set(name_keys(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Good Will Trading", "Goodwill Trading"),
        ("Trading Goodwill", "Goodwill Trading"),
        ("Cristalord", "Crystalord"),
        ("Qatal Oil", "Oil Qaatal"),
        ("Sencora Health", "Cencora Health"),
        ("Fund 2 of 2004", "2004 Fund 2"),
    ],
)
def test_names_of_the_same_letters_or_sound_share_a_key(one: str, other: str) -> None:
    assert set(name_keys(one)) & set(name_keys(other))


def test_numbers_and_short_names_are_not_shuffled() -> None:
    for one, other in [
        ("ABC", "CAB"),
        ("1234567 Canada", "7654321 Canada"),
        ("Trust 2004-1", "Trust 2004-2"),
    ]:
        assert not set(name_keys(one)) & set(name_keys(other))


def test_a_name_has_at_most_two_keys_and_one_without_letters_has_none() -> None:
    for one, other in SAME:
        assert 1 <= len(name_keys(one)) <= 2
        assert {key[0] for key in name_keys(other)} == {NAME}
    assert name_keys(" . ") == name_keys("") == []


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("Acme Ltd", {"llc"}),
        ("\u041e\u041e\u041e \u0420\u043e\u0433\u0430", {"llc"}),
        ("\u534e\u4e3a\u6280\u672f\u6709\u9650\u516c\u53f8", {"llc"}),
        ("\u682a\u5f0f\u4f1a\u793e\u65e5\u7acb", {"jsc"}),
        ("Acme AB", {"ab"}),
        ("Acme", set()),
    ],
)
def test_legal_forms_are_known_by_their_kind(name: str, forms: set[str]) -> None:
    assert forms_of(name) == forms


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("Acme Ltd", "ACME Limited", (100, ("same-words", "form-agrees"))),
        ("Acme GmbH", "Acme OOO", (100, ("same-words", "form-agrees"))),
        ("Acme Ltd", "Acme", (100, ("same-words", "form-missing"))),
        ("Acme", "Acme", (100, ("same-words",))),
        ("Acme AG", "Acme GmbH", (85, ("same-words", "form-differs"))),
        ("Acme Bank", "Bank Acme", (98, ("reordered",))),
        ("Goodwill", "Good Will", (97, ("respaced",))),
        ("Crystalord", "Cristalord", (90, ("similar",))),
        ("Acme", "Zyxw", (0, ("similar",))),
        ("A AG", "Zyx GmbH", (0, ("similar", "form-differs"))),
        ("\u0413\u0430\u0437\u043f\u0440\u043e\u043c", "Gazprom", (100, ("same-words", "script-differs"))),
        ("\u534e\u4e3a\u6280\u672f", "Huawei", (0, ("similar", "script-differs"))),
        ("", "Acme", (0, ("similar",))),
    ],
)
def test_likeness_says_why(one: str, other: str, likeness: tuple[int, tuple[str, ...]]) -> None:
    left, right = FoldedName.of(one), FoldedName.of(other)
    assert compare(left, right) == compare(right, left) == Likeness(*likeness)


def test_one_wrong_letter_in_a_very_long_name_is_not_the_same_words() -> None:
    long = "acme " * 400
    assert compare(FoldedName.of(long), FoldedName.of(f"{long}b")) == Likeness(96, ("similar",))
