"""A partition without a broker: what is read through which layer, what is counted, and who is judged again."""

from collections.abc import Sequence

import orjson

from stream_enforcer.domain.account_state import encode
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.changelog import Checkpoint, Restored, WorldId
from stream_enforcer.kafka.partition import Cause, Partition, Terms
from tests.builders import (
    KINDS,
    ClientRecord,
    Json,
    client_record,
    company,
    ip,
    override,
    record,
    run,
    signup,
    stake,
    usage,
    world,
)

WORLD = world()
NOW = WorldId("p", "r")
OWNED = world([company("cn", "CN"), company("t", "SG", identifiers={"lei": "T"}), stake("cn", "t", 60)])
CLAIM: Json = {"organization": {"name": "T", "lei": "T"}}
FROM_CN = signup(ip=ip("cn"))


def partition(within: World = WORLD, restored: Restored | None = None, number: int = 0) -> Partition:
    terms = Terms(KINDS, "transitions", "enforcer")
    return Partition(number, terms, within, restored or Restored())


def restored(events: Sequence[Json], checkpoint: Checkpoint | None = None) -> Restored:
    """Give what a changelog would, with the states as bytes."""
    found = Restored(checkpoint=checkpoint)
    for key, account in run(events, WORLD).accounts.items():
        found.accounts.put_encoded(key, encode(account))
    return found


def client(event: Json, offset: int = 0) -> ClientRecord:
    return client_record(record(event, offset=offset))


def take(into: Partition, *events: Json, start: int = 0) -> None:
    for offset, event in enumerate(events, start=start):
        item = client(event, offset)
        into.take(item.topic, [item], now_ms=1)


def test_an_account_is_read_through_both_layers_of_work() -> None:
    part = partition(restored=restored([usage(ip=ip("us"))]))
    committed = part.account(b"a")
    take(part, FROM_CN)
    suspended = part.account(b"a")
    part.next_work()
    assert part.account(b"a") is suspended
    take(part, override())
    allowed = part.account(b"a")
    assert committed is not None
    assert suspended is not None
    assert allowed is not None
    assert [account.action for account in (committed, suspended, allowed)] == ["allow", "suspend", "allow"]
    part.committed()
    assert part.account(b"a") is allowed
    assert part.restored.accounts.get(b"a") is suspended
    part.drop()
    assert part.account(b"a") is suspended


def test_an_account_that_was_never_seen_is_none() -> None:
    assert partition().account(b"nobody") is None


def test_the_next_offset_is_that_of_the_newest_layer_that_knows_it() -> None:
    part = partition(restored=Restored(checkpoint=Checkpoint({"usage": 7}, 4, NOW)))
    assert [part.expected(topic) for topic in ("usage", "signups")] == [7, None]
    take(part, usage(), start=7)
    part.next_work()
    take(part, signup(), start=3)
    assert [part.expected(topic) for topic in ("usage", "signups")] == [8, 4]
    part.drop()
    assert [part.expected(topic) for topic in ("usage", "signups")] == [7, None]


def test_work_counts_what_it_holds() -> None:
    part = partition()
    take(part, FROM_CN, signup("b", phone_country="CN"), usage("c"), usage("c", event_id="again"))
    work = part.pending
    assert dict(work.records) == {"signups": 2, "usage": 2}
    assert dict(work.offsets) == {"signups": 2, "usage": 4}
    assert dict(work.by_action_and_rule) == {
        ("suspend", "signup-from-restricted-region"): 1,
        ("allow", "phone-country-restricted"): 1,
        ("allow", "none"): 1,
    }
    assert work.reviews == 1
    assert [key for key, _, _ in work.decisions] == [b"a", b"b", b"c"]
    assert len(work.caused_at) == 3
    assert set(work.states) == {b"a", b"b", b"c"}


def test_of_an_account_s_states_only_the_last_is_kept() -> None:
    part = partition()
    take(part, FROM_CN, override())
    assert len(part.pending.decisions) == 2
    last = part.pending.states[b"a"]
    assert last is not None
    assert last.sequence == 2


def test_a_malformed_record_is_buried_with_its_coordinates_and_changes_no_state() -> None:
    part = partition(number=3)
    bad = ClientRecord("usage", 3, 9, 5, 1, b"a", b"{", (("trace", b"t"),))
    part.take("usage", [bad], now_ms=6)
    (letter,) = part.pending.dead_letters
    assert (letter.key, letter.value) == (b"a", b"{")
    headers = dict(letter.headers)
    assert headers["dlq.id"] == b"usage-3-9"
    assert headers["dlq.original.timestamp.type"] == b"LogAppendTime"
    assert headers["dlq.failed.at"] == b"6"
    assert headers["trace"] == b"t"
    assert dict(part.pending.by_reason) == {"json_invalid": 1}
    assert (part.pending.states, part.pending.decisions) == ({}, [])
    assert part.expected("usage") == 10


def test_a_record_without_a_key_is_buried() -> None:
    part = partition()
    part.take("usage", [ClientRecord("usage", 0, 0, 0, 0, None, client(usage()).value)], now_ms=0)
    assert dict(part.pending.by_reason) == {"key_mismatch": 1}


def test_a_second_look_publishes_only_what_the_changed_world_changes() -> None:
    events = [signup(**CLAIM), signup("b", ip=ip("cn"))]
    part = partition(OWNED, restored(events), number=2)
    part.look_again([b"a", b"b", b"gone"], Cause("reference", "ownership", 2, 77), now_ms=5)
    ((key, value, _),) = part.pending.decisions
    decision = orjson.loads(value)
    assert (key, decision["action"], decision["previous_action"]) == (b"a", "suspend", "allow")
    assert decision["trigger"] == {
        "kind": "reference",
        "topic": "ownership",
        "partition": 2,
        "offset": 77,
    }
    assert decision["event_time"] == "2026-03-01T00:00:00.000Z"
    assert set(part.pending.states) == {b"a"}
    assert not part.pending.offsets


def test_a_second_look_in_the_same_world_publishes_nothing() -> None:
    part = partition(restored=restored([FROM_CN, usage("b")]))
    part.look_again([b"a", b"b"], Cause("policy", "enforcer-accounts", 0, 1), now_ms=5)
    assert (part.pending.decisions, part.pending.states) == ([], {})
