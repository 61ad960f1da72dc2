"""Indirect rows beside the direct rows they sum up: adding both would count a holding twice.

What a row sums up can stand after it, so nothing is known of an indirect row until all rows are. Till then each row
is kept as a few numbers, not as a stake.
"""

from array import array
from collections.abc import Iterator
from typing import Final, Literal

from stream_enforcer.domain.ownership.graph import Stake

SUMMED_UP: Final = "indirect row that sums up others"
"""The reason that readers give for a row which is dropped here."""

Fate = Literal["counts", "sums up others", "may overlap"]
"""What becomes of an indirect row: it counts as it stands, not at all, or with its greatest share alone."""

Days = tuple[str | None, str | None]
"""When a stake begins and ends, as ISO days."""

_INDIRECT: Final = 1
_SOME: Final = 2
_GONE: Final = 4


class Holdings:
    """The rows of a publication, by number: who holds whom, when, and whether that is said to be through others."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._holder, self._held = array("I"), array("I")
        self._since, self._until = array("I"), array("I")
        self._marks = bytearray()
        self._rows, self._start = array("I"), array("I")

    def number(self, party: str) -> int:
        """Return the number of a party."""
        found = self._numbers.get(party)
        if found is None:
            found = self._numbers[party] = len(self.names)
            self.names.append(party)
        return found

    def add(self, stake: Stake, *, indirect: bool) -> int:
        """Add a row and return its number."""
        self._holder.append(self.number(stake.holder))
        self._held.append(self.number(stake.held))
        self._since.append(day_number(stake.since))
        self._until.append(day_number(stake.until))
        self._marks.append((_INDIRECT if indirect else 0) | (_SOME if stake.max > 0 else 0))
        return len(self._marks) - 1

    @property
    def count(self) -> int:
        """How many rows there are, those that were taken back among them."""
        return len(self._marks)

    def drop(self, row: int) -> None:
        """Take a row back."""
        self._marks[row] |= _GONE

    def standing(self, row: int) -> bool:
        """Tell whether a row was not taken back."""
        return not self._marks[row] & _GONE

    def of(self, row: int) -> tuple[str, str, Days]:
        """Return the holder, the held company and the days of a row."""
        days = _text(self._since[row]), _text(self._until[row])
        return self.names[self._holder[row]], self.names[self._held[row]], days

    def repeated(self) -> Iterator[int]:
        """Drop and yield the indirect rows that a direct one of the same two says too."""
        self._sort()
        for row in self._indirect():
            of_both = (
                other for other in self._into(self._held[row]) if self._holder[other] == self._holder[row]
            )
            if any(not self._marks[other] & _INDIRECT and self._spans(other, row) for other in of_both):
                self.drop(row)
                yield row

    def fates(self) -> Iterator[tuple[int, Fate]]:
        """Yield each indirect row with what becomes of it.

        One counts not at all when other rows lead from its holder to the company: it is their sum. When none do, but
        others hold the company directly, it may or may not pass through them: its greatest share is all that is
        sure. When it is all that is known of the company, it counts as it stands.
        """
        self._sort()
        for row in self._indirect():
            if self._led_to(row):
                self.drop(row)
                yield row, "sums up others"
            elif any(not self._marks[other] & _INDIRECT for other in self._into(self._held[row])):
                yield row, "may overlap"
            else:
                yield row, "counts"

    def _indirect(self) -> Iterator[int]:
        return (row for row, marks in enumerate(self._marks) if marks & (_INDIRECT | _GONE) == _INDIRECT)

    def _sort(self) -> None:
        """Put the rows in order of the held company."""
        start = array("I", bytes(4 * (len(self.names) + 1)))
        for held in self._held:
            start[held + 1] += 1
        for party in range(len(self.names)):
            start[party + 1] += start[party]
        place = array("I", start)
        self._rows = array("I", bytes(4 * len(self._held)))
        for row, held in enumerate(self._held):
            self._rows[place[held]] = row
            place[held] += 1
        self._start = start

    def _into(self, party: int) -> Iterator[int]:
        rows = self._rows[self._start[party] : self._start[party + 1]]
        return (row for row in rows if not self._marks[row] & _GONE)

    def _led_to(self, total: int) -> bool:
        """Tell whether other rows, held on all the days of the total, lead through someone to its holder."""
        holder, held = self._holder[total], self._held[total]
        first = (row for row in self._into(held) if self._spans(row, total))
        seen = {self._holder[row] for row in first} - {holder, held}
        waiting = list(seen)
        while waiting:
            for row in self._into(waiting.pop()):
                party = self._holder[row]
                if not self._spans(row, total):
                    continue
                if party == holder:
                    return True
                if party not in seen and party != held:
                    seen.add(party)
                    waiting.append(party)
        return False

    def _spans(self, row: int, total: int) -> bool:
        """Tell whether a row is of some share, and lasts at least as long as a total."""
        since, until = self._since[row], self._until[row]
        starts = not since or 0 < since <= self._since[total]
        ends = not until or 0 < self._until[total] <= until
        return bool(self._marks[row] & _SOME) and starts and ends


def day_number(day: str | None) -> int:
    """Return an ISO day as a number that is greater for later ones, 0 for none."""
    return int(day.replace("-", "")) if day else 0


def _text(day: int) -> str | None:
    return f"{day // 10_000:04}-{day // 100 % 100:02}-{day % 100:02}" if day else None
