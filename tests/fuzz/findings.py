"""Input that broke a decoder once. Each stays, with what was wrong."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from stream_enforcer.domain.decision import compute_id
from tests.fuzz.seeds import SEEDS
from tests.mmdb_writer import mmdb


def _decision(**changes: Any) -> bytes:
    """Give a decision whose id fits, so that the checks after that of the id are reached."""
    decision = {**orjson.loads(SEEDS["explain"][-1]), **changes}
    decision["decision_id"] = compute_id(decision)
    return orjson.dumps(decision, option=orjson.OPT_SORT_KEYS)


def _many_stakes(companies: int, stakes: int) -> bytes:
    """Give a decision that shows far more stakes than the service ever writes."""
    shares = range(1, stakes + 1)
    edges = [
        {
            "holder": f"c{place}",
            "held": f"c{(place + step * 7) % companies}",
            "min": 1_000_003 * (1 + place * step % 7) % (100_000_000 // stakes),
            "max": 100_000_000 // stakes - 1,
        }
        for place in range(companies)
        for step in shares
    ]
    root = {"holder": "r", "held": "c0", "min": 40_000_000, "max": 40_000_000, "country": "CN"}
    ownership = orjson.loads(SEEDS["explain"][-1])["ownership"]
    return _decision(ownership={**ownership, "entity": "c1", "proof": [*edges, root]})


def _name_twice_among_many() -> bytes:
    names = b",".join(b'"%d": 1' % number for number in range(70_000))
    decision = _decision(facts={})
    many = decision.replace(b'"facts":{}', b'"facts":{' + names + b"}")
    stated, computed = (compute_id(orjson.loads(value)).encode() for value in (decision, many))
    return many.replace(stated, computed)


def _tenfold(depth: int) -> Iterator[bytes]:
    yield b"- &a0 [x,x,x,x,x,x,x,x,x,x]"
    for number in range(1, depth):
        yield b"- &a%d [%b]" % (number, b",".join([b"*a%d" % (number - 1)] * 10))


def _circular_tree() -> bytes:
    """Give a MaxMind DB whose first node leads back to itself."""
    content = mmdb({"1.1.1.0/24": {"country": {"iso_code": "CN"}}})
    return bytes(6) + content[6:]


_BOMB: Final = b"\n".join(_tenfold(9))
_STATEMENT: Final = (
    b'[{"recordId":"a","recordType":"relationship","recordDetails":{"subject":"b","interests":5}}]'
)
_CLOSED: Final = b'{"kind":"entity","id":"e","type":"company","name":"'
FINDINGS: Final[Mapping[str, tuple[str, bytes]]] = {
    "a day that is none in a policy": ("policy", b"id: 2024-13-45\n"),
    "a number of 5,000 digits in a policy": ("policy", b"id: " + b"9" * 5_000),
    "a tag that does not fit in a policy": ("policy", b"id: !!timestamp x\n"),
    "references that stand for 10^9 values in a policy": ("policy", _BOMB),
    "a day that is none in settings": ("settings", b"emit: 2024-13-45\n"),
    "a number that is none in settings": ("settings", b"http: {port: !!int x}\n"),
    "an empty number in settings": ("settings", b"http: {port: !!int ''}\n"),
    "a truth that is none in settings": ("settings", b"http: {port: !!bool x}\n"),
    "nesting without end in settings": ("settings", b"geo: " + b"[" * 2_000),
    "references that stand for 10^9 values in settings": ("settings", b"geo:\n" + _BOMB),
    "nesting without end in a variable": ("environment", b"GEO=" + b"[" * 100_000),
    "an exponent without end in a record": (
        "ownership_record",
        b'{"kind":"stake","share":1e99999999999999999999}',
    ),
    "half a character in a record": ("ownership_record", _CLOSED + b'\\ud800"}'),
    "half a character in a record's bytes": ("ownership_record", _CLOSED + b'\xed\xa0\x80"}'),
    "an exponent without end in a statement": (
        "ownership",
        b'[{"recordId":"a","x":1e-99999999999999999999}]',
    ),
    "half a character in a statement": (
        "ownership",
        b'[{"recordId":"\\ud800","recordType":"entity","recordDetails":{"name":"n"}}]',
    ),
    "replaced statements that are no list": ("ownership", b'[{"recordId":"a","replacesStatements":5}]'),
    "interests that are no list": ("ownership", _STATEMENT),
    "a tree that runs in circles": ("geo", _circular_tree()),
    "a checkpoint that is not JSON": ("changelog", b"ckpt #"),
    "a checkpoint that is a number": ("changelog", b"ckpt 0.1"),
    "a checkpoint that is too short": ("changelog", b'ckpt [1,{"usage":9},4]'),
    "a checkpoint of a world without reference data": ("changelog", b'ckpt [1,{"usage":9},4,["p"],null]'),
    "a state that is too short": ("changelog", b"a:acct [1,2]"),
    "an account whose name is no text": ("changelog", b"a:\xff " + SEEDS["state"][0]),
    "70,000 names, each looked for among all": ("verify", _name_twice_among_many()),
    "more stakes than are ever shown": ("verify", _many_stakes(200, 8)),
    "a chain longer than is ever shown": ("verify", _many_stakes(5_000, 1)),
    "a number that one parser takes and one does not": (
        "explain",
        _decision(facts={}).replace(b'"facts":{}', b'"facts":{"x":NaN}'),
    ),
    "a share too large for a number of the printer": (
        "explain",
        SEEDS["explain"][-1].replace(b'"threshold":50000000', b'"threshold":' + b"9" * 30),
    ),
    "a CSV header that holds half a line's end": ("ownership", b"id,name\r,type\n"),
    "an exponent without end in a statement over lines": (
        "ownership",
        b'{"recordId":\n"a","x":1e-99999999999999999999}',
    ),
    "a number of 5,000 digits in an array": ("ownership", b'[{"recordId":"a","x":' + b"9" * 5_000 + b"}]"),
    "a megabyte of bad rules": (
        "events",
        b'{"type":"override","account_id":"a","rules":[' + b"1," * 500_000 + b"1]}",
    ),
}
"""The decoder and the input, by what is wrong with it."""
