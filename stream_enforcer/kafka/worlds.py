"""The world in force, and the way by which it came to be: what an account that was judged earlier may have missed."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from stream_enforcer.domain.ownership.amendments import Amendment, Amendments, Touched, below
from stream_enforcer.domain.ownership.graph import Key, OwnershipGraph
from stream_enforcer.domain.ownership.resolve import entity_keys, indexed
from stream_enforcer.domain.world import World
from stream_enforcer.kafka.changelog import WorldId

REMEMBERED: Final = 100_000
"""Statements of which it is still known what they touched. Whoever missed more looks at all accounts again."""
_NOTHING: Final = indexed(OwnershipGraph.build((), (), hash=sha256().hexdigest()))
"""What live statements amend where there are no ownership files."""


class Place(NamedTuple):
    """Where in the ownership topic a statement was found."""

    partition: int
    offset: int


class Placed(NamedTuple):
    """An amendment and where it was found."""

    amendment: Amendment
    place: Place


class Missed(NamedTuple):
    """What changed since an account was judged.

    Attributes:
        keys: Keys of the companies that were touched.
        place: Where the last of the changes was found; None where nothing changed.
    """

    keys: frozenset[Key]
    place: Place | None


@dataclass(frozen=True, slots=True, eq=False)
class Amended:
    """A world with a batch of amendments, not yet in force.

    Attributes:
        amendments: All live statements, over the files' data.
        world: The world.
        steps: What each statement of the batch touched, and where it was found.
        missed: What is missed by who was judged before the batch.
    """

    amendments: Amendments
    world: World
    steps: tuple["_Step", ...]
    missed: Missed


class _Step(NamedTuple):
    """What a statement touched, and where it was found."""

    touched: Touched
    place: Place


class Worlds:
    """The world in force. Tasks take it up when they are ready to; a decision names the one that it was made in.

    Attributes:
        current: The world in force.
        id: Its hashes.
    """

    def __init__(self, world: World) -> None:
        self._listeners: list[Callable[[], None]] = []
        self._start(world, None)

    def _start(self, base: World, amendments: Amendments | None) -> None:
        self._base, self._amendments = base, amendments
        self._put(base if amendments is None else self._world(amendments))
        self._way: deque[tuple[WorldId, _Step | None]] = deque([(self.id, None)], REMEMBERED)
        self._missed: dict[frozenset[WorldId], Missed | None] = {}

    def _put(self, world: World) -> None:
        self.current, self.id = world, WorldId(world.policy.hash, world.reference_hash)

    @property
    def statements(self) -> int:
        """How many live statements are in force."""
        return len(self._amendments.live) if self._amendments else 0

    def amend(self, batch: Sequence[Placed]) -> Amended:
        """Work out the world after a batch of amendments. It changes nothing here, and may run in a thread.

        Args:
            batch: The amendments, in order; at least one.
        """
        before = self._amendments or Amendments.none(_graph(self._base))
        after, touched = before.amend(placed.amendment for placed in batch)
        steps = tuple(_Step(*step) for step in zip(touched, (placed.place for placed in batch), strict=True))
        return Amended(after, self._world(after), steps, _missed(after.graph, steps))

    def put(self, amended: Amended) -> None:
        """Put an amended world in force."""
        before, self._amendments = self.id, amended.amendments
        self._put(amended.world)
        self._way.extend((self._id_with(step.touched.hash), step) for step in amended.steps)
        # Whoever kept up asks for this, and it was worked out in a thread.
        self._missed = {} if before == self.id else {frozenset({before}): amended.missed}
        self._tell()

    def rebase(self, world: World) -> None:
        """Put a world of other files in force, under the same live statements.

        What that touches is not known: all accounts are looked at again.
        """
        live = self._amendments
        self._start(world, live.over(_graph(world)) if live is not None and live.live else None)
        self._tell()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called after each change."""
        self._listeners.append(listener)

    def since(self, *judged: WorldId) -> Missed | None:
        """Return what changed since the first of some worlds was in force.

        Returns:
            None where one of them is not known to have led to the current one.
        """
        asked = frozenset(judged)
        if asked not in self._missed:
            self._missed[asked] = self._since(asked)
        return self._missed[asked]

    def _since(self, judged: frozenset[WorldId]) -> Missed | None:
        wanted, steps = {*judged} - {self.id}, list[_Step]()
        for world, step in reversed(self._way):
            wanted.discard(world)
            if not wanted or step is None:
                break
            steps.append(step)
        if wanted:
            return None
        return _missed(self.current.graph or _NOTHING, steps[::-1])

    def _world(self, amendments: Amendments) -> World:
        base = self._base
        if base.graph is None and not amendments.live:
            return base
        return World.build(base.policy, base.geo, amendments.graph)

    def _id_with(self, graph_hash: str) -> WorldId:
        shown = None if self._base.graph is None and graph_hash == _NOTHING.hash else graph_hash
        return WorldId(self._base.policy.hash, self._base.reference_hash_with(shown))

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _graph(world: World) -> OwnershipGraph:
    return _NOTHING if world.graph is None else indexed(world.graph)


def _missed(graph: OwnershipGraph, steps: Sequence[_Step]) -> Missed:
    """Return the keys of all companies that changes may reach, in the graph after them."""
    # A stake that is gone since has its own company among what was touched: the walk needs no older graph.
    keys = {key for step in steps for key in step.touched.keys}
    for entity_id in below(graph, {entity for step in steps for entity in step.touched.entities}):
        entity = graph.entities.get(entity_id)
        if entity is not None:
            keys.update(entity_keys(entity))
    return Missed(frozenset(keys), steps[-1].place if steps else None)
