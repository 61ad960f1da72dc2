"""The account states of one partition in memory."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from stream_enforcer.domain.account import Account
from stream_enforcer.domain.account_state import decode
from stream_enforcer.domain.ownership.graph import Key
from stream_enforcer.kafka.linked_accounts import LinkedAccounts

_SUSPEND: Final = b'"suspend"'


class Accounts:
    """The account states of one partition, by the record key (the account id in UTF-8).

    Restored states stay bytes until first asked for: a restore of millions costs no decoding, and accounts
    that never come back stay small.
    """

    __slots__ = ("_links", "_states", "_unlinked")

    def __init__(self) -> None:
        self._states: dict[bytes, Account | bytes] = {}
        self._links: LinkedAccounts | None = None
        self._unlinked: list[bytes] = []

    def get(self, key: bytes) -> Account | None:
        """Return an account's state, or None for a new one."""
        state = self._states.get(key)
        if type(state) is bytes:
            state = self._states[key] = decode(state)
        return state  # type: ignore[return-value]  # bytes were replaced above; isinstance here costs the hot path

    def peek(self, key: bytes) -> Account | None:
        """Return an account's state without keeping it decoded, for a look at many accounts."""
        state = self._states.get(key)
        return decode(state) if type(state) is bytes else state  # type: ignore[return-value]  # as in `get`

    def suspended(self, key: bytes) -> Account | None:
        """Return an account's state if it is suspended, without keeping it decoded."""
        state = self._states.get(key)
        if type(state) is bytes and _SUSPEND not in state:  # it says so somewhere, and most are not
            return None
        account = self.peek(key)
        return account if account is not None and account.action == "suspend" else None

    def update(self, states: Mapping[bytes, Account | None]) -> None:
        """Take over committed states; None is a tombstone."""
        for key, state in states.items():
            if state is None:
                self._states.pop(key, None)
            else:
                if self._links is not None:
                    self._links.note(key, state)
                self._states[key] = state

    def put_encoded(self, key: bytes, value: bytes | None) -> None:
        """Take over one changelog record; None is a tombstone."""
        if value is None:
            self._states.pop(key, None)
        else:
            self._states[key] = value
            if self._links is not None:
                self._unlinked.append(key)

    def link(self, most: int) -> bool:
        """Index some more accounts by what ties them to companies; tell whether all are.

        The index is made when it is first asked for, which takes about 10 us for each account, and kept from then on.
        """
        if self._links is None:
            self._links, self._unlinked = LinkedAccounts(), list(self._states)
        for key in self._unlinked[-most:]:
            account = self.peek(key)
            if account is not None:
                self._links.note(key, account)
        del self._unlinked[-most:]
        return not self._unlinked

    def linked(self, keys: Iterable[Key]) -> set[bytes]:
        """Return the accounts that share a key with a company, of those that are indexed."""
        return set() if self._links is None else self._links.of(keys)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)
