"""What an account has shown: what is kept, how much of it, and how it is written down."""

from collections.abc import Iterable
from typing import Any, get_args

import orjson
import pytest

from stream_enforcer.domain.account import (
    MAX_CLAIMS,
    MAX_DAYS,
    NEW,
    NOWHERE,
    Account,
    Evidence,
    Sighting,
    fold,
)
from stream_enforcer.domain.account_state import FORMAT, UnknownFormat, decode, encode
from stream_enforcer.domain.countries import ISO_3166_1
from stream_enforcer.domain.events import Event, Malformed, Override, Signup, Usage
from stream_enforcer.domain.events import decode as read
from stream_enforcer.domain.geo import IpFacts, NetworkKind
from tests.builders import FIRST_DAY, Json, at, override, record, signup, usage

CN = IpFacts("CN", 64500, "residential")
DAY = FIRST_DAY // 86_400_000
MOST_BYTES = 300_000
"""More than the largest state that events can build: 250 places in 5 kinds of network and 7 days, signups and usage,
8 claims and domains, and one override of 64 rules, all of the longest text."""


def event(fields: Json) -> Event:
    found = read(record(fields), None)
    assert not isinstance(found, Malformed), found
    return found


def folded(events: Iterable[Json], ip: IpFacts | None = None, start: Evidence = NEW.evidence) -> Evidence:
    for fields in events:
        start = fold(start, event(fields), ip)
    return start


def test_the_account_s_clock_is_the_day_of_its_latest_event() -> None:
    assert folded([usage(occurred_at=at(5)), signup(occurred_at=at(2))]).clock == DAY + 5
    assert folded([override(occurred_at=at(7)), usage(occurred_at=at(5))]).clock == DAY + 7


def test_a_day_is_a_utc_day() -> None:
    late = folded([usage(occurred_at="2026-03-01T23:59:59.999Z")], CN)
    early = folded([usage(occurred_at="2026-03-02T00:30:00+02:00")], CN)
    assert late.usage == early.usage == (Sighting("CN", "residential", (DAY,)),)


def test_sightings_keep_country_network_and_the_earliest_days() -> None:
    days = [9, 3, 3, 12, 1, 2, 5, 4, 8, 0]
    seen = folded([usage(occurred_at=at(day)) for day in days], CN).usage
    assert seen == (Sighting("CN", "residential", tuple(DAY + day for day in sorted({*days})[:MAX_DAYS])),)


def test_signups_and_usage_are_seen_apart() -> None:
    evidence = fold(folded([usage()], CN), event(signup()), IpFacts("US", None, "vpn"))
    assert [s[:2] for s in evidence.usage] == [("CN", "residential")]
    assert [s[:2] for s in evidence.signup] == [("US", "vpn")]


def test_an_address_that_no_table_places_is_seen_nowhere() -> None:
    assert folded([usage()], IpFacts(None, None, "unknown")).usage[0].country == NOWHERE


def test_an_event_without_an_address_is_seen_nowhere_at_all() -> None:
    assert folded([usage(), signup()]).usage == folded([usage(), signup()]).signup == ()


def test_what_was_claimed_is_kept_beside_what_is_claimed_later() -> None:
    evidence = folded(
        [
            signup(declared_country="CN", organization={"name": "First"}),
            signup(declared_country="US", organization={"name": "Second"}, occurred_at=at(1)),
        ]
    )
    assert evidence.declared == ("CN", "US")
    assert [dated.claim.name for dated in evidence.claims] == ["First", "Second"]


def test_a_claim_made_again_is_dated_by_its_first_event() -> None:
    claim = {"name": "Acme"}
    events = [signup(organization=claim, occurred_at=at(day), event_id=f"e{day}") for day in (4, 2, 6)]
    assert [dated[:2] for dated in folded(events).claims] == [(at(2), "e2")]


@pytest.mark.parametrize(
    "fields",
    [
        lambda n: {"organization": {"name": f"n{n:02}"}, "occurred_at": at(n)},
        lambda n: {"email_domain": f"d{n:02}.example"},
    ],
)
def test_past_the_bound_the_earliest_are_kept_and_the_rest_is_said_to_be_missing(fields: Any) -> None:
    events = [signup(**fields(n)) for n in range(MAX_CLAIMS + 3)]
    exact = folded(events[:MAX_CLAIMS])
    assert not exact.overflowed
    for order in (events, events[::-1]):
        evidence = folded(order)
        assert (evidence.claims, evidence.domains) == (exact.claims, exact.domains)
        assert evidence.overflowed


def test_an_event_that_shows_nothing_new_leaves_the_same_object() -> None:
    events = [
        usage(),
        signup(declared_country="CN", email_domain="a.example", organization={"name": "Acme"}),
        override(),
    ]
    evidence = folded(events, CN)
    for again in events:
        assert fold(evidence, event(again), CN) is evidence
    for day in range(MAX_DAYS + 1):
        evidence = folded([usage(occurred_at=at(day))], CN, evidence)
    assert folded([usage(occurred_at=at(MAX_DAYS), event_id="other")], CN, evidence) is evidence


def test_of_overrides_the_last_by_time_then_event_id_stands() -> None:
    first = override(occurred_at=at(1), event_id="z", override_id="first")
    second = override(occurred_at=at(2), event_id="a", override_id="second")
    third = override(occurred_at=at(2), event_id="b", override_id="third", action="none")
    for order in ([first, second, third], [third, second, first], [second, third, first]):
        held = folded(order).override
        assert held is not None
        assert held.override_id == "third"


def test_two_overrides_of_one_time_and_id_end_the_same_in_either_order() -> None:
    one = override(event_id="e", override_id="one", rules=["a"])
    two = override(event_id="e", override_id="two")
    assert folded([one, two]) == folded([two, one])


def test_another_format_is_refused() -> None:
    value = orjson.dumps([FORMAT + 1, *orjson.loads(encode(NEW))[1:]])
    with pytest.raises(UnknownFormat, match=f"format {FORMAT + 1}; this version reads format {FORMAT}"):
        decode(value)


def test_a_state_that_is_not_json_is_refused() -> None:
    with pytest.raises(UnknownFormat):
        decode(b"\x00")


def longest_signup(n: int) -> Signup:
    text = f"{n:03}"
    found = event(
        signup(
            occurred_at=at(n),
            event_id="😀" * 253 + text,
            email_domain="😀" * 250 + text,
            organization={
                "name": "\x01" * 509 + text,
                "lei": "ΐ" * 61 + text,
                "registration_number": "ΐ" * 61 + text,
                "registration_country": "CN",
                "country": "CN",
                "domain": "İ" * 250 + text,
            },
        )
    )
    assert isinstance(found, Signup)
    return found


def longest_override(n: int) -> Override:
    wide = "😀" * 252
    rules = [f"{wide}{rule:02}{n:02}" for rule in range(64)]
    found = event(
        override(
            occurred_at=at(n),
            event_id=f"{wide}{n}",
            override_id=f"{wide}{n}",
            rules=rules,
            evidence_hash="f" * 64,
        )
    )
    assert isinstance(found, Override)
    return found


def test_no_sender_can_make_a_state_grow_without_limit() -> None:
    days = tuple(range(DAY, DAY + MAX_DAYS))
    kinds = get_args(NetworkKind)
    everywhere = tuple(
        Sighting(country, network, days)
        for country in (NOWHERE, *sorted(ISO_3166_1))
        for network in sorted(kinds)
    )
    evidence = Evidence(signup=everywhere, usage=everywhere)
    for n in range(3 * MAX_CLAIMS):
        evidence = fold(fold(evidence, longest_signup(n), None), longest_override(n), None)
    full = len(encode(Account(evidence)))
    assert MOST_BYTES / 2 < full < MOST_BYTES
    for day in range(40):
        for place in (CN, IpFacts(None, None, "tor")):
            evidence = folded([usage(occurred_at=at(day)), signup(occurred_at=at(day))], place, evidence)
    assert (evidence.signup, evidence.usage) == (everywhere, everywhere)
    assert len(encode(Account(evidence))) == full


def test_a_usage_event_without_an_address_moves_only_the_clock() -> None:
    before = folded([usage()], CN)
    after = folded([usage(occurred_at=at(1))], None, before)
    assert isinstance(event(usage()), Usage)
    assert (after.clock, after.usage) == (before.clock + 1, before.usage)
