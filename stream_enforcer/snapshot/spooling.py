"""A sink that puts what readers read into a spool."""

from typing import Final

from stream_enforcer.domain.ownership.graph import Entity, Stake
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.snapshot.columns import Columns
from stream_enforcer.snapshot.spool import Spool

_BATCH: Final = 100_000


class Spooled:
    """Collects batches of one publication.

    Attributes:
        path: The file that is being read, for errors.
    """

    def __init__(self, spool: Spool, publication: int, *, several: bool) -> None:
        self.path = ""
        self._spool = spool
        self._publication = publication
        self._several = several
        self._columns = self._new()

    def entity(self, entity: Entity) -> None:
        """Add an entity.

        Raises:
            BadReference: It can't be kept.
        """
        try:
            self._columns.entity(entity)
        except ValueError as error:
            raise self._unkept(entity.id, error) from None
        self._full()

    def stake(self, stake: Stake) -> None:
        """Add a stake.

        Raises:
            BadReference: It can't be kept.
        """
        try:
            self._columns.stake(stake)
        except ValueError as error:
            raise self._unkept(stake.id, error) from None
        self._full()

    def no_entity(self, entity_id: str) -> None:
        """Take an entity back."""
        self._columns.no_entity(entity_id)
        self._full()

    def no_stake(self, stake_id: str) -> None:
        """Take a stake back."""
        self._columns.no_stake(stake_id)
        self._full()

    def end(self) -> None:
        """Write out what is still in memory."""
        self._spool.add(self._columns.batch())
        self._columns = self._new()

    def _full(self) -> None:
        if len(self._columns) == _BATCH:
            self.end()

    def _new(self) -> Columns:
        return Columns(self._publication, several=self._several)

    def _unkept(self, record: str, error: ValueError) -> BadReference:
        return BadReference(self.path, f"record {record} can't be kept: {error}")
