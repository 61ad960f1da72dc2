"""Each account's chain of decisions, checked as it grows; of its past, only counts are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Link(NamedTuple):
    """An account's latest decision.

    `decision_id` is a hash of the decision and so of the id of the one before it: two whole chains that end in
    the same id are the same in every byte.
    """

    sequence: int
    decision_id: str
    action: str
    review: bool
    codes: tuple[str, ...]


@dataclass(slots=True)
class Chains:
    """The chains seen so far.

    Attributes:
        ends: Each account's latest decision.
        seen: Decisions, repeated ones too.
        lost: Sequence numbers that were jumped over.
        repeated: Decisions that came again.
        unlinked: Decisions whose link does not name the one before them.
    """

    ends: dict[str, Link] = field(default_factory=dict)
    seen: int = 0
    lost: int = 0
    repeated: int = 0
    unlinked: int = 0

    @property
    def whole(self) -> bool:
        return not (self.lost or self.repeated or self.unlinked)

    def see(self, decision: Mapping[str, Any]) -> None:
        self.seen += 1
        account, sequence = decision["account_id"], decision["sequence"]
        before = self.ends.get(account)
        expected = before.sequence + 1 if before else 1
        if sequence < expected:
            self.repeated += 1
            return
        self.lost += sequence - expected
        link = (before.decision_id, before.action) if before else (None, None)
        if sequence == expected and (decision["supersedes"], decision["previous_action"]) != link:
            self.unlinked += 1
        codes = tuple(reason["code"] for reason in decision["reasons"])
        self.ends[account] = Link(
            sequence, decision["decision_id"], decision["action"], decision["review"], codes
        )
