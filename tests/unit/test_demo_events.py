from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson
import pytest

from stream_enforcer.demo.accounts import RESTRICTED, SERVED, SHOWN_COMPANY, STORIES, Story, first_of
from stream_enforcer.demo.data import geo_sources, ownership_file
from stream_enforcer.demo.events import START_MS, Draft, TopicRole, drafts, generate
from stream_enforcer.domain.countries import ISO_3166_1
from stream_enforcer.domain.events import EventKind, Malformed, Signup, Usage, decode, rfc3339
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.reference.geo import GeoTables, load_geo

COUNT, SEED, ACCOUNTS = 8_000, 7, 300

KINDS: dict[TopicRole, EventKind] = {"signups": "signup", "usage": "usage", "overrides": "override"}


@pytest.fixture(scope="module")
def stream() -> list[tuple[TopicRole, bytes, bytes]]:
    return list(generate(COUNT, SEED, accounts=ACCOUNTS))


@pytest.fixture(scope="module")
def plan() -> list[Draft]:
    return list(drafts(COUNT, SEED, accounts=ACCOUNTS))


@pytest.fixture(scope="module")
def geo() -> GeoTables:
    return load_geo(geo_sources())


@pytest.fixture(scope="module")
def register() -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in ownership_file().read_bytes().splitlines()]


def usage_of(plan: list[Draft], story: Story) -> Iterator[Draft]:
    """Give the usage of the first account that lives a story."""
    account = first_of(story)
    return (draft for draft in plan if draft.role == "usage" and draft.fields["account_id"] == account)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    stream: list[tuple[TopicRole, bytes, bytes]],
) -> None:
    assert list(generate(COUNT, SEED, accounts=ACCOUNTS)) == stream
    assert list(islice(generate(COUNT, SEED + 1, accounts=ACCOUNTS), 50)) != stream[:50]


def test_every_address_lies_in_the_country_that_was_meant(plan: list[Draft], geo: GeoTables) -> None:
    placed = [draft for draft in plan if draft.role != "overrides"]
    assert [geo.lookup(draft.fields["ip"]).country for draft in placed] == [d.country for d in placed]
    assert any(":" in draft.fields["ip"] for draft in placed)


def test_cloud_addresses_are_told_as_hosting_and_the_others_are_not(
    plan: list[Draft], geo: GeoTables
) -> None:
    for story in STORIES:
        networks = {geo.lookup(draft.fields["ip"]).network for draft in usage_of(plan, story)}
        assert networks == {"hosting" if story in ("cloud", "masked") else "unknown"}, story


def test_the_commuter_is_in_a_restricted_country_on_three_days_and_the_traveller_on_one(
    plan: list[Draft],
) -> None:
    days: dict[Story, set[str]] = defaultdict(set)
    for story in STORIES:
        for draft in usage_of(plan, story):
            if draft.country in RESTRICTED:
                days[story].add(draft.fields["occurred_at"][:10])
    assert len(days["commuter"]) >= 3
    assert len(days["traveller"]) == 1
    assert days.keys() == {"commuter", "traveller", "restricted"}


def test_all_but_the_few_spoiled_records_are_events(stream: list[tuple[TopicRole, bytes, bytes]]) -> None:
    events = [
        decode(StoredRecord(role, 0, offset, 0, key, value), KINDS[role])
        for offset, (role, key, value) in enumerate(stream)
    ]
    malformed = sum(isinstance(event, Malformed) for event in events)
    assert malformed == COUNT // 2000
    ids = [event.event_id for event in events if not isinstance(event, Malformed)]
    assert len(set(ids)) == len(ids) == COUNT - malformed
    times = [event.occurred_at for event in events if not isinstance(event, Malformed)]
    assert times == sorted(times)
    assert times[0] == START_MS


def test_every_way_of_spoiling_a_record_makes_it_malformed() -> None:
    stream = enumerate(generate(10_000, SEED, accounts=10), start=1)
    spoiled = [
        decode(StoredRecord(role, 0, offset, 0, key, value), KINDS[role])
        for offset, (role, key, value) in stream
        if offset % 2000 == 0
    ]
    assert len(spoiled) == 5
    errors = {event.error for event in spoiled if isinstance(event, Malformed)}
    assert len(errors) == 5


def test_the_stream_is_mostly_usage_of_about_two_hundred_bytes(
    stream: list[tuple[TopicRole, bytes, bytes]],
) -> None:
    roles = Counter(role for role, _, _ in stream)
    assert roles == {"signups": ACCOUNTS, "usage": COUNT - ACCOUNTS - 4, "overrides": 4}
    assert roles["usage"] / COUNT > 0.95
    assert 150 < sum(len(value) for _, _, value in stream) / COUNT < 250


def test_an_account_signs_up_before_it_does_anything_else(
    stream: list[tuple[TopicRole, bytes, bytes]],
) -> None:
    first: dict[str, TopicRole] = {}
    for role, _, value in stream:
        if value.endswith(b"}"):
            first.setdefault(orjson.loads(value)["account_id"], role)
    assert len(first) == ACCOUNTS
    assert set(first.values()) == {"signups"}


def test_claimed_organisations_are_in_the_register_by_the_identifier_they_name(
    plan: list[Draft], register: list[dict[str, Any]]
) -> None:
    identifiers = {
        (row["name"], key, value)
        for row in register
        if row["kind"] == "entity"
        for key, value in [("name", row["name"]), *row.get("identifiers", {}).items()]
    }
    ways = set()
    for draft in plan:
        claim = draft.fields.get("organization", {})
        for key in claim.keys() - {"country", "registration_country"}:
            assert (claim["name"], key, claim[key]) in identifiers
            ways.add(key)
    assert ways == {"name", "lei", "registration_number", "domain"}


def test_the_first_account_of_the_register_claims_the_company_that_is_shown(
    plan: list[Draft], register: list[dict[str, Any]]
) -> None:
    names = {row["id"]: row["name"] for row in register if row["kind"] == "entity"}
    claims = (d.fields["organization"] for d in plan if d.fields["account_id"] == first_of("register"))
    assert next(claims)["name"] == names[SHOWN_COMPANY]


def test_too_few_accounts_or_records_are_refused() -> None:
    with pytest.raises(ValueError, match="accounts is 9"):
        next(drafts(100, SEED, accounts=9))
    with pytest.raises(ValueError, match="count is 39"):
        next(drafts(39, SEED, accounts=20))


def test_the_stream_starts_when_the_tables_had_just_been_built(geo: GeoTables) -> None:
    assert geo.built_on == "2026-06-17"
    assert rfc3339(START_MS) == "2026-06-18T00:00:00.000Z"


def test_served_and_restricted_countries_are_countries_and_apart() -> None:
    assert RESTRICTED.keys() | SERVED.keys() < ISO_3166_1
    assert RESTRICTED.keys().isdisjoint(SERVED)


def test_a_signup_and_its_usage_decode_to_what_was_drafted(plan: list[Draft]) -> None:
    for draft in (plan[0], plan[len(STORIES)]):
        account = draft.fields["account_id"].encode()
        record = StoredRecord(draft.role, 0, 0, 0, account, orjson.dumps(draft.fields))
        event = decode(record, KINDS[draft.role])
        assert isinstance(event, Signup if draft.role == "signups" else Usage)
        assert event.ip == draft.fields["ip"]
