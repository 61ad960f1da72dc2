import hashlib
import lzma
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv6Network
from pathlib import Path

import pytest

from stream_enforcer.domain.countries import ISO_3166_1
from stream_enforcer.domain.geo import GeoLookup, IpFacts
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.geo import GeoTables, load_geo
from stream_enforcer.reference.mmdb import open_mmdb
from tests.mmdb_writer import mmdb

Write = Callable[[str, bytes | str], str]

CN, US = "36.0.0.0/8", "12.0.0.0/8"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(name: str, content: bytes | str) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return to_file


def nested(code: str) -> dict[str, object]:
    return {"continent": {"code": "AS"}, "country": {"iso_code": code, "names": {"en": code}}}


def epoch(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "record",
    [nested("CN"), {"country_code": "CN"}, {"country": "CN"}, {"country": "China", "country_code": "CN"}],
    ids=["nested", "flat", "flat country", "name and code"],
)
@pytest.mark.parametrize("record_size", [24, 28, 32])
def test_a_country_is_read_in_every_shape_and_record_size(
    write: Write, record: object, record_size: int
) -> None:
    path = write("country.mmdb", mmdb({CN: record, "2400::/12": record}, record_size=record_size))
    geo = load_geo([path])
    assert geo.lookup("36.1.2.3") == IpFacts("CN", None, "unknown")
    assert geo.lookup("2400:1::1").country == "CN"
    assert geo.lookup("8.8.8.8").country is None
    assert geo.has_country


def test_where_a_network_is_registered_is_not_where_its_user_is(write: Write) -> None:
    registered: dict[str, object] = {"registered_country": {"iso_code": "CN"}}
    path = write("country.mmdb", mmdb({CN: registered, US: nested("US") | registered}))
    geo = load_geo([path])
    assert geo.lookup("36.1.2.3").country is None
    assert geo.lookup("12.1.2.3").country == "US"


@pytest.mark.parametrize("code", ["ZZ", "EU", "AP", "XK", "", "cn", "CHN"])
def test_a_code_that_is_no_country_is_no_country(write: Write, code: str) -> None:
    geo = load_geo([write("country.mmdb", mmdb({CN: {"country_code": code}, US: nested("US")}))])
    assert geo.lookup("36.1.2.3").country is None


def test_the_later_country_file_wins_where_it_has_the_address(write: Write) -> None:
    first = write("first.mmdb", mmdb({CN: nested("CN"), US: nested("US"), "2400::/12": nested("JP")}))
    later = write("later.mmdb", mmdb({CN: {"country_code": "TW"}}, ip_version=4))
    geo = load_geo([first, later])
    facts = [geo.lookup(ip).country for ip in ("36.1.2.3", "12.1.2.3", "2400:1::1")]
    assert facts == ["TW", "US", "JP"]
    assert load_geo([later, first]).lookup("36.1.2.3").country == "CN"


def test_a_later_file_that_says_unassigned_is_believed(write: Write) -> None:
    first = write("first.mmdb", mmdb({CN: nested("CN")}))
    later = write("later.mmdb", mmdb({CN: {"country_code": "ZZ"}}))
    assert load_geo([first, later]).lookup("36.1.2.3").country is None


@pytest.mark.parametrize(
    "ip",
    [
        *("10.1.2.3", "127.0.0.1", "100.64.0.1", "169.254.1.1", "192.168.1.1", "198.51.100.7"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "2001:db8::1", "ff02::1"),
        *("::36.0.0.1", "::ffff:10.0.0.1"),
    ],
)
def test_private_and_reserved_addresses_have_no_country_whatever_a_table_says(write: Write, ip: str) -> None:
    v6 = IPv6Network("::/0").address_exclude(IPv6Network("::/96"))
    everything = ["0.0.0.0/0", *map(str, v6)]
    geo = load_geo([write("country.mmdb", mmdb(dict.fromkeys(everything, nested("CN"))))])
    assert geo.lookup("36.1.2.3").country == geo.lookup("2400::1").country == "CN"
    assert geo.lookup(ip).country is None


def test_a_v4_address_written_as_v6_is_the_v4_address(write: Write) -> None:
    geo = load_geo([write("country.mmdb", mmdb({CN: nested("CN")})), "vpn=" + write("vpn.txt", CN)])
    assert geo.lookup("::ffff:36.1.2.3") == geo.lookup("36.1.2.3") == IpFacts("CN", None, "vpn")


@pytest.mark.parametrize("record", [{"autonomous_system_number": 64496}, {"asn": "AS64496"}])
def test_the_as_number_is_read(write: Write, record: object) -> None:
    geo = load_geo([write("asn.mmdb", mmdb({CN: record}))])
    assert geo.lookup("36.1.2.3") == IpFacts(None, 64496, "unknown")
    assert not geo.has_country


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        (["is_anonymous", "is_tor_exit_node", "is_hosting_provider"], "tor"),
        (["is_anonymous", "is_anonymous_vpn", "is_hosting_provider"], "vpn"),
        (["is_anonymous", "is_public_proxy"], "vpn"),
        (["is_anonymous", "is_residential_proxy"], "vpn"),
        (["is_anonymous", "is_hosting_provider"], "hosting"),
        (["is_anonymous"], "vpn"),
    ],
)
def test_the_strongest_anonymous_flag_names_the_network(write: Write, flags: list[str], kind: str) -> None:
    record = dict.fromkeys(flags, True)
    geo = load_geo([write("anonymous.mmdb", mmdb({CN: record, US: {"is_anonymous": False}}))])
    assert geo.lookup("36.1.2.3").network == kind
    assert geo.lookup("12.1.2.3").network == "unknown"


def test_of_lists_and_anonymous_tables_the_strongest_kind_wins(write: Write) -> None:
    sources = [
        "hosting=" + write("hosting.txt", "36.0.0.0/8\n"),
        "tor=" + write("tor.txt", "36.0.0.1\n2400::5\n"),
        write("anonymous.mmdb", mmdb({"36.0.0.0/30": {"is_anonymous_vpn": True}})),
        "tor=" + write("more-tor.txt", "36.0.0.9\n"),
    ]
    geo = load_geo(sources)
    addresses = ("36.0.0.1", "36.0.0.2", "36.0.0.4", "36.0.0.9", "2400::5", "2400::6")
    kinds = [geo.lookup(ip).network for ip in addresses]
    assert kinds == ["tor", "vpn", "hosting", "tor", "tor", "unknown"]


def test_a_list_may_hold_comments_blank_lines_windows_line_ends_and_mapped_networks(write: Write) -> None:
    text = "# vpn exits\r\n\r\n 36.0.0.0/31 # two\r\n::ffff:12.0.0.0/104\r\n2400::/16"
    geo = load_geo(["vpn=" + write("vpn.txt", text)])
    addresses = ("36.0.0.1", "36.0.0.2", "12.255.255.255", "13.0.0.0", "2400:ffff::")
    kinds = [geo.lookup(ip).network for ip in addresses]
    assert kinds == ["vpn", "unknown", "vpn", "unknown", "vpn"]


def test_xz_changes_neither_answers_nor_hash(write: Write) -> None:
    table, names = mmdb({CN: nested("CN")}), "36.0.0.0/9\n"
    plain = load_geo([write("country.mmdb", table), "vpn=" + write("vpn.txt", names)])
    packed = load_geo(
        [
            write("country.mmdb.xz", lzma.compress(table)),
            "vpn=" + write("vpn.txt.xz", lzma.compress(names.encode())),
        ]
    )
    assert packed.hash == plain.hash
    assert packed.lookup("36.1.2.3") == plain.lookup("36.1.2.3") == IpFacts("CN", None, "vpn")


def test_the_hash_covers_kind_bytes_order_and_lengths(write: Write) -> None:
    one, two, both = write("1", "# one"), write("2", "# two"), write("3", "# onevpn:# two")
    hashes = {
        load_geo(sources).hash
        for sources in (
            [],
            [f"vpn={one}"],
            [f"tor={one}"],
            [f"vpn={one}", f"vpn={two}"],
            [f"vpn={two}", f"vpn={one}"],
            [f"vpn={both}"],
        )
    }
    assert len(hashes) == 6
    assert load_geo([f"vpn={one}"]).hash == load_geo([f"vpn={one}"]).hash
    assert load_geo([]).hash == hashlib.sha256().hexdigest()


def test_the_age_is_that_of_the_oldest_country_table(write: Write) -> None:
    new = write("new.mmdb", mmdb({CN: nested("CN")}, build_epoch=epoch("2026-06-17")))
    old = write("old.mmdb", mmdb({US: nested("US")}, build_epoch=epoch("2026-05-02")))
    asn = write("asn.mmdb", mmdb({US: {"asn": "AS1"}}, build_epoch=epoch("2020-01-01")))
    assert load_geo([new, old, asn]).built_on == "2026-05-02"
    assert load_geo([asn]).built_on is None


def test_geo_tables_are_a_geo_lookup_that_remembers() -> None:
    geo: GeoLookup = load_geo([])
    assert geo.lookup("36.1.2.3") == IpFacts(None, None, "unknown")
    assert geo.lookup("36.1.2.3") is geo.lookup("36.1.2.3")


def test_the_fast_reader_is_in_use() -> None:
    assert type(open_mmdb("", mmdb({CN: nested("CN")})).reader).__module__ == "maxminddb.extension"


def test_a_file_that_is_replaced_while_in_use_changes_no_answer(write: Write) -> None:
    path = write("country.mmdb", mmdb({CN: nested("CN")}))
    geo = load_geo([path])
    write("country.mmdb", b"")
    assert geo.lookup("36.1.2.3").country == "CN"


def bad(source: str) -> BadReference:
    with pytest.raises(BadReference) as raised:
        load_geo([source])
    return raised.value


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "absent.mmdb")
    assert bad(path).path == path
    assert bad(f"vpn={path}").path == path


@pytest.mark.parametrize("content", [b"", b"36.0.0.0/8\n", mmdb({CN: nested("CN")})[:-40]])
def test_what_is_no_mmdb_is_refused(write: Write, content: bytes) -> None:
    path = write("country.mmdb", content)
    assert str(bad(path)).startswith(f"{path}: is not a MaxMind DB file")


def test_an_mmdb_of_another_kind_is_refused_by_its_type(write: Write) -> None:
    path = write("domain.mmdb", mmdb({CN: {"domain": "example.org"}}, database_type="Domain"))
    assert "'Domain'" in bad(path).message


def test_damage_at_an_address_is_an_error_and_not_an_answer(write: Write) -> None:
    content = mmdb({f"36.{high}.{low}.0/24": nested("CN") for high in range(5) for low in range(256)})
    at = content.rindex(b"\x42CN")
    path = write("country.mmdb", content[:at] + b"\xff\xff\xff" + content[at + 3 :])
    geo = load_geo([path])
    assert geo.lookup("36.0.0.1").country == "CN"
    with pytest.raises(BadReference, match="damaged") as raised:
        geo.lookup("36.4.255.1")
    assert raised.value.path == path


def test_a_time_of_build_that_is_no_time_is_refused(write: Write) -> None:
    assert bad(write("country.mmdb", mmdb({CN: nested("CN")}, build_epoch=2**60))).field == "build_epoch"


@pytest.mark.parametrize(
    "line",
    ["36.0.0.1/8", "36.0.0.0/33", "300.0.0.1", "example.org", "2400::1/16", "36.0.0.0-36.0.0.9", "\xff\x00"],
)
def test_a_bad_line_of_a_list_is_named(write: Write, line: str) -> None:
    error = bad("tor=" + write("tor.txt", b"# list\n36.0.0.0/8\n" + line.encode("latin-1") + b"\n"))
    assert error.line == 3


def test_an_unknown_kind_of_list_is_refused(write: Write) -> None:
    assert "hosting, tor, vpn" in bad("proxy=" + write("list.txt", CN)).message


def test_a_cut_xz_file_is_refused(write: Write) -> None:
    path = write("country.mmdb.xz", lzma.compress(mmdb({CN: nested("CN")}))[:-9])
    assert bad(path).path == path


def test_a_text_that_is_no_address_is_an_error() -> None:
    tables: GeoTables = load_geo([])
    with pytest.raises(ValueError, match="is not an address"):
        tables.lookup("36.1.2")


def test_iso_3166_1_has_its_249_countries() -> None:
    assert len(ISO_3166_1) == 249
    assert {"CN", "HK", "KP", "TW"} < ISO_3166_1
    assert ISO_3166_1.isdisjoint({"EU", "UK", "XK", "ZZ", "AN", "SU"})
