import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stream_enforcer.reference import json_objects as module
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.json_objects import json_objects
from stream_enforcer.reference.report import Tally

OBJECTS: list[dict[str, Any]] = [{"a": 1}, {"b": ["[", "}", '\\"', "\u4e2d"]}, {}, {"c": {"d": None}}]


def read(text: str | bytes) -> tuple[list[tuple[int, dict[str, Any]]], str]:
    content = text if isinstance(text, bytes) else text.encode()
    tally = Tally("f", "JSON")
    return list(json_objects(io.BufferedReader(io.BytesIO(content)), tally)), tally.unit


def lines(*objects: object) -> str:
    return "\n".join(map(json.dumps, objects))


@pytest.mark.parametrize(
    ("text", "unit", "places"),
    [
        (lines(*OBJECTS), "line", [1, 2, 3, 4]),
        ("\ufeff" + lines(*OBJECTS), "line", [1, 2, 3, 4]),
        ("\n \n" + lines(OBJECTS[0]) + "\n\n" + lines(*OBJECTS[1:]) + "\n", "line", [3, 5, 6, 7]),
        (json.dumps(OBJECTS), "item", [0, 1, 2, 3]),
        ("\n\ufeff".strip("\n") + json.dumps(OBJECTS, indent=1), "item", [0, 1, 2, 3]),
        (json.dumps(OBJECTS, ensure_ascii=False) + "\n", "item", [0, 1, 2, 3]),
        ("\n".join(json.dumps(one, indent=1) for one in OBJECTS), "line", [1, 4, 12, 13]),
    ],
)
def test_all_forms_give_the_same_objects_with_their_places(text: str, unit: str, places: list[int]) -> None:
    found, said = read(text)
    assert [one for _, one in found] == OBJECTS
    assert ([place for place, _ in found], said) == (places, unit)


@pytest.mark.parametrize("text", ["", "\n\n", "[]", " [ ] \n"])
def test_nothing_gives_nothing(text: str) -> None:
    assert read(text)[0] == []


@pytest.mark.parametrize("text", ['{"n": 0.1}', '[{"n": 0.1}]', '{\n"n": 0.1}'])
def test_numbers_are_exact(text: str) -> None:
    assert read(text)[0][0][1] == {"n": Decimal("0.1")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "f:1: is not JSON"),
        ("[\n1]", "f:2: field [0]: is not a JSON object"),
        ('[{},\n{},\n"x"]', "f:3: field [2]: is not a JSON object"),
        ("[{}\n{}]", "f:2: is not JSON: an array must go on with , or ]"),
        ("[{},]", "f:1: field [1]: is not a JSON object"),
        ("[{}", "f:1: is not JSON: an array must go on"),
        ("[{}]\n{}", "f:2: is not JSON: there is more after the array"),
        ('[{\n"a": 1,\n"b" 2}]', "f:3: is not JSON"),
        ('[{"a": "x', "f:1: is not JSON"),
        ('{"a": 1}\n{"b"', "f:2: is not JSON"),
        ('{"a": 1}\n7', "f:2: is not a JSON object"),
        ('{\n"a" 1}', "f:2: is not JSON"),
        ('{\n"a": 1}\n]', "f:3: is not a JSON object"),
        ("{not json\n", "f:1: is not JSON"),
        ('[{"a": 1e99999999999999999999}]', "f:1: is not JSON: a number is too long"),
        ('[{},\n{"a": ' + "7" * 5000 + "}]", "f:2: is not JSON: a number is too long"),
        ('{}\n{"a": 1e99999999999999999999}', "f:2: is not JSON"),
        (b'[{"a": "\xff"}]', "f:1: is not JSON: not UTF-8"),
        ('[{"a":' + "[" * 100_000, "f:1: is not JSON: it is nested too deeply"),
        ('{"a": 1}\n{"a":' + "[" * 100_000, "f:2: is not JSON"),
    ],
)
def test_what_is_not_json_is_refused_with_its_line(text: str | bytes, message: str) -> None:
    with pytest.raises(BadReference) as caught:
        read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ['[{"a": "%s"}]', '{"a": "%s"}', '{}\n{"a": "%s"}', '[{}, {"a": "%s'])
def test_an_object_of_any_size_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(module, "LONGEST", 1000)
    monkeypatch.setattr(module, "CHUNK", 100)
    assert read(text.removesuffix("%s") + "x" * 500 + '"}]' if text.endswith("%s") else text % ("x" * 500))[0]
    with pytest.raises(BadReference):
        read(text % ("x" * 5000) if not text.endswith("%s") else text.removesuffix("%s") + "x" * 5000 + '"}]')


def test_an_array_is_read_in_pieces(tmp_path: Path) -> None:
    class Counted(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            piece = (b"[" if not self.given else b",") + json.dumps({"a": "x" * 1000}).encode()
            buffer[: len(piece)] = piece
            self.given += len(piece)
            return len(piece)

    raw = Counted()
    objects = json_objects(io.BufferedReader(raw, 4096), Tally("f", "JSON"))
    for _ in range(100):
        next(objects)
    endless = raw.given
    assert endless < module.LONGEST + (2 << 20)
