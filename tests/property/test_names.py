import string
from random import Random

from hypothesis import assume, example, given
from hypothesis import strategies as st

from stream_enforcer.domain.ownership.graph import Entity, OwnershipGraph
from stream_enforcer.domain.ownership.likeness import FoldedName, compare
from stream_enforcer.domain.ownership.names import name_keys, words_of
from stream_enforcer.domain.ownership.resolve import Claim, Resolver, claim_keys, entity_keys
from tests.snapshot_builders import DOMAINS, NAMES, entities

WORDS = st.sampled_from(["Ltd", "AND", "A.G.", "a&b", "O'Neil", "gmbh", "jsc", "_", "7-11", "&", "", "."])


@given(st.lists(st.text(string.printable, max_size=5) | WORDS, max_size=6).map(" ".join))
@example("A & Co. Ltd.")
def test_a_name_is_folded_alike_in_narrow_and_in_wide_letters(name: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)
    assert words_of(wide) == words_of(name)


CLAIMS = st.builds(
    Claim,
    name=st.none() | st.sampled_from([*NAMES, "acme", "roga", "Goodwill", "Merkury"]) | st.text(max_size=5),
    country=st.sampled_from([None, "CN", "GB", "US", "FR"]),
    lei=st.sampled_from([None, None, "lei1", "LEI2", " "]),
    registration_number=st.sampled_from([None, None, "7", "8"]),
    domain=st.sampled_from([None, None, *DOMAINS]),
)


@given(entities(), CLAIMS)
def test_a_claim_resolves_only_to_an_organisation_with_which_it_shares_a_key(
    recorded: list[Entity], claim: Claim
) -> None:
    by_id = {entity.id: entity for entity in recorded}
    match = Resolver.build(OwnershipGraph.build(recorded, [], hash="h")).resolve(claim)
    if match is not None:
        assert set(claim_keys(claim)) & set(entity_keys(by_id[match.entity]))
        assert by_id[match.entity].type != "person"


@given(entities())
def test_keys_are_there_once_and_a_person_has_none(recorded: list[Entity]) -> None:
    for entity in recorded:
        keys = entity_keys(entity)
        assert len(keys) == len(set(keys))
        assert keys == [] or entity.type != "person"


ANY_NAMES = st.lists(
    st.text(max_size=6) | WORDS | st.sampled_from([*NAMES, "\u6709\u9650\u516c\u53f8", "\u0643"]), max_size=5
).map(" ".join)


@given(ANY_NAMES, st.randoms(use_true_random=False))
def test_keys_do_not_depend_on_the_order_of_words(name: str, shuffle: Random) -> None:
    words = words_of(name)
    one, other = " ".join(words), " ".join(shuffle.sample(words, len(words)))
    assume(sorted(words_of(one)) == sorted(words_of(other)))  # words may happen to make a legal form
    assert name_keys(one) == name_keys(other)


@given(ANY_NAMES)
def test_any_name_has_few_keys_and_is_most_like_itself(name: str) -> None:
    assert len(name_keys(name)) <= 2
    assert bool(name_keys(name)) == bool(words_of(name))
    assert compare(FoldedName.of(name), FoldedName.of(name)).score == 100


@given(ANY_NAMES, ANY_NAMES)
def test_likeness_is_symmetric_and_within_bounds(one: str, other: str) -> None:
    left, right = FoldedName.of(one), FoldedName.of(other)
    assert compare(left, right) == compare(right, left)
    assert 0 <= compare(left, right).score <= 100
