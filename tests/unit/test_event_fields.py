"""What is a time, an address and a country, and what only looks like one."""

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_enforcer.domain.events import (
    EARLIEST_MS,
    LATEST_MS,
    Event,
    Malformed,
    Usage,
    decode,
    iso_day,
    rfc3339,
)
from tests.builders import Json, record, signup, usage

SECRET = "TopSecretValue"  # noqa: S105 - what no message may repeat


def read(event: Json) -> Event | Malformed:
    return decode(record(event), None)


def malformed(event: Json) -> Malformed:
    found = read(event)
    assert isinstance(found, Malformed), found
    return found


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01",
        "2026-03-01T00:00:00",  # naive
        "2026-03-01T00:00:00.000000",
        "2026-03-01 00:00:00Z",
        "2026-03-01T000000.000Z",
        "2026-03-01T00:00:00,5Z",
        "2026-03-01T00:00:00.Z",
        "2026-03-01T00:00:00+0000",
        "2026-03-01T00:00+00:00",
        "2026-03-01T00:00:00+00",
        "2026-03-01T00:00:00+00:00:30",
        "2026-03-01T00:00:00+24:00",
        "2026-03-01T24:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-W09-7T00:00:00Z",
        "20260301T00:00:00.00Z",
        "٢٠٢٦-03-01T00:00:00Z",
        "1999-12-31T23:59:59.999Z",
        "2101-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "1767225600000",
        "",
        EARLIEST_MS - 1,
        LATEST_MS,
        -1,
        1_772_323_200_000.0,
        True,
        None,
        [],
    ],
)
def test_a_time_that_is_not_rfc_3339_with_an_offset_in_2000_to_2100_is_malformed(text: object) -> None:
    found = malformed(usage(occurred_at=text))
    assert found[:2] == ("validate", "bad_time")
    assert not text or str(text) not in found.message


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-03-01T00:00:00Z", 1_772_323_200_000),
        ("2026-03-01t00:00:00z", 1_772_323_200_000),
        ("2026-03-01T00:00:00-00:00", 1_772_323_200_000),
        ("2026-03-01T05:30:00+05:30", 1_772_323_200_000),
        ("2026-03-01T00:00:00.1Z", 1_772_323_200_100),
        ("2026-03-01T00:00:00.123999999Z", 1_772_323_200_123),
        ("2000-01-01T00:00:00Z", EARLIEST_MS),
        ("2100-12-31T23:59:59.999Z", LATEST_MS - 1),
        (1_772_323_200_000, 1_772_323_200_000),
    ],
)
def test_a_time_is_rfc_3339_or_epoch_milliseconds(text: object, ms: int) -> None:
    event = read(usage(occurred_at=text))
    assert isinstance(event, Usage)
    assert event.occurred_at == ms


@given(st.integers(EARLIEST_MS, LATEST_MS - 1))
def test_a_time_written_is_the_time_read(ms: int) -> None:
    event = read(usage(occurred_at=rfc3339(ms)))
    assert isinstance(event, Usage)
    assert event.occurred_at == ms
    assert datetime.fromisoformat(rfc3339(ms)) <= datetime.fromtimestamp(ms / 1000 + 0.001, UTC)
    assert rfc3339(ms).startswith(iso_day(ms // 86_400_000))


def accepted(address: str) -> bool:
    return not isinstance(read(usage(ip=address)), Malformed)


@given(
    st.one_of(
        st.ip_addresses().map(str),
        st.lists(st.integers(0, 300).map(str), min_size=3, max_size=5).map(".".join),
        st.from_regex(r"[0-9٣]{1,3}(\.[0-9٣]{1,3}){3}[\n]?", fullmatch=True),
        st.from_regex(r"[0-9a-fA-F:.]{1,12}", fullmatch=True),
    )
)
@example("fe80::1%eth0")
@example("01.2.3.4")
@example("1.2.3.4/32")
@example(" 1.2.3.4")
@example("1.2.3.4\n")
@example("٣.2.3.4")
@example("1.2.3.4.")
@example("::ffff:1.2.3.4")
@example("::1")
@example("")
def test_an_address_is_what_python_reads_as_one_without_a_zone_index(text: str) -> None:
    try:
        expected = bool(ip_address(text)) and "%" not in text
    except ValueError:
        expected = False
    assert accepted(text) is expected


@pytest.mark.parametrize("address", ["fe80::1%eth0", "01.2.3.4", "256.1.1.1", f"{SECRET}", "1.2.3"])
def test_a_bad_address_is_malformed_and_not_repeated(address: str) -> None:
    found = malformed(usage(ip=address))
    assert found[:2] == ("validate", "bad_ip")
    assert address not in found.message


@pytest.mark.parametrize("code", ["ıR", "ﬁ", "ß", "CHN", "C", "", " CN", "CN\n", "ＣＮ"])  # noqa: RUF001 - look-alikes
def test_a_country_is_two_ascii_letters(code: str) -> None:
    found = malformed(signup(declared_country=code))
    assert found[:2] == ("validate", "unknown_country")
