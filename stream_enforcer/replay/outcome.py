"""Where every account stands at the end of a replay, and what differs between two sides."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from stream_enforcer.domain.events import MS_PER_DAY, iso_day, rfc3339
from stream_enforcer.domain.grounds import Grounds
from stream_enforcer.replay.trial import Told

Json = dict[str, Any]
Names = Callable[[Iterable[str]], dict[str, str]]
"""Gives the names that companies have, by id; those of which none is known are left out."""


class Stand(NamedTuple):
    """Where an account stands for one side, and what that rests on."""

    told: Told
    grounds: Grounds

    @property
    def suspended(self) -> bool:
        """Whether it is suspended."""
        return self.told.action == "suspend"

    def says(self) -> tuple[str | None, bool, tuple[str, ...]]:
        """Return what can differ."""
        return self.told.action, self.told.review, self.told.codes

    def to_json(self) -> Json:
        """Return one side of a row."""
        told = self.told
        return {
            "action": told.action,
            "review": told.review,
            "reasons": list(told.codes),
            "since": None if told.action is None else rfc3339(told.since_ms),
        }


class Ended(NamedTuple):
    """An account at the end.

    Attributes:
        account: Its id.
        old, new: Where it stands for both sides.
        cost: Of its last thirty days of use, in micro-dollars.
    """

    account: str
    old: Stand
    new: Stand
    cost: int

    @property
    def changed(self) -> bool:
        """Whether the sides differ."""
        return self.old.says() != self.new.says()

    @property
    def telling(self) -> Grounds:
        """What explains the difference: of what is lifted, what it rested on."""
        return (self.old if self.old.suspended and not self.new.suspended else self.new).grounds

    def to_json(self, names: Names) -> Json:
        """Return the row of an account whose outcome differs.

        Args:
            names: Names of the companies that its ownership speaks of, by id.
        """
        grounds = self.telling
        ownership = None if grounds.ownership is None else orjson.loads(grounds.ownership)
        return {
            "account_id": self.account,
            "old": self.old.to_json(),
            "new": self.new.to_json(),
            "first_difference": rfc3339(max(self.old.told.changed_ms, self.new.told.changed_ms)),
            "fact": None if grounds.fact is None else dict(zip(("name", "value"), grounds.fact, strict=True)),
            "jurisdiction": grounds.jurisdiction,
            "reading": grounds.reading,
            "cost_usd_micros_per_month": self.cost,
            "ownership": ownership,
            "names": {} if ownership is None else names(_companies(ownership)),
        }


def _companies(ownership: Json) -> list[str]:
    """Return the ids of all companies that an `ownership` object speaks of, each once."""
    parties = (edge[end] for edge in ownership["proof"] for end in ("holder", "held"))
    return sorted({ownership["entity"], *parties})


@dataclass(slots=True)
class SideCount:
    """Accounts of one side, and their cost."""

    suspended: int = 0
    reviews: int = 0
    cost: int = 0

    def to_json(self) -> Json:
        """Return it as it stands in the summary."""
        return {
            "suspended": self.suspended,
            "reviews": self.reviews,
            "cost_usd_micros_per_month": self.cost,
        }


@dataclass(slots=True)
class Count:
    """Accounts of some kind that are suspended, for both sides, with the cost of those that the new side suspends."""

    old: int = 0
    new: int = 0
    old_cost: int = 0
    new_cost: int = 0


Groups = dict[str, Count]


@dataclass(slots=True)
class Totals:
    """All counts of a replay. Those of parts of the accounts add up to those of the whole.

    Attributes:
        costs: Of the accounts that only the new side suspends.
    """

    accounts: int = 0
    old: SideCount = field(default_factory=SideCount)
    new: SideCount = field(default_factory=SideCount)
    new_suspensions: int = 0
    lifted_suspensions: int = 0
    other_changes: int = 0
    cost_at_stake: int = 0
    by_rule: Groups = field(default_factory=dict)
    by_jurisdiction: Groups = field(default_factory=dict)
    by_reading: Groups = field(default_factory=dict)
    by_day: Groups = field(default_factory=dict)

    def add(self, ended: Ended) -> None:
        """Count an account."""
        self.accounts += 1
        for count, stand in ((self.old, ended.old), (self.new, ended.new)):
            count.reviews += stand.told.review
            if stand.suspended:
                count.suspended += 1
                count.cost += ended.cost
        for groups, name_of in self._groups():
            _count(groups, name_of, ended)
        if not ended.changed:
            return
        if ended.new.suspended and not ended.old.suspended:
            self.new_suspensions += 1
            self.cost_at_stake += ended.cost
        elif ended.old.suspended and not ended.new.suspended:
            self.lifted_suspensions += 1
        else:
            self.other_changes += 1

    def _groups(self) -> Iterable[tuple[Groups, Callable[[Stand], str | None]]]:
        yield self.by_rule, lambda stand: stand.grounds.rule
        yield self.by_jurisdiction, lambda stand: stand.grounds.jurisdiction
        yield self.by_reading, lambda stand: stand.grounds.reading
        yield self.by_day, lambda stand: iso_day(stand.told.since_ms // MS_PER_DAY)

    def to_json(self) -> Json:
        """Return the counts as they stand in the summary."""
        totals = {
            "old": self.old.to_json(),
            "new": self.new.to_json(),
            "new_suspensions": self.new_suspensions,
            "lifted_suspensions": self.lifted_suspensions,
            "other_changes": self.other_changes,
            "cost_at_stake_usd_micros_per_month": self.cost_at_stake,
        }
        return {
            "accounts": self.accounts,
            "totals": totals,
            "by_rule": _rows(self.by_rule),
            "by_jurisdiction": _rows(self.by_jurisdiction),
            "by_reading": _rows(self.by_reading),
            "by_day": [
                {
                    "day": day,
                    "old": count.old,
                    "new": count.new,
                    "old_cost_usd_micros_per_month": count.old_cost,
                    "new_cost_usd_micros_per_month": count.new_cost,
                }
                for day, count in sorted(self.by_day.items())
            ],
        }


def _count(groups: Groups, name_of: Callable[[Stand], str | None], ended: Ended) -> None:
    for stand, side in ((ended.old, "old"), (ended.new, "new")):
        name = name_of(stand) if stand.suspended else None
        if name is not None:
            count = groups.setdefault(name, Count())
            setattr(count, side, getattr(count, side) + 1)
            setattr(count, f"{side}_cost", getattr(count, f"{side}_cost") + ended.cost)


def _rows(groups: Groups) -> list[Json]:
    """Return groups, the greatest first."""
    ordered = sorted(groups.items(), key=lambda one: (-one[1].new, -one[1].old, one[0]))
    return [
        {"name": name, "old": count.old, "new": count.new, "cost_usd_micros_per_month": count.new_cost}
        for name, count in ordered
    ]
