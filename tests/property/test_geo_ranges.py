from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from stream_enforcer.reference.cidr import Address, Network, Ranges, is_public, parse_cidrs
from stream_enforcer.reference.mmdb import open_mmdb
from tests.mmdb_writer import mmdb

v4 = st.integers(0, 2**32 - 1).map(IPv4Address)
v6 = st.integers(0, 2**128 - 1).map(IPv6Address)
addresses = st.one_of(v4, v6)
v4_networks = st.builds(lambda ip, bits: IPv4Network((int(ip), bits), strict=False), v4, st.integers(0, 32))
v6_networks = st.builds(lambda ip, bits: IPv6Network((int(ip), bits), strict=False), v6, st.integers(0, 128))
networks = st.lists(st.one_of(v4_networks, v6_networks), max_size=12)
MAPPED = IPv6Network("::ffff:0:0/96")


def edges(network: Network) -> list[Address]:
    """Give the first and last address of a network, and those just outside."""
    first, last = int(network.network_address), int(network.broadcast_address)
    top = 2**network.max_prefixlen - 1
    numbers = {first, last, max(first - 1, 0), min(last + 1, top)}
    return [(IPv4Address if network.version == 4 else IPv6Address)(number) for number in sorted(numbers)]


def holds(network: Network, address: Address) -> bool:
    """Say what `ipaddress` says."""
    return address in network


@given(networks, st.lists(addresses, max_size=5))
def test_ranges_hold_what_a_network_holds(given_networks: list[Network], others: list[Address]) -> None:
    plain = [network for network in given_networks if network.version == 4 or not MAPPED.supernet_of(network)]
    ranges = Ranges(plain)
    for address in [*others, *(edge for network in plain for edge in edges(network))]:
        assert (address in ranges) == any(holds(network, address) for network in plain)


@given(networks)
@example([IPv4Network("36.0.0.128/25"), IPv4Network("36.0.0.0/25")])
def test_spans_are_ascending_and_apart(given_networks: list[Network]) -> None:
    for version in (4, 6):
        spans = [
            (int(first), int(last))
            for first, last in Ranges(given_networks).spans()
            if first.version == version
        ]
        assert all(first <= last for first, last in spans)
        assert all(before[1] + 1 < after[0] for before, after in pairwise(spans))


@given(networks)
def test_a_list_reads_back_as_it_was_written(given_networks: list[Network]) -> None:
    assert parse_cidrs("list", "\n".join(map(str, given_networks)).encode()) == given_networks


@given(addresses)
@example(ip_address("192.0.2.1"))
@example(ip_address("2001:db8::1"))
def test_an_address_that_python_calls_private_is_not_public(address: Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        assert not is_public(address)


@given(st.sampled_from([24, 28, 32]), v4_networks.filter(lambda network: network.prefixlen > 0), v4)
def test_an_mmdb_has_a_record_exactly_for_the_addresses_of_its_networks(
    record_size: int, network: IPv4Network, other: IPv4Address
) -> None:
    table = open_mmdb(
        "test", mmdb({str(network): {"country_code": "NL"}}, ip_version=4, record_size=record_size)
    )
    for address in [other, *edges(network)]:
        assert (table.record(address) is not None) == holds(network, address)
