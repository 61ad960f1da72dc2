"""Where many statements stand, in little room."""

from array import array

from stream_enforcer.reference.report import Origin, Tally


class Origins:
    """The origins of numbered statements: 10 bytes each, not an object."""

    def __init__(self) -> None:
        self._tallies: list[Tally] = []
        self._tally, self._place = array("H"), array("Q")

    def put(self, number: int, origin: Origin) -> None:
        """Keep the origin of a statement, the next one or one that is there."""
        if not self._tallies or self._tallies[-1] is not origin.tally:
            self._tallies.append(origin.tally)
        if number == len(self._tally):
            self._tally.append(0)
            self._place.append(0)
        self._tally[number] = len(self._tallies) - 1
        self._place[number] = origin.place

    def __getitem__(self, number: int) -> Origin:
        return Origin(self._tallies[self._tally[number]], self._place[number])
