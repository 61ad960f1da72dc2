"""The objects of a JSON file one at a time: JSON Lines, an array, or objects one after another."""

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from decimal import Decimal
from io import BufferedReader
from typing import Any, Final

from stream_enforcer.reference.characters import HalfCharacter, refuse_halves
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.native import parse_object
from stream_enforcer.reference.packed import CHUNK
from stream_enforcer.reference.report import Tally

LONGEST: Final = 16 << 20
"""The most bytes (in an array: characters) that one object may have: a reader holds one at a time."""

_BEGINNING: Final = 4096
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder(parse_float=Decimal)
_BOM: Final = b"\xef\xbb\xbf"

Placed = tuple[int, dict[str, Any]]


def json_objects(stream: BufferedReader, tally: Tally) -> Iterator[Placed]:
    """Yield each object with its place, and set the unit of places in the tally.

    Numbers are exact. The places are lines of JSON Lines and of objects in sequence, items of an array.

    Args:
        stream: UTF-8, a byte order mark is allowed.
        tally: Names the file in errors.

    Raises:
        BadReference: Not JSON, not UTF-8, something else than an object, or one of more than `LONGEST`.
    """
    path = tally.path
    number, line = 1, _line(stream, 1, path)
    while line and not line.removeprefix(_BOM).strip():
        number, line = number + 1, _line(stream, number + 1, path)
    if not line.removeprefix(_BOM).lstrip().startswith(b"["):
        first = _object(line)
        if first is not None or not line:
            return _lines(stream, first, number, path)
        return _Pieces(stream, line, number, path).sequence()
    tally.unit = "item"
    return _Pieces(stream, line, number, path).array()


def _line(stream: BufferedReader, number: int, path: str) -> bytes:
    """Return the next line. Of an array, which may be one line, it is no more than a beginning."""
    line = stream.readline(_BEGINNING)
    if line.endswith(b"\n") or line.removeprefix(_BOM).lstrip().startswith(b"["):
        return line
    line += stream.readline(LONGEST)
    if len(line) > LONGEST:
        raise BadReference(path, f"has a line of more than {LONGEST} bytes", line=number)
    return line


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        text = line.decode("utf-8-sig")
        found = json.loads(text, parse_float=Decimal)
        refuse_halves(found, text)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _lines(stream: BufferedReader, first: dict[str, Any] | None, number: int, path: str) -> Iterator[Placed]:
    if first is not None:
        yield number, first
    while line := _line(stream, number + 1, path):
        number += 1
        if line.strip():
            yield number, parse_object(line, path=path, line=number)


class _Pieces:
    """JSON text that comes in pieces, of which no more is kept than the object that is being read."""

    def __init__(self, stream: BufferedReader, start: bytes, line: int, path: str) -> None:
        self._stream = stream
        self._path = path
        self._decoder = getincrementaldecoder("utf-8-sig")()
        self._line = line
        self._at = 0
        self._ended = False
        self._text = ""
        self._take(start)

    def sequence(self) -> Iterator[Placed]:
        """Yield objects that stand one after another."""
        while self._next():
            line = self._line + self._text.count("\n", 0, self._at)
            yield line, self._value()

    def array(self) -> Iterator[Placed]:
        """Yield the objects of one array, and refuse anything after it."""
        self._next()
        self._at += 1
        place = 0
        if self._next() != "]":
            while True:
                yield place, self._value(place)
                place += 1
                if self._next() != ",":
                    break
                self._at += 1
                self._next()
        if self._next() != "]":
            raise self._fault("an array must go on with , or ]", self._at)
        self._at += 1
        if self._next():
            raise self._fault("there is more after the array", self._at)

    def _next(self) -> str:
        """Move to what is not blank, and return its first character, or nothing at the end."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _value(self, item: int | None = None) -> dict[str, Any]:
        if self._next() not in {"{", ""}:
            place = None if item is None else f"[{item}]"
            raise BadReference(self._path, "is not a JSON object", line=self._line_at(self._at), field=place)
        found: dict[str, Any]  # as it begins with a brace
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
                refuse_halves(found, self._text[self._at : end])
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > LONGEST or not self._more():
                    raise self._fault(error.msg, error.pos) from None
            except RecursionError:
                raise self._fault("it is nested too deeply", self._at) from None
            except HalfCharacter as error:
                raise self._fault(str(error), self._at) from None
            except (ValueError, ArithmeticError):
                raise self._fault("a number is too long", self._at) from None
            else:
                self._at = end
                return found

    def _more(self) -> bool:
        """Read on. What is left is tried again as a whole, so each piece is at least as long as it is."""
        if self._ended:
            return False
        self._line += self._text.count("\n", 0, self._at)
        self._text = self._text[self._at :]
        self._at = 0
        wanted = len(self._text) + 1
        while wanted > 0 and not self._ended:
            wanted -= self._take(self._stream.read1(CHUNK))
        return True

    def _take(self, piece: bytes) -> int:
        self._ended = not piece
        try:
            text = self._decoder.decode(piece, final=self._ended)
        except UnicodeDecodeError as error:
            raise self._fault(f"not UTF-8 ({error.reason})", len(self._text)) from None
        self._text += text
        return len(text)

    def _line_at(self, position: int) -> int:
        return self._line + self._text.count("\n", 0, position)

    def _fault(self, message: str, position: int) -> BadReference:
        return BadReference(self._path, f"is not JSON: {message}", line=self._line_at(position))
