"""Every decoder of the service as a function of bytes that raises where the law is broken.

The law: a decoder returns a value or raises its own documented error, and what it accepts can be used: it is
judged, written and read again without loss.
"""

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console

from stream_enforcer.cli.dead_letters import as_object
from stream_enforcer.cli.explain import NotADecision, last_of, parse
from stream_enforcer.cli.explanation import explanation
from stream_enforcer.domain import cost
from stream_enforcer.domain.account import Account
from stream_enforcer.domain.account_state import UnknownFormat, encode
from stream_enforcer.domain.account_state import decode as decode_state
from stream_enforcer.domain.decision import Trigger
from stream_enforcer.domain.engine import reconcile, step
from stream_enforcer.domain.events import EventKind, Malformed, decode
from stream_enforcer.domain.ownership.resolve import Claim, Resolver
from stream_enforcer.domain.policy import judge
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.changelog import ChangelogUnreadable, Checkpoint, Restored
from stream_enforcer.kafka.dead_letters import MAX_PAYLOAD_BYTES, OURS, Header, Source, dead_letter
from stream_enforcer.kafka.redrive import Found
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.geo import load_geo
from stream_enforcer.reference.native import parse_native
from stream_enforcer.reference.ownership import read_ownership
from stream_enforcer.reference.policy_file import BadPolicy, load_policy
from stream_enforcer.replay.event_files import event_records, read_lines
from stream_enforcer.replay.verification import verify_decisions
from stream_enforcer.settings import PREFIX, BadSettings, describe, load
from tests.builders import DEFAULT_POLICY, facts_of, last_decision, signup, world
from tests.strategies import OWNERSHIP

WORLD: Final = world(OWNERSHIP)
FACTS: Final = facts_of(last_decision([signup()], WORLD))
LONGEST_MESSAGE: Final = 500
ADDRESSES: Final = (
    "1.1.1.1",
    "8.8.8.8",
    "203.0.113.9",
    "2001:db8::7",
    "2600::1",
    "::ffff:1.1.1.1",
    "0.0.0.1",
)
"""Some that the seeds know, and some at the ends of the trees."""


@contextmanager
def _as_file(content: bytes) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield Path(file.name)


def events(data: bytes) -> None:
    """Read a file of events, as each kind of topic too, and judge what is one."""
    for record in event_records("events", io.BytesIO(data)):
        for kind in (None, "signup", "usage", "override"):
            _event(record, kind)


def _event(record: StoredRecord, kind: EventKind | None) -> None:
    event = decode(record, kind)
    caused = step(record, kind, None, WORLD, "every")
    if isinstance(event, Malformed):
        assert caused.malformed == event
        _short(event.message)
        return
    again = StoredRecord("again", 0, 0, 0, record.key, event.model_dump_json().encode())
    assert decode(again, kind) == event
    assert caused.account is not None
    assert decode_state(encode(caused.account)) == caused.account


def policy(data: bytes) -> None:
    """Read a policy file, and judge by it."""
    with _as_file(data) as path:
        try:
            read = load_policy(path)
        except BadPolicy as error:
            _fair(str(error), data)
            return
        judge(FACTS, read)
        assert load_policy(path).hash == read.hash


def ownership(data: bytes) -> None:
    """Read an ownership file of whichever form it has, find its companies, and judge by it."""
    with _as_file(data) as path:
        try:
            graph = read_ownership([path]).graph
        except BadReference as error:
            _fair(str(error), data)
            return
    Resolver.build(graph)
    for entity in graph.entities.values():
        orjson.dumps([entity, graph.stakes_in(entity.id), graph.stakes_of(entity.id)])
    judged_in = World.build(DEFAULT_POLICY, WORLD.geo, graph)
    for entity in list(graph.entities.values())[:3]:
        claim = Claim(entity.name, entity.country, entity.identifiers.lei)
        judged_in.resolve(claim)
        event = signup(organization={"name": "x", "lei": entity.identifiers.lei or "x"})
        record = StoredRecord("signups", 0, 0, 0, b"a", orjson.dumps(event))
        step(record, "signup", None, judged_in, "every")


def gleif(data: bytes) -> None:
    """Read a GLEIF file, XML or CSV, of either level."""
    ownership(data)


def ftm(data: bytes) -> None:
    """Read a file of FollowTheMoney entities."""
    ownership(data)


def ownership_record(data: bytes) -> None:
    """Read one native ownership record."""
    try:
        record = parse_native(data, path="ownership", line=1)
    except BadReference as error:
        _fair(str(error), data)
        return
    orjson.dumps(record)


def geo(data: bytes) -> None:
    """Read a MaxMind DB file, and look up addresses."""
    _geo(data, "")


def cidrs(data: bytes) -> None:
    """Read a CIDR list, and look up addresses."""
    _geo(data, "vpn=")


def _geo(data: bytes, kind: str) -> None:
    with _as_file(data) as path:
        try:
            tables = load_geo([f"{kind}{path}"])
        except BadReference as error:
            _fair(str(error), data)
            return
    for address in ADDRESSES:
        try:
            orjson.dumps(tables.lookup(address))
        except BadReference as error:  # a file may be damaged at one place only
            _fair(str(error), data)


def state(data: bytes) -> None:
    """Read an account's state, and judge the account again."""
    try:
        account = decode_state(data)
    except UnknownFormat as error:
        _short(str(error))
        return
    _judge_again("a", account)


def _judge_again(name: str, account: Account) -> None:
    assert decode_state(encode(account)) == account
    reconcile(name, account, WORLD, Trigger("policy", "accounts", 0, 0, None, 0))


def changelog(data: bytes) -> None:
    """Read changelog records, one a line: a key, a blank, a value."""
    restored = Restored()
    for line in data.split(b"\n"):
        key, _, value = line.partition(b" ")
        try:
            restored.apply(key, value or None)
        except ChangelogUnreadable as error:
            _short(str(error))
    if restored.checkpoint is not None:
        assert Checkpoint.decode(restored.checkpoint.encode()) == restored.checkpoint
    for name in restored.accounts:
        spent = restored.costs.get(name)
        with suppress(UnknownFormat):
            if spent is not None:
                cost.month(spent)
                cost.latest_day(spent)
                restored.costs.after([(name, (20_000, 7))])
        try:
            account = restored.accounts.get(name)
        except UnknownFormat:
            continue
        if account is not None:
            _judge_again(name.decode(), account)


def dead_letters(data: bytes) -> None:
    """Read a record of the dead-letter topic, and bury one that has such headers: a line for each header."""
    key, value, *lines = (*data.split(b"\n"), b"", b"")
    pairs = [line.partition(b": ") for line in lines[:40]]
    headers: list[Header] = [(name.decode(errors="replace"), content) for name, _, content in pairs]
    letter = Found.of(_Delivered(key, value, headers))
    if letter is not None:
        orjson.dumps(as_object(letter))
    source = Source("usage", 3, 7, 1, 0, key, value, headers)
    buried = dead_letter(source, Malformed("decode", "json_invalid", "no"), "group", 1_780_000_000_000)
    found = Found.of(_Delivered(*buried))
    assert found is not None
    assert (found.topic, found.partition, found.offset) == ("usage", 3, 7)
    if len(data) < MAX_PAYLOAD_BYTES:
        theirs = tuple(header for header in headers if header[0] not in OURS)
        assert (found.key, found.value, found.headers) == (key, value, theirs)


@dataclass(frozen=True, slots=True)
class _Delivered:
    key: bytes | None
    value: bytes | None
    headers: list[Header]


def settings(data: bytes) -> None:
    """Read a settings file."""
    with _as_file(data) as path:
        _settings(data, path, {})


def environment(data: bytes) -> None:
    """Read environment variables, one a line, each without the prefix."""
    pairs = [line.partition("=") for line in data.decode(errors="replace").split("\n")]
    _settings(data, None, {f"{PREFIX}{name}": value for name, _, value in pairs if name != "CONFIG"})


def _settings(data: bytes, path: Path | None, environ: dict[str, str]) -> None:
    try:
        read = load(path, environ)
    except BadSettings as error:
        _fair(str(error), data)
        return
    orjson.dumps([row.value for row in describe(read)])


def verify(data: bytes) -> None:
    """Verify a file of decisions, and judge their facts again."""
    result = verify_decisions(read_lines(io.BytesIO(data)), DEFAULT_POLICY, partial=True)
    if result.failure is not None:
        _fair(result.failure.what, data)


def explain(data: bytes) -> None:
    """Explain the decision on a line, from a file and as it comes from Kafka."""
    console = Console(file=io.StringIO(), highlight=False)
    try:
        last_of("a", read_lines(io.BytesIO(data)), "decisions")
    except NotADecision as error:
        _fair(str(error), data)
    try:
        decision = parse(data.split(b"\n", 1)[0])
    except NotADecision as error:
        _fair(str(error), data)
        return
    for part in explanation(decision, None, {}):
        console.print(part)


def _short(message: str) -> None:
    assert 0 < len(message) <= LONGEST_MESSAGE


def _fair(message: str, data: bytes) -> None:
    """Refuse a message that is far longer than what it is about: a small file must not fill the terminal."""
    assert message
    assert len(message) <= 20_000 + 100 * len(data)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    target.__name__: target
    for target in (
        events,
        policy,
        ownership,
        gleif,
        ftm,
        ownership_record,
        geo,
        cidrs,
        state,
        changelog,
        dead_letters,
        settings,
        environment,
        verify,
        explain,
    )
}
"""The decoders by name."""
