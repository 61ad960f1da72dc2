"""Builders of events, records and worlds, and the whole service in ten lines of memory."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

from stream_enforcer.domain.account import Account
from stream_enforcer.domain.engine import Emit, step
from stream_enforcer.domain.events import MS_PER_DAY, EventKind, Malformed
from stream_enforcer.domain.facts import Facts
from stream_enforcer.domain.geo import IpFacts
from stream_enforcer.domain.ownership.graph import Entity, OwnershipGraph, Stake
from stream_enforcer.domain.policy import Policy
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.domain.world import World
from stream_enforcer.reference.native import parse_native
from stream_enforcer.reference.policy_file import load_policy

Json = dict[str, Any]

FIRST_DAY: Final = 20_513 * MS_PER_DAY  # 2026-03-01
TOPICS: Final[Mapping[str, str]] = {"signup": "signups", "usage": "usage", "override": "overrides"}
KINDS: Final[Mapping[str, EventKind]] = {"signups": "signup", "usage": "usage", "overrides": "override"}

ADDRESSES: Final[Mapping[str, tuple[str, IpFacts]]] = {
    "cn": ("192.0.2.1", IpFacts("CN", 64500, "residential")),
    "cn-unknown": ("192.0.2.2", IpFacts("CN", None, "unknown")),
    "cn-vpn": ("192.0.2.3", IpFacts("CN", 64501, "vpn")),
    "cn-tor": ("192.0.2.4", IpFacts("CN", 64501, "tor")),
    "cn-hosting": ("192.0.2.5", IpFacts("CN", 64501, "hosting")),
    "kp": ("192.0.2.6", IpFacts("KP", 64502, "residential")),
    "ru": ("2001:db8::7", IpFacts("RU", 64503, "residential")),
    "us": ("198.51.100.1", IpFacts("US", 64510, "residential")),
    "us-vpn": ("198.51.100.3", IpFacts("US", 64511, "vpn")),
    "us-tor": ("198.51.100.4", IpFacts("US", 64511, "tor")),
    "us-hosting": ("198.51.100.5", IpFacts("US", 64511, "hosting")),
    "hk": ("203.0.113.1", IpFacts("HK", 64520, "residential")),
    "nowhere": ("203.0.113.9", IpFacts(None, None, "unknown")),
    "nowhere-vpn": ("203.0.113.10", IpFacts(None, None, "vpn")),
}
"""Addresses by a name that says what the geo tables of `world()` say of them."""


def ip(name: str) -> str:
    """Give the address of that name."""
    return ADDRESSES[name][0]


def at(day: int = 0, ms: int = 0) -> int:
    """Give a time, counted from the start of 2026-03-01 UTC."""
    return FIRST_DAY + day * MS_PER_DAY + ms


def _event(kind: str, account: str, fields: Json) -> Json:
    event = {"type": kind, "account_id": account, "occurred_at": at(), **fields}
    # Equal events have equal ids, so a test that means two events must make them differ.
    event.setdefault("event_id", sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()[:16])
    return event


def signup(account: str = "a", **fields: Any) -> Json:
    return _event("signup", account, fields)


def usage(account: str = "a", **fields: Any) -> Json:
    return _event("usage", account, fields)


def override(account: str = "a", action: str = "allow", **fields: Any) -> Json:
    people = {"reason": "looked at", "requested_by": "ann", "approved_by": "bob"}
    return _event("override", account, {"action": action, "override_id": "o1", **people, **fields})


def record(event: Json, topic: str | None = None, offset: int = 0, key: bytes | None = None) -> StoredRecord:
    """Give the record of an event, in the topic of its type unless told."""
    account: str = event["account_id"]
    return StoredRecord(
        topic or TOPICS[event["type"]],
        0,
        offset,
        event["occurred_at"] if isinstance(event["occurred_at"], int) else FIRST_DAY,
        account.encode() if key is None else key,
        orjson.dumps(event),
    )


class FixedGeo:
    """Geo tables that know the addresses they are given; any other is nowhere."""

    def __init__(self, table: Mapping[str, IpFacts], built_on: str | None = "2026-02-01") -> None:
        self.table = dict(table)
        self.built_on = built_on
        content = repr((sorted(self.table.items(), key=lambda row: row[0]), built_on))
        self.hash = sha256(content.encode()).hexdigest()

    def lookup(self, ip: str, /) -> IpFacts:
        return self.table.get(ip, IpFacts(None, None, "unknown"))


GEO: Final = FixedGeo(dict(ADDRESSES.values()))
DEFAULT_POLICY: Final = load_policy(None)


def graph(records: Iterable[Json], as_of: str | None = None) -> OwnershipGraph:
    """Build an ownership graph of native records."""
    lines = [orjson.dumps(line) for line in records]
    parsed = [parse_native(line, path="test", line=number) for number, line in enumerate(lines, start=1)]
    return OwnershipGraph.build(
        [item for item in parsed if isinstance(item, Entity)],
        [item for item in parsed if isinstance(item, Stake)],
        hash=sha256(b"\n".join(lines)).hexdigest(),
        as_of=as_of,
    )


def world(
    ownership: Iterable[Json] | None = (),
    *,
    policy: Policy = DEFAULT_POLICY,
    geo: FixedGeo = GEO,
    as_of: str | None = None,
) -> World:
    """Give a world: the default policy, the addresses above, and native ownership records or None for no data."""
    return World.build(policy, geo, None if ownership is None else graph(ownership, as_of))


def company(entity: str, country: str | None = None, **fields: Any) -> Json:
    return {"kind": "entity", "id": entity, "name": f"{entity} works", "type": "company"} | (
        fields if country is None else {"country": country, **fields}
    )


def stake(holder: str, held: str, share: float | str | None = None, **fields: Any) -> Json:
    line = {"kind": "stake", "id": f"{holder}>{held}", "holder": holder, "held": held, **fields}
    return line if share is None else {**line, "share": share}


class Outcome(NamedTuple):
    """What a run of the service published and what it remembers."""

    decisions: list[Json]
    values: list[bytes]
    accounts: dict[bytes, Account]
    dead_letters: list[Malformed]


def run(
    events: Iterable[Json | StoredRecord],
    world: World,
    emit: Emit = "transitions",
    accounts: Mapping[bytes, Account] | None = None,
) -> Outcome:
    """Run events through the engine, one after another, as the service does; offsets count from 0."""
    outcome = Outcome([], [], dict(accounts or {}), [])
    for offset, event in enumerate(events):
        item = event if isinstance(event, StoredRecord) else record(event, offset=offset)
        before = None if item.key is None else outcome.accounts.get(item.key)
        caused = step(item, KINDS[item.topic], before, world, emit)
        if caused.malformed is not None:
            outcome.dead_letters.append(caused.malformed)
        if caused.account is not None and item.key is not None:
            outcome.accounts[item.key] = caused.account
        if caused.decision is not None:
            outcome.values.append(caused.decision.value)
            outcome.decisions.append(orjson.loads(caused.decision.value))
    return outcome


def last_decision(events: Sequence[Json], world: World) -> Json:
    """Give what the last of an account's events leads to, published or not before."""
    return run(events, world, emit="every").decisions[-1]


def codes(decision: Json) -> list[str]:
    return [reason["code"] for reason in decision["reasons"]]


def facts_of(decision: Json) -> Facts:
    """Give a published decision's facts as policy takes them."""
    facts: Json = {name: tuple(v) if isinstance(v, list) else v for name, v in decision["facts"].items()}
    return Facts(**facts)


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """A record with all that the Kafka client gives."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def client_record(stored: StoredRecord) -> ClientRecord:
    return ClientRecord(
        stored.topic, stored.partition, stored.offset, stored.timestamp, 0, stored.key, stored.value
    )
