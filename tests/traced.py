"""A driver whose replica has settings and spans that the public one does not offer, and shows headers."""

from typing import Any

from stream_enforcer.domain.world import World
from stream_enforcer.kafka.dead_letters import Header
from stream_enforcer.kafka.fake import replica
from stream_enforcer.observe.spans import NO_SPANS, Spans
from stream_enforcer.testing import EnforcerDriver


class HeadedDriver(EnforcerDriver):
    """Runs with other settings, and tells the headers of decisions."""

    def __init__(self, world: World, spans: Spans = NO_SPANS, **settings: Any) -> None:
        self._spans = spans
        self._given = settings
        super().__init__(world)

    def _started(self) -> replica.Replica:
        self._settings = self._settings.model_copy(update=self._given)
        return super()._started()

    def _new_replica(self) -> replica.Replica:
        return replica.Replica(self._settings, self._world, self._broker, self._spans)

    def headers(self) -> list[list[Header]]:
        """Return the headers of the decisions that were committed since the last call, in order."""
        return [list(row.headers) for row in self._unread(self._settings.topics.decisions)]
