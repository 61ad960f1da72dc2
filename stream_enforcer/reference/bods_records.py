"""What has to be known of each record of a BODS publication until all statements are read, in little room."""

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from stream_enforcer.reference.origins import Origins
from stream_enforcer.reference.report import Origin

Reasons = tuple[tuple[str, ...], str | None]


class Said(NamedTuple):
    """What the latest statement of a record says.

    Attributes:
        date: Its date, as text.
        entity: Whether it describes an entity or a person.
        rows: Numbers of its rows.
        faults: What is wrong with it.
        passed_over: Why it says nothing, where that is so.
    """

    date: str = ""
    entity: bool = False
    rows: range = range(0)
    faults: tuple[str, ...] = ()
    passed_over: str | None = None


class BodsRecords:
    """The latest statement of each record: some 40 bytes each, and the record's id."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._dates: list[str] = []
        self._origins = Origins()
        self._entity = bytearray()
        self._first, self._after, self._reasons = array("I"), array("I"), array("I")
        self._known_dates: dict[str, str] = {}
        self._known_reasons: dict[Reasons, int] = {}
        self._reasons_by_number: list[Reasons] = []

    def number(self, record: str) -> int | None:
        """Return the number of a record, None for one without a statement so far."""
        return self._numbers.get(record)

    def names(self) -> Iterator[str]:
        """Yield the ids of all records, by number."""
        return iter(self._numbers)

    def put(self, number: int, said: Said, origin: Origin) -> None:
        """Keep what a record's latest statement says."""
        reasons = said.faults, said.passed_over
        code = self._known_reasons.setdefault(reasons, len(self._known_reasons))
        if code == len(self._reasons_by_number):
            self._reasons_by_number.append(reasons)
        self._dates[number] = self._known_dates.setdefault(said.date, said.date)
        self._entity[number] = said.entity
        self._first[number], self._after[number] = said.rows.start, said.rows.stop
        self._reasons[number] = code
        self._origins.put(number, origin)

    def new(self, record: str) -> int:
        """Return the number of a record that has none yet."""
        number = self._numbers[record] = len(self._dates)
        self._dates.append("")
        self._entity.append(0)
        for column in (self._first, self._after, self._reasons):
            column.append(0)
        return number

    def said(self, number: int) -> Said:
        """Return what is kept of a record."""
        rows = range(self._first[number], self._after[number])
        return Said(
            self._dates[number],
            bool(self._entity[number]),
            rows,
            *self._reasons_by_number[self._reasons[number]],
        )

    def origin(self, number: int) -> Origin:
        """Return where the latest statement of a record stands."""
        return self._origins[number]
