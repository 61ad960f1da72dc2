"""Which accounts of a partition are judged again because the world changed, a few at a time, and how far that came."""

from dataclasses import dataclass
from typing import Final

import structlog

from stream_enforcer.domain.decision import TriggerKind
from stream_enforcer.kafka.changelog import Checkpoint, Sweep, WorldId
from stream_enforcer.kafka.partition import Cause, Partition
from stream_enforcer.kafka.worlds import Missed, Worlds
from stream_enforcer.settings import Topics

log = structlog.get_logger(__name__)

CHUNK: Final = 500
"""Accounts judged again in one transaction. Each takes about 0.1 ms, in which nothing else is done."""
INDEXED: Final = 5_000
"""Accounts indexed by their companies between two commits."""


@dataclass(slots=True)
class _Round:
    """Judging accounts again, from one world to the next.

    Attributes:
        towards: The world in which they are judged.
        kind: What changed.
        missed: What changed, where that is known; None: anything.
        after: The last account that was judged already; empty: none was.
        left: Accounts that wait, the next one last; None until they are known.
    """

    towards: WorldId
    kind: TriggerKind
    missed: Missed | None
    after: str = ""
    left: list[bytes] | None = None


class SecondLooks:
    """Makes a partition follow the world in force, and looks at its accounts again where that matters.

    Records go on being judged meanwhile, in the new world: an account that both come to is told once.
    """

    def __init__(self, partition: Partition, worlds: Worlds, topics: Topics) -> None:
        self._partition = partition
        self._worlds = worlds
        self._topics = topics
        self._round: _Round | None = None
        self._judged = worlds.id

    @property
    def progress(self) -> tuple[WorldId, Sweep | None]:
        """The world in which every account was last judged, but for those that a sweep has come to; and the sweep."""
        going = self._round
        return self._judged, None if going is None else Sweep(going.towards, going.after)

    def open(self, checkpoint: Checkpoint | None) -> None:
        """Take up the world in force, and find out what a partition has missed that stood elsewhere or still."""
        self._judged = self._worlds.id if checkpoint is None else checkpoint.world
        self._begin(None if checkpoint is None else checkpoint.sweep)

    def work(self, now_ms: int) -> bool:
        """Add a few second looks to the partition's pending work; tell whether there is more to do.

        Args:
            now_ms: The time, for the latency metric.
        """
        if self._round is None and self._judged != self._worlds.id:
            self._begin(None)
        if self._round is not None:
            self._go_on(self._round, now_ms)
        return self._round is not None

    def _begin(self, sweep: Sweep | None) -> None:
        self._partition.world, towards = self._worlds.current, self._worlds.id
        self._round = None
        if self._judged == towards and sweep is None:
            return
        # A sweep towards a world that is no longer wanted has touched accounts: what changed since counts for them too.
        since = [self._judged] if sweep is None or sweep.towards == towards else [self._judged, sweep.towards]
        missed = self._worlds.since(*since)
        after = sweep.last if sweep is not None and sweep.towards == towards else ""
        self._round = _Round(towards, self._judged.what_changed(towards), missed, after)

    def _go_on(self, going: _Round, now_ms: int) -> None:
        if going.left is None:
            going.left = self._accounts(going)
            if going.left is None:
                return
            log.info(
                "judging accounts again",
                partition=self._partition.number,
                accounts=len(going.left),
                changed=going.kind,
            )
        chunk = going.left[: -CHUNK - 1 : -1]
        del going.left[-CHUNK:]
        self._partition.look_again(chunk, self._cause(going), now_ms)
        if going.left:
            going.after = chunk[-1].decode()
        else:
            self._judged, self._round = going.towards, None

    def _accounts(self, going: _Round) -> list[bytes] | None:
        """Return the accounts to look at, the first one last; None while the index is being made."""
        accounts = self._partition.restored.accounts
        if going.missed is None:
            found = set(accounts)
        elif not going.missed.keys:
            found = set()
        elif accounts.link(INDEXED):
            found = accounts.linked(going.missed.keys)
        else:
            return None
        after = going.after.encode()
        return sorted((key for key in found if key > after), reverse=True)

    def _cause(self, going: _Round) -> Cause:
        place = None if going.missed is None else going.missed.place
        if place is not None:
            return Cause(going.kind, self._topics.ownership, place.partition, place.offset)
        partition = self._partition
        return Cause(going.kind, self._topics.accounts, partition.number, partition.restored.position)
