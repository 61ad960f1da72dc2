"""What the accounts of one partition spent, in memory."""

from collections.abc import Iterable, Mapping

from stream_enforcer.domain.account_state import UnknownFormat
from stream_enforcer.domain.cost import BEGINS, FORMAT, Spent, spend
from stream_enforcer.domain.engine import Use


class Costs:
    """What the accounts of one partition spent, by the record key."""

    __slots__ = ("_spent",)

    def __init__(self) -> None:
        self._spent: dict[bytes, Spent] = {}

    def get(self, key: bytes) -> Spent | None:
        """Return what an account spent; None where it is not known to have spent anything."""
        return self._spent.get(key)

    def after(self, uses: Iterable[tuple[bytes, Use | None]]) -> dict[bytes, Spent | None]:
        """Return what the accounts of uses will have spent; changes nothing.

        Raises:
            UnknownFormat: What was restored is no cost.

        Args:
            uses: The account's key and what the use cost, in order; None in the place of a cost forgets the account.
        """
        held, found = self._spent, dict[bytes, Spent | None]()
        try:
            for key, use in uses:
                if use is None:
                    found[key] = None
                    continue
                day, micros = use
                before = found[key] if key in found else held.get(key)
                found[key] = spend(before, day, micros)
        except ValueError:
            raise UnknownFormat("a cost is not what its format says") from None
        return found

    def update(self, spent: Mapping[bytes, Spent | None]) -> None:
        """Take over committed costs; None is a tombstone."""
        self._spent.update(spent)  # type: ignore[arg-type]  # tombstones go on the next lines
        for key in [key for key, now in spent.items() if now is None]:
            del self._spent[key]

    def put_encoded(self, key: bytes, value: bytes | None) -> None:
        """Take over one changelog record; None is a tombstone.

        Raises:
            UnknownFormat: This version does not write such values.
        """
        if value is None:
            self._spent.pop(key, None)
        elif value.startswith(BEGINS):  # the rest is looked at when it is asked for: a restore has millions
            self._spent[key] = value
        else:
            raise UnknownFormat(f"a cost is not of format {FORMAT}, which this version reads")

    def __contains__(self, key: bytes) -> bool:
        return key in self._spent

    def __len__(self) -> int:
        return len(self._spent)
