"""Spoils valid documents: wrong types, huge and odd numbers, deep nesting, names given twice, bytes out of place."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

_HOLE: Final = "here the odd value goes"
_DEEP: Final = 1_500

TOKENS: Final[tuple[bytes, ...]] = (
    *(b"null", b"true", b"false", b"0", b"-0", b"-1", b"1.5", b"[]", b"{}", b'""', b"[[]]", b'{"":null}'),
    *(b"NaN", b"Infinity", b"-Infinity", b"1e308", b"1e400", b"-1e400", b"1e-400", b"0.1", b"1E+2"),
    *(b"1e99999999999999999999", b"1e-99999999999999999999", b"0e999999999", b"100.00000001"),
    *(b"2147483648", b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"1" * 400),
    *(
        b"9" * 5_000,
        b'"' + b"9" * 5_000 + b'"',
        b'"1e999999999"',
        b'"NaN"',
        b'"-0"',
        b'"0.0000001"',
        b'" 50 "',
    ),
    *(
        b'"\\ud800"',
        b'"\\udfff\\ud800"',
        b'"\\u0000"',
        b'"\\u001b[2J"',
        b'"\\u2028"',
        b'"\\u00b2"',
        b'"\xff"',
    ),
    *(b'"\xed\xa0\x80"', b'"2024-02-30"', b'"0001-01-01T00:00:00+23:59"', b'"9999-12-31T23:59:59.9-23:59"'),
    *(b'"\xd9\xa1\xd9\xa2"', b'"::ffff:192.0.2.1"', b'"1.2.3.4\\n"', b'"XX"', b'"\xef\xac\x81"', b'"CN"'),
    *(b"[" * _DEEP, b"[" * _DEEP + b"]" * _DEEP, b'{"a":' * 900 + b"1" + b"}" * 900, b"[" * 200 + b"]" * 200),
    *(b'"' + b"a" * 2_000 + b'"', b"[" + b"1," * 3_000 + b"1]", b'["a","a"]', b'{"a":1,"a":2}'),
)
"""JSON values, and some that are none, that a decoder may not expect."""

_BYTES: Final = (
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r",
    b"\x85",
    b'"',
    b"{",
    b"}",
    b"#",
    b": ",
    b"- ",
    b"*a",
    b"&a ",
)


def spoiled(document: bytes, random: Random) -> bytes:
    """Return a document with one to three things wrong; sometimes with none."""
    for _ in range(random.randint(0, 3)):
        document = (
            _with_odd_value(document, random) if random.random() < 0.75 else _with_odd_bytes(document, random)
        )
    return document


def _with_odd_value(document: bytes, random: Random) -> bytes:
    """Spoil one value of a JSON document, or of one of its lines; bytes where it is no JSON."""
    lines = document.split(b"\n")
    place = random.randrange(len(lines))
    for start, end in ((0, len(lines)), (place, place + 1)):
        try:
            tree = json.loads(b"\n".join(lines[start:end]))
        except (ValueError, RecursionError):
            continue
        return b"\n".join((*lines[:start], _spoil_tree(tree, random), *lines[end:]))
    return _with_odd_bytes(document, random)


def _spoil_tree(tree: Any, random: Random) -> bytes:
    token = random.choice(TOKENS)
    places = list(_places(tree))
    if not places:
        return token
    holder, key = random.choice(places)
    old = holder[key]
    change = random.randrange(5)
    if change == 0:
        del holder[key]
        return _text(tree, random)
    if change == 1 and isinstance(holder, list):
        holder.insert(key, old)
        return _text(tree, random)
    if change == 2 and isinstance(holder, dict):
        token = _text(old, random) + b"," + json.dumps(key).encode() + b":" + token
    elif change == 3 and isinstance(holder, dict):
        del holder[key]
        key = random.choice(("", "id", "\x00", "kind", "recordId", "type", key.upper(), key + "\x1b"))
    holder[key] = _HOLE
    return _text(tree, random).replace(f'"{_HOLE}"'.encode(), token)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            yield node, key
            waiting.append(node[key])


def _text(tree: Any, random: Random) -> bytes:
    compact = random.random() < 0.8
    text = json.dumps(tree, ensure_ascii=random.random() < 0.5, separators=(",", ":") if compact else None)
    return text.encode(errors="surrogatepass")


def _with_odd_bytes(document: bytes, random: Random) -> bytes:
    start = random.randint(0, len(document))
    end = min(len(document), start + random.choice((0, 0, 1, 1, 8, 200)))
    middle = random.choice(
        (b"", random.choice(_BYTES), random.choice(TOKENS), document[start:end] * 2, random.randbytes(3))
    )
    return document[:start] + middle + (b"" if random.random() < 0.1 else document[end:])
