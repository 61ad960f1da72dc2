"""What the suspended accounts of a partition cost: counted as they are committed, never by walking through all."""

from collections import Counter
from typing import Final, NamedTuple

from stream_enforcer.domain.account import Account
from stream_enforcer.domain.cost import month
from stream_enforcer.domain.grounds import grounds_of
from stream_enforcer.kafka.partition import Partition
from stream_enforcer.kafka.work import Work
from stream_enforcer.observe.catalogue import NO_RULE

CHUNK: Final = 1_000
"""Accounts looked at between two commits, after a restore."""


class Kind(NamedTuple):
    """What suspended accounts are told apart by.

    Attributes:
        rule: The first reason's code.
        jurisdiction: The restricted country that is to blame; "none" where it is none in particular.
    """

    rule: str
    jurisdiction: str


class SuspendedCost:
    """Keeps the monthly cost of each suspended account of a partition, and their sums.

    Attributes:
        micros: Micro-dollars a month, by kind.
    """

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        self._of: dict[bytes, tuple[Kind, int]] = {}
        self._left: list[bytes] = []
        self.micros: Counter[Kind] = Counter()

    def open(self) -> None:
        """Look at every account anew: what was restored may differ from what was known."""
        self._left = [*self._partition.restored.accounts, *self._of]

    def work(self) -> bool:
        """Look at some of the restored accounts; tell whether more are left."""
        for key in self._left[-CHUNK:]:
            self._note(key, self._partition.restored.accounts.suspended(key))
        del self._left[-CHUNK:]
        return bool(self._left)

    def committed(self, work: Work) -> None:
        """Take over what a transaction changed, after the partition did."""
        for key, account in work.states.items():
            self._note(key, account if account is not None and account.action == "suspend" else None)
        for key in work.spent.keys() & self._of.keys():
            self._put(key, self._of[key][0])

    def _note(self, key: bytes, suspended: Account | None) -> None:
        self._put(key, None if suspended is None else self._kind(suspended))

    def _put(self, key: bytes, kind: Kind | None) -> None:
        known = self._of.pop(key, None)
        if known is not None:
            self.micros[known[0]] -= known[1]
        if kind is not None:
            cost = month(self._partition.restored.costs.get(key))
            self._of[key] = kind, cost
            self.micros[kind] += cost

    def _kind(self, account: Account) -> Kind:
        world = self._partition.world
        grounds = grounds_of(world.verdict(account.evidence, account.standing), world.policy.restricted)
        return Kind(account.codes[0] if account.codes else NO_RULE, grounds.jurisdiction or NO_RULE)
