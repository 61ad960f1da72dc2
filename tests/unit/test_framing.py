"""A record in the frame of a schema registry is read as the one without; all else is malformed as ever."""

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_enforcer.domain.events import Malformed, decode
from stream_enforcer.domain.framing import FRAME_BYTES, unframed
from stream_enforcer.domain.records import StoredRecord
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.live import amendment_of
from stream_enforcer.testing import EnforcerDriver, RawRecord, policy_world
from tests.builders import Json, record, signup
from tests.strategies import events

FRAMES = st.binary(min_size=4, max_size=4).map(lambda schema: b"\0" + schema)
FRAME = b"\0\0\0\x01\x02"


def holding(value: bytes) -> StoredRecord:
    return StoredRecord("signups", 0, 7, 0, b"a", value)


@given(events("a"), FRAMES)
def test_a_framed_event_is_the_event(event: Json, frame: bytes) -> None:
    plain = record(event)
    framed = StoredRecord(plain.topic, 0, 0, plain.timestamp, plain.key, frame + (plain.value or b""))
    for kind in (event["type"], None):
        assert decode(framed, kind) == decode(plain, kind)


@given(st.binary(max_size=12), FRAMES)
def test_what_a_frame_holds_is_malformed_for_the_same_reason(value: bytes, frame: bytes) -> None:
    if value.startswith(b"\0"):
        return
    assert decode(holding(frame + value), "signup") == decode(holding(value), "signup")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\0",
        b"\0\0\0\0",
        FRAME,
        FRAME + FRAME + orjson.dumps(signup()),
        b"\0" * 100_000,
        b"\x01" + FRAME,
    ],
)
def test_what_only_looks_framed_is_not_json(value: bytes) -> None:
    found = decode(holding(value), "signup")
    assert isinstance(found, Malformed)
    assert (found.stage, found.error) == ("decode", "json_invalid")


@example(b"\x01")
@given(st.binary())
def test_only_a_zero_byte_begins_a_frame(value: bytes) -> None:
    assert unframed(value) == (value[FRAME_BYTES:] if value[:1] == b"\0" else value)


def test_an_ownership_statement_may_be_framed() -> None:
    line = orjson.dumps({"kind": "stake", "id": "s", "holder": "a", "held": "b", "share": 60})
    framed, plain = (amendment_of(b"s", value, path="t", line=0) for value in (FRAME + line, line))
    assert framed.says == plain.says
    with pytest.raises(BadReference):
        amendment_of(b"s", FRAME + FRAME + line, path="t", line=0)


def test_a_dead_letter_keeps_the_frame() -> None:
    event = orjson.dumps(signup("a", declared_country="CN"))
    with EnforcerDriver(policy_world()) as service:
        service.pipe(
            RawRecord("signups", b"a", FRAME + event), RawRecord("signups", b"a", FRAME + b"no JSON")
        )
        (decision,) = service.read()
        (letter,) = service.dead_letters()
    assert decision["action"] == "suspend"
    assert letter.value == FRAME + b"no JSON"
