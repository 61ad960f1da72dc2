"""A dead letter: the source's bytes untouched, and headers that say where it came from and what is wrong."""

import pytest

from stream_enforcer.domain.events import Malformed
from stream_enforcer.kafka.dead_letters import (
    MAX_MESSAGE_BYTES,
    MAX_PAYLOAD_BYTES,
    OURS,
    DeadLetter,
    Source,
    dead_letter,
)

WHY = Malformed("validate", "missing", "event_id: Field required")
BROKER_LIMIT = 1 << 20


def source(
    key: bytes | None = b"a", value: bytes | None = b"{}", headers: tuple[tuple[str, bytes], ...] = ()
) -> Source:
    return Source("usage", 3, 42, 1_772_323_200_000, 0, key, value, headers)


def bury(dead: Source, why: Malformed = WHY) -> DeadLetter:
    return dead_letter(dead, why, "enforcer", 1_772_323_200_999)


def headers(letter: DeadLetter) -> dict[str, str]:
    assert len({name for name, _ in letter.headers}) == len(letter.headers)
    return {name: value.decode() for name, value in letter.headers}


def size(letter: DeadLetter) -> int:
    return (
        len(letter.key or b"")
        + len(letter.value or b"")
        + sum(len(name) + len(value or b"") for name, value in letter.headers)
    )


@pytest.mark.parametrize("value", [None, b"", b"\xff\x00", b"x" * 10_000])
@pytest.mark.parametrize("key", [None, b"", b"\xff"])
def test_key_and_value_are_the_source_s_bytes(key: bytes | None, value: bytes | None) -> None:
    letter = bury(source(key, value))
    assert (letter.key, letter.value) == (key, value)


def test_the_headers_say_where_it_came_from_and_what_is_wrong() -> None:
    found = headers(bury(source()))
    version = found.pop("dlq.app.version")
    assert version
    assert found == {
        "dlq.id": "usage-3-42",
        "dlq.original.topic": "usage",
        "dlq.original.partition": "3",
        "dlq.original.offset": "42",
        "dlq.original.timestamp": "1772323200000",
        "dlq.original.timestamp.type": "CreateTime",
        "dlq.error.stage": "validate",
        "dlq.error.class": "missing",
        "dlq.error.message": "event_id: Field required",
        "dlq.app": "stream-enforcer",
        "dlq.group": "enforcer",
        "dlq.failed.at": "1772323200999",
        "dlq.redrive.count": "0",
    }


def test_the_source_s_own_headers_stay_and_ours_are_replaced() -> None:
    dead = source(headers=(("trace", b"\xff"), ("dlq.error.class", b"old"), ("dlq.redrive.count", b"2")))
    letter = bury(dead)
    assert letter.headers[0] == ("trace", b"\xff")
    found = {name: value for name, value in letter.headers if name != "trace"}
    assert found["dlq.error.class"] == b"missing"
    assert found["dlq.redrive.count"] == b"2"
    assert len(found) == len(letter.headers) - 1


def test_a_long_message_is_cut_between_characters() -> None:
    message = headers(bury(source(), WHY._replace(message="é" * MAX_MESSAGE_BYTES)))["dlq.error.message"]
    assert message == "é" * (MAX_MESSAGE_BYTES // 2)


def test_what_the_broker_would_still_take_is_not_cut() -> None:
    letter = bury(source(b"a", b"x" * (MAX_PAYLOAD_BYTES - 1)))
    assert letter.value == b"x" * (MAX_PAYLOAD_BYTES - 1)
    assert headers(letter)["dlq.error.stage"] == "validate"
    assert size(letter) < BROKER_LIMIT


@pytest.mark.parametrize(
    "dead",
    [
        source(b"a", b"x" * MAX_PAYLOAD_BYTES),
        source(b"k" * MAX_PAYLOAD_BYTES, b"x"),
        source(b"k" * (MAX_PAYLOAD_BYTES + 1), None),
        source(b"a", b"x" * MAX_PAYLOAD_BYTES, (("h", b"y" * MAX_PAYLOAD_BYTES),)),
        source(None, None, (("h", b"y" * MAX_PAYLOAD_BYTES),)),
    ],
)
def test_what_the_broker_would_refuse_is_cut_and_says_so(dead: Source) -> None:
    letter = bury(dead)
    found = headers(letter)
    assert size(letter) < BROKER_LIMIT
    assert found["dlq.error.stage"] == "oversize"
    assert (dead.value or b"").startswith(letter.value or b"")
    assert (dead.key or b"").startswith(letter.key or b"")
    assert (letter.value is None) == (dead.value is None)
    assert "dlq.truncated.bytes" in found


def test_a_header_without_a_value_does_not_stop_the_service() -> None:
    dead = source(headers=(("dlq.redrive.count", None),))  # type: ignore[arg-type]  # Kafka allows it
    assert headers(bury(dead))["dlq.redrive.count"] == "0"


@pytest.mark.parametrize(
    "count", [b"", b"many", b"-1", b"9" * MAX_PAYLOAD_BYTES, b"\xff" * MAX_PAYLOAD_BYTES]
)
def test_a_redrive_count_that_is_no_count_is_none_and_never_outgrows_the_broker(count: bytes) -> None:
    letter = bury(source(headers=(("dlq.redrive.count", count),)))
    assert headers(letter)["dlq.redrive.count"] == "0"
    assert size(letter) < BROKER_LIMIT


def test_the_bytes_that_were_cut_are_counted() -> None:
    letter = bury(source(b"a", b"x", (("h", b"y" * MAX_PAYLOAD_BYTES),)))
    assert headers(letter)["dlq.truncated.bytes"] == str(len("h") + MAX_PAYLOAD_BYTES)


def sent_back(*more: tuple[str, bytes]) -> str:
    return headers(bury(source(headers=more)))["dlq.id"]


def test_a_record_that_was_sent_back_keeps_the_id_of_its_first_failure() -> None:
    assert sent_back(("dlq.id", b"sign.ups-3-7"), ("dlq.redrive.count", b"1")) == "sign.ups-3-7"


@pytest.mark.parametrize(
    "more",
    [
        (("dlq.id", b"signups-3-7"),),
        (("dlq.id", b"signups-3-7"), ("dlq.redrive.count", b"0")),
        (("dlq.id", b"signups-3-7"), ("dlq.redrive.count", b"many")),
        (("dlq.redrive.count", b"1"),),
        *((("dlq.id", bad), ("dlq.redrive.count", b"1")) for bad in (b"", b"x", b"\xff-1-1", b"a-1-1\n")),
        (("dlq.id", b"x" * 300 + b"-1-1"), ("dlq.redrive.count", b"1")),
    ],
)
def test_any_other_record_gets_an_id_of_where_it_stands(more: tuple[tuple[str, bytes], ...]) -> None:
    assert sent_back(*more) == "usage-3-42"


def test_our_headers_are_those_that_a_dead_letter_gets() -> None:
    cut = bury(source(b"a", b"x" * MAX_PAYLOAD_BYTES))
    assert {name for name, _ in cut.headers} == OURS
