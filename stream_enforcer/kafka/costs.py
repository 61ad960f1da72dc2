"""What the accounts of one partition spent, in memory."""

from collections.abc import Mapping

from stream_enforcer.domain.cost import Spent, decode


class Costs:
    """What the accounts of one partition spent, by the record key; restored costs stay bytes until asked for."""

    __slots__ = ("_spent",)

    def __init__(self) -> None:
        self._spent: dict[bytes, Spent | bytes] = {}

    def get(self, key: bytes) -> Spent | None:
        """Return what an account spent; None where it is not known to have spent anything."""
        spent = self._spent.get(key)
        return decode(spent) if type(spent) is bytes else spent  # type: ignore[return-value]  # as in `Accounts`

    def update(self, spent: Mapping[bytes, Spent | None]) -> None:
        """Take over committed costs; None is a tombstone."""
        for key, now in spent.items():
            if now is None:
                self._spent.pop(key, None)
            else:
                self._spent[key] = now

    def put_encoded(self, key: bytes, value: bytes | None) -> None:
        """Take over one changelog record; None is a tombstone."""
        if value is None:
            self._spent.pop(key, None)
        else:
            self._spent[key] = value

    def __contains__(self, key: bytes) -> bool:
        return key in self._spent

    def __len__(self) -> int:
        return len(self._spent)
