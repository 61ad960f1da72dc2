import string

from hypothesis import example, given
from hypothesis import strategies as st

from stream_enforcer.domain.ownership.resolve import normal_name

WORDS = st.sampled_from(["Ltd", "AND", "A.G.", "a&b", "O'Neil", "gmbh", "jsc", "_", "7-11", "&", "", "."])


@given(st.lists(st.text(string.printable, max_size=5) | WORDS, max_size=6).map(" ".join))
@example("A & Co. Ltd.")
def test_a_name_is_folded_alike_in_narrow_and_in_wide_letters(name: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)
    assert normal_name(wide) == normal_name(name)
