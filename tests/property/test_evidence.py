"""Laws of evidence: a join of what events show, and a state that is written without loss."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.account import MAX_CLAIMS, MAX_DAYS, NEW, Account, Evidence, fold
from stream_enforcer.domain.account_state import decode, encode
from stream_enforcer.domain.events import Event, Malformed
from stream_enforcer.domain.events import decode as read
from stream_enforcer.domain.geo import IpFacts
from tests.builders import Json, record, run, signup, world
from tests.strategies import OWNERSHIP, events, histories, ip_facts, times

Shown = tuple[Event, IpFacts | None]


def _event(fields: Json) -> Event:
    found = read(record(fields), None)
    assert not isinstance(found, Malformed), found
    return found


shown = st.tuples(events().map(_event), st.none() | ip_facts)
many_claims = st.lists(
    st.builds(
        lambda at, name, domain: _event(
            signup(occurred_at=at, organization={"name": name}, email_domain=f"{domain}.example")
        ),
        times,
        st.sampled_from([f"n{n}" for n in range(2 * MAX_CLAIMS)]),
        st.sampled_from("abcdefghijklmnop"),
    ).map(lambda event: (event, None)),
    max_size=3 * MAX_CLAIMS,
)


def fold_all(items: list[Shown], start: Evidence = NEW.evidence) -> Evidence:
    for event, ip in items:
        start = fold(start, event, ip)
    return start


@given(st.lists(shown, max_size=14), st.randoms(use_true_random=False))
def test_any_order_of_events_gives_the_same_evidence(items: list[Shown], random: Random) -> None:
    _any_order(items, random)


@given(many_claims, st.randoms(use_true_random=False))
def test_any_order_of_more_claims_than_are_kept_gives_the_same_evidence(
    items: list[Shown], random: Random
) -> None:
    _any_order(items, random)


def _any_order(items: list[Shown], random: Random) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    assert fold_all(shuffled) == fold_all(items)


@given(st.lists(shown, max_size=14) | many_claims)
def test_an_event_seen_again_leaves_the_same_object(items: list[Shown]) -> None:
    evidence = fold_all(items)
    for event, ip in items:
        assert fold(evidence, event, ip) is evidence


@given(st.lists(shown, max_size=14), shown)
def test_nothing_that_was_shown_is_washed_away(items: list[Shown], more: Shown) -> None:
    before = fold_all(items)
    after = fold(before, *more)
    assert after.clock >= before.clock
    for name in ("declared", "billing", "phone", "domains"):
        assert set(getattr(before, name)) <= set(getattr(after, name))
    assert {dated.claim for dated in before.claims} <= {dated.claim for dated in after.claims}
    for name in ("signup", "usage"):
        places = {s[:2]: s.days for s in getattr(after, name)}
        for country, network, days in getattr(before, name):
            assert len(places[country, network]) >= len(days)


@given(st.lists(shown, max_size=30) | many_claims)
def test_evidence_is_sorted_and_bounded(items: list[Shown]) -> None:
    evidence = fold_all(items)
    assert len(evidence.claims) <= MAX_CLAIMS
    assert len(evidence.domains) <= MAX_CLAIMS
    for sightings in (evidence.signup, evidence.usage):
        assert list(sightings) == sorted({s[:2]: s for s in sightings}.values())
        for sighting in sightings:
            assert 0 < len(sighting.days) <= MAX_DAYS
            assert list(sighting.days) == sorted(set(sighting.days))


@given(histories("a", "b"))
def test_a_state_decodes_to_what_was_encoded(history: list[Json]) -> None:
    for account in run(history, world(OWNERSHIP)).accounts.values():
        assert decode(encode(account)) == account


@given(st.lists(shown, max_size=14), st.randoms(use_true_random=False))
def test_equal_accounts_encode_equally(items: list[Shown], random: Random) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    one, other = Account(fold_all(items)), Account(fold_all(shuffled))
    assert encode(one) == encode(other) == encode(decode(encode(one)))
