"""What was really decided, as a side of a comparison."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from stream_enforcer.domain.grounds import NONE, grounds_of_decision
from stream_enforcer.replay.consistency import Refuted
from stream_enforcer.replay.event_files import Line
from stream_enforcer.replay.outcome import Stand
from stream_enforcer.replay.trial import Told
from stream_enforcer.replay.verification import read_decision


class Published:
    """The last word of published decisions about each account."""

    def __init__(self, restricted: frozenset[str]) -> None:
        self._restricted = restricted
        self._stands: dict[str, Stand] = {}
        self.decisions = 0
        self.unreadable = 0
        self.first_unreadable: str | None = None

    def take(self, lines: Iterable[Line], name: str) -> None:
        """Take decisions in the order in which they were published; what is none is counted."""
        for line in lines:
            try:
                decision = read_decision(line)
            except Refuted as error:
                self.unreadable += 1
                self.first_unreadable = self.first_unreadable or f"{name}:{line.number}: {error}"
                continue
            self.decisions += 1
            self._take(decision)

    def _take(self, decision: dict[str, Any]) -> None:
        before = self._stands.get(decision["account_id"])
        time = _milliseconds(decision["event_time"])
        action = decision["action"]
        since = time if before is None or before.told.action != action else before.told.since_ms
        codes = tuple(reason["code"] for reason in decision["reasons"])
        told = Told(action, action, decision["review"], codes, since, time)
        self._stands[decision["account_id"]] = Stand(told, grounds_of_decision(decision, self._restricted))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the result has to know: what was passed over."""
        if not self.unreadable:
            return ()
        return (
            f"{self.unreadable:,} published decisions could not be read; the first: {self.first_unreadable}",
        )

    def stand(self, account: str) -> Stand:
        """Return where an account stands; one of whom nothing was published is neither let in nor suspended."""
        return self._stands.get(account) or Stand(Told(), NONE)


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
