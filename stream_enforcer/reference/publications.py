"""The publications that ownership files belong to: all files of one family of formats speak together."""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from io import BufferedReader
from pathlib import Path
from typing import Final, TypeVar

from stream_enforcer.domain.ownership.identity import BODS, FTM, GLEIF, NATIVE
from stream_enforcer.reference.bods import BodsReader
from stream_enforcer.reference.formats import Format, format_of
from stream_enforcer.reference.ftm import FtmReader
from stream_enforcer.reference.gleif import Columns, GleifReader
from stream_enforcer.reference.gleif_csv import gleif_rows
from stream_enforcer.reference.gleif_xml import GleifXml
from stream_enforcer.reference.json_objects import json_objects
from stream_enforcer.reference.native import NativeReader
from stream_enforcer.reference.packed import opened
from stream_enforcer.reference.reading import Sink, later
from stream_enforcer.reference.report import Origin, Tally

PUBLICATION: Final[Mapping[str, int]] = {
    "BODS": BODS,
    "FollowTheMoney": FTM,
    "GLEIF level 1 XML": GLEIF,
    "GLEIF level 2 XML": GLEIF,
    "GLEIF level 1 CSV": GLEIF,
    "GLEIF level 2 CSV": GLEIF,
    "native JSON Lines": NATIVE,
    "native CSV": NATIVE,
}
"""By format."""
READ_IN_ORDER: Final = (BODS, GLEIF, FTM, NATIVE)
"""On the same id, what a later one says replaces what an earlier one does."""
_Statement = TypeVar("_Statement")


class Publications:
    """A reader for each family of formats.

    Args:
        sinks: Where what each publication says is put.
    """

    def __init__(self, sinks: Callable[[int], Sink]) -> None:
        self._bods = BodsReader(sinks(BODS))
        self._gleif = GleifReader(sinks(GLEIF))
        self._ftm = FtmReader(sinks(FTM))
        self._native = NativeReader(sinks(NATIVE))

    @property
    def as_of(self) -> str | None:
        """Day of the newest snapshot or publication, where one is stated."""
        return reduce(later, (self._bods.as_of, self._gleif.as_of, self._ftm.as_of, self._native.as_of))

    def take(self, path: Path, *, strict: bool) -> Tally:
        """Read a file with the reader of its format."""
        form = format_of(path)
        tally = Tally(str(path), form, strict)
        with opened(path) as stream:
            self._take(form, stream, tally)
        return tally

    def end(self) -> None:
        """Give what could not be told before all files were read."""
        self._bods.end()
        self._gleif.end()

    def _take(self, form: Format, stream: BufferedReader, tally: Tally) -> None:
        match form:
            case "BODS":
                _each(json_objects(stream, tally), self._bods.statement, tally)
            case "FollowTheMoney":
                _each(json_objects(stream, tally), self._ftm.statement, tally)
            case "native JSON Lines":
                self._native.lines(stream, tally)
            case "native CSV":
                self._native.rows(stream, tally)
            case "GLEIF level 1 XML":
                self._xml(stream, self._gleif.entity, tally)
            case "GLEIF level 2 XML":
                self._xml(stream, self._gleif.relationship, tally)
            case "GLEIF level 1 CSV":
                self._csv(stream, self._gleif.entity, tally)
            case "GLEIF level 2 CSV":
                self._csv(stream, self._gleif.relationship, tally)

    def _xml(self, stream: BufferedReader, take: Callable[[Columns, Origin], None], tally: Tally) -> None:
        source = GleifXml(stream, tally.path)
        _each(source.records(), take, tally)
        self._gleif.dated(source.content_date)

    def _csv(self, stream: BufferedReader, take: Callable[[Columns, Origin], None], tally: Tally) -> None:
        """Read CSV, which has no header record: its newest update dates it."""
        newest = ""
        for place, columns in gleif_rows(stream, tally):
            tally.read += 1
            newest = max(newest, columns.get("Registration.LastUpdateDate", ""))
            take(columns, Origin(tally, place))
        self._gleif.dated(newest)


def _each(
    placed: Iterator[tuple[int, _Statement]], take: Callable[[_Statement, Origin], None], tally: Tally
) -> None:
    for place, statement in placed:
        tally.read += 1
        take(statement, Origin(tally, place))
