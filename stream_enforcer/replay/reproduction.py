"""Published decisions judged again: from their own facts, each with the policy that it names."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from stream_enforcer.domain.policy import Policy
from stream_enforcer.replay.consistency import Refuted
from stream_enforcer.replay.event_files import Line
from stream_enforcer.replay.verification import judge_again, read_decision


class Named(NamedTuple):
    """A policy as a decision names it."""

    id: str
    version: str
    hash: str


class Reproduction:
    """Takes decisions, and counts those that come out as they were published.

    Args:
        policies: What the decisions may name.

    Attributes:
        judged: Decisions that were judged again, those that differ included.
        differing: Those that came out otherwise, and lines that are no decisions.
        first: Where the first of them stands, and what differs; None where none does.
        not_judged: How many decisions name another policy, by that policy.
    """

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._policies: Mapping[str, Policy] = {policy.hash: policy for policy in policies}
        self.judged = 0
        self.differing = 0
        self.first: str | None = None
        self.not_judged: Counter[Named] = Counter()

    def take(self, lines: Iterable[Line], name: str) -> None:
        """Take decisions.

        Args:
            lines: Decisions as published.
            name: Where they stand; a place is told as this and the line's number.
        """
        for line in lines:
            try:
                self._take(read_decision(line))
            except Refuted as refuted:
                self.differing += 1
                self.first = self.first or f"{name}:{line.number}: {refuted}"

    def _take(self, decision: Mapping[str, Any]) -> None:
        named = decision["policy"]
        policy = self._policies.get(named["hash"])
        if policy is None:
            self.not_judged[Named(named["id"], named["version"], named["hash"])] += 1
            return
        self.judged += 1
        judge_again(dict(decision), policy)

    def to_json(self) -> dict[str, Any]:
        """Return the counts, the greatest of the policies that were not there first."""
        missing = sorted(self.not_judged.items(), key=lambda one: (-one[1], one[0]))
        return {
            "judged": self.judged,
            "differing": self.differing,
            "first_difference": self.first,
            "not_judged": self.not_judged.total(),
            "not_judged_policies": [{**named._asdict(), "decisions": count} for named, count in missing],
        }
