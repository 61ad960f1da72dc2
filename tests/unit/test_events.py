"""Bad input gives one `Malformed` that names stage, class and field, and never says the value."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.domain.events import (
    Malformed,
    Override,
    Signup,
    Usage,
    decode,
)
from stream_enforcer.domain.records import StoredRecord
from tests.builders import Json, override, record, signup, usage

SECRET = "TopSecretValue"  # noqa: S105 - what no message may repeat


def raw(value: bytes | None, key: bytes | None = b"a") -> StoredRecord:
    return StoredRecord("usage", 0, 7, 0, key, value)


def with_field(text: str, event: Json | None = None) -> bytes:
    """Write an event with one more field, given as JSON text, at its end."""
    return (json.dumps(event or usage())[:-1] + f", {text}}}").encode()


def malformed(value: bytes | None, key: bytes | None = b"a", kind: Any = "usage") -> Malformed:
    found = decode(raw(value, key), kind)
    assert isinstance(found, Malformed), found
    return found


NOT_JSON: dict[str, bytes] = {
    "empty": b"",
    "words": b"not json",
    "cut off": json.dumps(usage()).encode()[:-1],
    "more after the end": json.dumps(usage()).encode() + b"{}",
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(usage()).encode(),
    "1 MB of zeros": bytes(1 << 20),
    "1 MB of letters": b"x" * (1 << 20),
    "100,000 brackets": b"[" * 100_000,
    "100,000 brackets in an unknown field": with_field('"x": ' + "[" * 100_000 + "]" * 100_000),
    "invalid UTF-8": b"\xff\xfe",
    "invalid UTF-8 inside a string": with_field('"x": "?"').replace(b"?", b"\xc3\x28"),
    "invalid UTF-8 inside an id": json.dumps(usage(event_id="?")).encode().replace(b"?", b"\xff"),
    "a lone surrogate": with_field(r'"x": "\ud800"'),
    "a lone surrogate in an id": with_field(r'"event_id": "\udfff"'),
    "a number of 100,000 digits": with_field('"x": ' + "9" * 100_000),
    "an unescaped control character": json.dumps(usage(event_id="?")).encode().replace(b"?", b"\x01"),
}


@pytest.mark.parametrize("value", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_text_fails_to_decode(value: bytes) -> None:
    found = malformed(value)
    assert (found.stage, found.error) == ("decode", "json_invalid")
    assert len(found.message) < 200


def test_a_tombstone_is_no_event() -> None:
    assert malformed(None)[:2] == ("decode", "tombstone")


@pytest.mark.parametrize("value", [b"null", b"[]", b"1", b'"text"', b'"' + b"x" * (1 << 20) + b'"'])
@pytest.mark.parametrize("kind", ["usage", None])
def test_json_that_is_no_object_fails_to_validate(value: bytes, kind: Any) -> None:
    assert malformed(value, kind=kind)[:2] == ("validate", "model_type")


BAD_FIELDS: list[tuple[Json, str, str]] = [
    (usage(event_id=""), "string_too_short", "event_id"),
    (usage(event_id="x" * 257), "string_too_long", "event_id"),
    (usage(event_id=f"{SECRET}\0"), "string_pattern_mismatch", "event_id"),
    (usage(event_id=f"{SECRET}\n"), "string_pattern_mismatch", "event_id"),
    (usage(event_id=f"{SECRET}\x7f"), "string_pattern_mismatch", "event_id"),
    (usage(event_id=f"{SECRET}\x85"), "string_pattern_mismatch", "event_id"),
    (usage(event_id=5), "string_type", "event_id"),
    (usage(event_id=None), "string_type", "event_id"),
    (usage(input_tokens=1.0), "int_type", "input_tokens"),
    (usage(input_tokens=float("nan")), "int_type", "input_tokens"),
    (usage(input_tokens=float("inf")), "int_type", "input_tokens"),
    (usage(input_tokens="1"), "int_type", "input_tokens"),
    (usage(input_tokens=True), "int_type", "input_tokens"),
    (usage(input_tokens=-1), "greater_than_equal", "input_tokens"),
    (usage(cost_usd_micros=10**15 + 1), "less_than_equal", "cost_usd_micros"),
    (usage(cost_usd_micros=10**400), "less_than_equal", "cost_usd_micros"),
    (usage(occurred_at=10**400), "bad_time", "occurred_at"),
    (usage(model=""), "string_too_short", "model"),
    (usage(model="x" * 513), "string_too_long", "model"),
    (signup(declared_country="XX"), "unknown_country", "declared_country"),
    (signup(billing_country="UK"), "unknown_country", "billing_country"),
    (signup(phone_country=f"{SECRET}"), "unknown_country", "phone_country"),
    (signup(phone_country=86), "string_type", "phone_country"),
    (signup(email_domain="two words"), "string_pattern_mismatch", "email_domain"),
    (signup(email_domain="x" * 254), "string_too_long", "email_domain"),
    (signup(organization={}), "missing", "organization.name"),
    (signup(organization=SECRET), "model_type", "organization"),
    (signup(organization={"name": SECRET, "country": "EU"}), "unknown_country", "organization.country"),
    (signup(organization={"name": SECRET, "lei": " "}), "string_too_short", "organization.lei"),
    (override(action="forgive"), "literal_error", "action"),
    (override(rules=[]), "too_short", "rules"),
    (override(rules=[f"r{n}" for n in range(65)]), "too_long", "rules"),
    (override(rules=["fine", ""]), "string_too_short", "rules.1"),
    (override(evidence_hash=SECRET), "string_pattern_mismatch", "evidence_hash"),
    (override(expires_at="tomorrow"), "bad_time", "expires_at"),
    (override(reason=""), "string_too_short", "reason"),
]


@pytest.mark.parametrize(("event", "error", "field"), BAD_FIELDS)
def test_a_bad_field_is_named_with_its_class_and_without_its_value(
    event: Json, error: str, field: str
) -> None:
    found = malformed(json.dumps(event).encode(), kind=event["type"])
    assert (found.stage, found.error) == ("validate", error)
    assert found.message.startswith(f"{field}: ")
    assert SECRET not in found.message


def test_an_event_of_another_type_than_its_topic_carries_is_malformed() -> None:
    assert malformed(json.dumps(signup()).encode(), kind="usage")[:2] == ("validate", "literal_error")


@pytest.mark.parametrize("field", ["event_id", "account_id", "occurred_at", "type"])
def test_a_missing_field_is_named(field: str) -> None:
    event = usage()
    del event[field]
    found = malformed(json.dumps(event).encode())
    assert found[:2] == ("validate", "missing")
    assert found.message.startswith(f"{field}: ")


def test_several_faults_give_one_malformed_that_counts_them() -> None:
    found = malformed(json.dumps(usage(event_id="", input_tokens=-1, model="")).encode())
    assert found.message.endswith("(and 2 more)")


def test_approving_ones_own_request_is_malformed() -> None:
    event = override(requested_by=SECRET, approved_by=SECRET)
    found = malformed(json.dumps(event).encode(), kind="override")
    assert found[:2] == ("validate", "same_person")
    assert SECRET not in found.message


@pytest.mark.parametrize("key", [None, b"", b"b", b"a ", b"\xff", b"a\0", b"\xef\xbd\x81"])
def test_a_key_that_is_not_the_account_id_is_malformed(key: bytes | None) -> None:
    assert malformed(json.dumps(usage("a")).encode(), key=key)[:2] == ("validate", "key_mismatch")


@pytest.mark.parametrize("account", ["", "x" * 257, "a\0b", "a\tb", "a\x9fb"])
def test_an_account_id_of_bad_length_or_with_control_characters_is_malformed(account: str) -> None:
    found = malformed(json.dumps(usage(account)).encode(), key=account.encode())
    assert found.message.startswith("account_id: ")


@pytest.mark.parametrize("account", ["a", "x" * 256, "ключ", "账户", "a b", "😀" * 256])
def test_an_account_id_is_any_text_of_256_characters(account: str) -> None:
    assert isinstance(decode(record(usage(account)), "usage"), Usage)


def test_what_is_read_is_normalised() -> None:
    event = decode(
        record(
            signup(
                declared_country="cn",
                email_domain=" Mail.Example ",
                organization={"name": "Acme", "lei": " abc ", "registration_number": "x1", "country": "us"},
            )
        ),
        "signup",
    )
    assert isinstance(event, Signup)
    assert (event.declared_country, event.email_domain) == ("CN", "mail.example")
    assert event.organization is not None
    assert event.organization.lei == "ABC"
    assert event.organization.registration_number == "X1"
    assert event.organization.country == "US"


@pytest.mark.parametrize("text", ['"x": 1', '"x": null', f'"x": {"9" * 400}', '"x": {"y": [1.5]}'])
def test_unknown_fields_are_ignored(text: str) -> None:
    assert decode(raw(with_field(text)), "usage") == decode(record(usage()), "usage")


def test_of_a_field_given_twice_the_last_counts() -> None:
    event = decode(raw(with_field('"event_id": "second"')), "usage")
    assert isinstance(event, Usage)
    assert event.event_id == "second"
    assert malformed(with_field('"account_id": "b"'), key=b"a")[:2] == ("validate", "key_mismatch")
    assert malformed(with_field('"input_tokens": 1, "input_tokens": "x"')).error == "int_type"


@pytest.mark.parametrize(("event", "model"), [(signup(), Signup), (usage(), Usage), (override(), Override)])
def test_where_one_file_carries_all_kinds_the_type_tells(event: Json, model: type) -> None:
    assert isinstance(decode(record(event), None), model)


def test_a_type_that_no_event_has_is_malformed() -> None:
    found = malformed(json.dumps(usage(type=SECRET)).encode(), kind=None)
    assert found[:2] == ("validate", "literal_error")
    assert SECRET not in found.message


@given(st.binary(max_size=200), st.one_of(st.none(), st.binary(max_size=8)))
def test_nothing_is_raised_for_any_bytes(value: bytes, key: bytes | None) -> None:
    for kind in ("signup", "usage", "override", None):
        assert isinstance(decode(raw(value, key), kind), Malformed)
