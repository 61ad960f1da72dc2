"""What each side would have said of the same history: an event is read and folded once, and judged by each side."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from stream_enforcer.domain.account import Action, Evidence, fold
from stream_enforcer.domain.cost import Spent, spend
from stream_enforcer.domain.events import LATEST_MS, MS_PER_DAY, EventKind, Malformed, Usage, decode
from stream_enforcer.domain.records import Record
from stream_enforcer.domain.world import Verdict
from stream_enforcer.replay.timeline import Reign, Timeline

NO_EVIDENCE: Final = Evidence()
_NO_END: Final = 1 << 63


@dataclass(slots=True)
class Told:
    """What a side last said of an account.

    Attributes:
        standing: What its policy said without an override; a review leaves it.
        action: The action; None before the first event.
        review: Whether people are asked.
        codes: The reasons' codes.
        since_ms: Time of the event that brought the action, epoch milliseconds.
        changed_ms: Time of the event that brought all of it.
    """

    standing: Action = "allow"
    action: Action | None = None
    review: bool = False
    codes: tuple[str, ...] = ()
    since_ms: int = 0
    changed_ms: int = 0

    def take(self, verdict: Verdict, time_ms: int) -> None:
        """Take over what was judged now."""
        judgement = verdict.judgement
        if (self.action, self.review, self.codes) != (judgement.action, judgement.review, verdict.codes):
            if self.action != judgement.action:
                self.since_ms = time_ms
            self.action, self.review, self.codes = judgement.action, judgement.review, verdict.codes
            self.changed_ms = time_ms
        self.standing = judgement.standing


class Tracked:
    """An account: what it has shown, what each side says of it, and what it spent."""

    __slots__ = ("evidence", "spent", "told")

    def __init__(self, sides: int) -> None:
        self.evidence = NO_EVIDENCE
        self.told = [Told() for _ in range(sides)]
        self.spent: Spent | None = None


class Trial:
    """Takes history in its order, and remembers of each account where it stands.

    All sides have the same geo tables: an event is folded once.

    Attributes:
        changes: How many worlds took the place of others so far.
        accounts: By key.
        events: Well-formed events taken.
        malformed: How many records were no events, by what was wrong.
        first_malformed: Where the first of them stands, and what is wrong with it.
        oldest_ms, newest_ms: When the first and the last event occurred; they say nothing before the first.
    """

    def __init__(self, sides: Sequence[Timeline]) -> None:
        self._worlds = [side.reigns[0].world for side in sides]
        self._geo = self._worlds[0].geo
        if any(reign.world.geo.hash != self._geo.hash for side in sides for reign in side.reigns):
            raise ValueError("the worlds of a comparison need the same geo tables")
        self._coming = _coming(sides)
        self._next_ms = self._coming[-1][1].since_ms if self._coming else None
        self.changes = 0
        self.accounts: dict[bytes, Tracked] = {}
        self.events = 0
        self.malformed: dict[str, int] = {}
        self.first_malformed: str | None = None
        self.oldest_ms = LATEST_MS
        self.newest_ms = 0

    def take(self, records: Iterable[tuple[EventKind | None, Record]]) -> None:
        """Take records, each with what its topic carries."""
        for kind, record in records:
            self._take(kind, record)

    def _take(self, kind: EventKind | None, record: Record) -> None:
        event = decode(record, kind)
        key = record.key
        if isinstance(event, Malformed) or key is None:
            self._bury(record, event)
            return
        if self._next_ms is not None:
            # Lines of files have no time of their own.
            self._change_worlds(record.timestamp or event.occurred_at)
        tracked = self.accounts.get(key)
        if tracked is None:
            tracked = self.accounts[key] = Tracked(len(self._worlds))
        time_ms = event.occurred_at
        self.events += 1
        self.newest_ms = max(self.newest_ms, time_ms)
        self.oldest_ms = min(self.oldest_ms, time_ms)
        if type(event) is Usage and event.cost_usd_micros:
            tracked.spent = spend(tracked.spent, time_ms // MS_PER_DAY, event.cost_usd_micros)
        before = tracked.evidence
        evidence = fold(before, event, None if event.ip is None else self._geo.lookup(event.ip))
        if evidence is before and tracked.told[0].action is not None:
            return
        tracked.evidence = evidence
        for told, world in zip(tracked.told, self._worlds, strict=True):
            told.take(world.verdict(evidence, told.standing), time_ms)

    def _bury(self, record: Record, event: object) -> None:
        why = event if isinstance(event, Malformed) else None
        error, message = (
            ("key_mismatch", "the record has no key") if why is None else (why.error, why.message)
        )
        self.malformed[error] = self.malformed.get(error, 0) + 1
        place = f"{record.topic}-{record.partition}, offset {record.offset}"
        self.first_malformed = self.first_malformed or f"{place}: {message}"

    def _change_worlds(self, time_ms: int) -> None:
        """Put the worlds in force that hold by now; judge every account again in each, at the time of the change."""
        while self._coming and self._coming[-1][1].since_ms <= time_ms:
            side, reign = self._next()
            for tracked in self.accounts.values():
                told = tracked.told[side]
                told.take(reign.world.verdict(tracked.evidence, told.standing), reign.since_ms)

    def _next(self) -> tuple[int, Reign]:
        """Put the next world in force; return its side and its reign."""
        side, reign = self._coming.pop()
        self._worlds[side] = reign.world
        self._next_ms = self._coming[-1][1].since_ms if self._coming else None
        self.changes += 1
        return side, reign

    def pass_changes(self, number: int) -> None:
        """Put the worlds in force that held when so many had changed, for accounts that were judged by them."""
        for _ in range(min(number, len(self._coming))):
            self._next()

    def end(self, before_ms: int | None) -> None:
        """Put in force what is still to come, so that every part of a history ends in the same worlds.

        Args:
            before_ms: When history ends; what is valid from a later time on is left out. None where no time says
                when it ends: reference data that were given are then all taken for valid.
        """
        self._change_worlds(_NO_END if before_ms is None else before_ms - 1)

    def verdict(self, tracked: Tracked, side: int) -> Verdict:
        """Judge an account once more as a side has it now."""
        return self._worlds[side].verdict(tracked.evidence, tracked.told[side].standing)

    def names(self, companies: Iterable[str]) -> dict[str, str]:
        """Return the names that the data of the sides give to companies, by id, the new side's first."""
        graphs = [world.graph for world in reversed(self._worlds) if world.graph is not None]
        found: dict[str, str] = {}
        for company in companies:
            known = next((graph.entities[company] for graph in graphs if company in graph.entities), None)
            if known is not None and known.name:
                found[company] = known.name
        return found

    def restricted(self, side: int) -> frozenset[str]:
        """Return the countries that a side restricts."""
        return self._worlds[side].policy.restricted


def _coming(sides: Sequence[Timeline]) -> list[tuple[int, Reign]]:
    """Return the reigns that are still to come, with their sides, the next one last."""
    later: Iterator[tuple[int, Reign]] = (
        (number, reign) for number, side in enumerate(sides) for reign in side.reigns[1:]
    )
    return sorted(later, key=lambda one: (one[1].since_ms, one[0]), reverse=True)
