"""Writes small MaxMind DB files (format 2.0) for tests."""

from collections.abc import Mapping
from ipaddress import ip_network
from struct import pack

_TREE_BITS = {4: 32, 6: 128}
_METADATA_MARKER = b"\xab\xcd\xefMaxMind.com"

_TYPES = {"string": 2, "uint16": 5, "uint32": 6, "map": 7, "uint64": 9, "array": 11, "boolean": 14}


def encode(value: object) -> bytes:
    """Encode a text, a boolean, a number below 2^32, a map, a list, or a (type, number) pair."""
    match value:
        case str():
            raw = value.encode()
            return _control("string", len(raw)) + raw
        case bool():
            return _control("boolean", int(value))
        case int():
            return encode(("uint32", value))
        case (str(kind), int(number)):
            raw = number.to_bytes(8, "big").lstrip(b"\0")
            return _control(kind, len(raw)) + raw
        case dict():
            pairs = b"".join(encode(key) + encode(item) for key, item in value.items())
            return _control("map", len(value)) + pairs
        case list():
            return _control("array", len(value)) + b"".join(map(encode, value))
        case _:
            raise TypeError(f"no encoding for {type(value).__name__}")


def _control(kind: str, size: int) -> bytes:
    assert size < 285, "sizes from 285 on are not written"
    code = _TYPES[kind]
    short = min(29, size)
    extra = b"" if size < 29 else pack("B", size - 29)
    if code <= 7:
        return pack("B", code << 5 | short) + extra
    return pack("BB", short, code - 7) + extra


def mmdb(
    networks: Mapping[str, object],
    *,
    ip_version: int = 6,
    record_size: int = 24,
    database_type: str = "Test",
    build_epoch: int = 1_780_000_000,
) -> bytes:
    """Build a file's bytes; in a version 6 file v4 networks lie at ::/96. Networks may not overlap."""
    nodes: list[list[int | tuple[str, int] | None]] = [[None, None]]
    data = b""
    for text, record in networks.items():
        bits = _bits(text, ip_version)
        at = 0
        for bit in bits[:-1]:
            child = nodes[at][bit]
            assert child is None or isinstance(child, int), f"{text} lies in another network"
            if child is None:
                nodes.append([None, None])
                child = nodes[at][bit] = len(nodes) - 1
            at = child
        assert nodes[at][bits[-1]] is None, f"{text} holds another network"
        nodes[at][bits[-1]] = ("data", len(data))
        data += encode(record)
    metadata = {
        "binary_format_major_version": ("uint16", 2),
        "binary_format_minor_version": ("uint16", 0),
        "build_epoch": ("uint64", build_epoch),
        "database_type": database_type,
        "description": {},
        "ip_version": ("uint16", ip_version),
        "languages": [],
        "node_count": len(nodes),
        "record_size": ("uint16", record_size),
    }
    tree = b"".join(_node(pair, len(nodes), record_size) for pair in nodes)
    return tree + bytes(16) + data + _METADATA_MARKER + encode(metadata)


def _bits(text: str, ip_version: int) -> list[int]:
    network = ip_network(text)
    width = _TREE_BITS[ip_version]
    prefix = network.prefixlen + width - network.max_prefixlen
    return [int(network.network_address) >> width - 1 - at & 1 for at in range(prefix)]


def _node(pair: list[int | tuple[str, int] | None], count: int, record_size: int) -> bytes:
    left, right = (_pointer(child, count) for child in pair)
    match record_size:
        case 24:
            return left.to_bytes(3, "big") + right.to_bytes(3, "big")
        case 28:
            high = (left >> 24) << 4 | right >> 24
            return (
                (left & 0xFFFFFF).to_bytes(3, "big") + pack("B", high) + (right & 0xFFFFFF).to_bytes(3, "big")
            )
        case _:
            return left.to_bytes(4, "big") + right.to_bytes(4, "big")


def _pointer(child: int | tuple[str, int] | None, count: int) -> int:
    if child is None:
        return count
    return child if isinstance(child, int) else count + 16 + child[1]
