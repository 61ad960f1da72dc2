"""What became of the statements of a source: read, used, skipped and why, and where each reason was first met."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from stream_enforcer.reference.errors import BadReference

Unit = Literal["line", "item"]
Kind = Literal["fault", "passed over", "remark"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why statements, or parts of them, were not used as they stand.

    Attributes:
        kind: A `fault` of the data; statements `passed over`, which say nothing that this service asks; a `remark`
            on statements that were used.
        text: The reason; one of a fixed few, never text of the file.
        count: How often.
        first: Where it was first met: a line counted from 1, or an item of an array counted from 0.
    """

    kind: Kind
    text: str
    count: int
    first: int


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What became of one file.

    Attributes:
        path: The file, as the operator gave it.
        format: What its content showed it to be.
        unit: What `Reason.first` counts.
        read: Statements (records, rows, objects) in it.
        used: Those from which an entity or a stake was taken.
        reasons: In order of first appearance. One statement may have several.
    """

    path: str
    format: str
    unit: Unit
    read: int
    used: int
    reasons: tuple[Reason, ...]

    @property
    def faults(self) -> int:
        """How many faults the data have."""
        return sum(reason.count for reason in self.reasons if reason.kind == "fault")


@dataclass(slots=True, eq=False)
class Tally:
    """Counts while a file is read.

    Attributes:
        strict: Whether the first fault ends the reading.
    """

    path: str
    format: str
    strict: bool = False
    unit: Unit = "line"
    read: int = 0
    used: int = 0
    _found: dict[tuple[Kind, str], tuple[int, int]] = field(default_factory=dict)

    def fault(self, reason: str, place: int) -> None:
        """Count a fault of the data.

        Raises:
            BadReference: The reading is strict.
        """
        if self.strict:
            if self.unit == "item":
                raise BadReference(self.path, reason, field=f"[{place}]")
            raise BadReference(self.path, reason, line=place)
        self._count("fault", reason, place)

    def pass_over(self, reason: str, place: int) -> None:
        """Count a statement that is sound but says nothing that is asked."""
        self._count("passed over", reason, place)

    def remark(self, reason: str, place: int) -> None:
        """Count something worth knowing of a statement that is used."""
        self._count("remark", reason, place)

    def _count(self, kind: Kind, reason: str, place: int) -> None:
        count, first = self._found.get((kind, reason), (0, place))
        self._found[kind, reason] = count + 1, min(first, place)

    def report(self) -> SourceReport:
        """Return the counts so far."""
        reasons = sorted(
            (Reason(kind, text, *counts) for (kind, text), counts in self._found.items()),
            key=lambda reason: (reason.first, reason.text),
        )
        return SourceReport(self.path, self.format, self.unit, self.read, self.used, tuple(reasons))


class Origin(NamedTuple):
    """Where a statement stands: the tally of its file, and the place in it."""

    tally: Tally
    place: int

    def fault(self, reason: str) -> None:
        """Count a fault of this statement."""
        self.tally.fault(reason, self.place)

    def pass_over(self, reason: str) -> None:
        """Count this statement as passed over."""
        self.tally.pass_over(reason, self.place)

    def remark(self, reason: str) -> None:
        """Count a remark on this statement."""
        self.tally.remark(reason, self.place)


def skipped(reports: Iterable[SourceReport]) -> Mapping[str, int]:
    """Return the counts of what was not used, by reason, over all sources."""
    total: dict[str, int] = {}
    for report in reports:
        for reason in report.reasons:
            if reason.kind != "remark":
                total[reason.text] = total.get(reason.text, 0) + reason.count
    return total
