"""A partition's accounts by what ties them to companies."""

from collections.abc import Iterable

from stream_enforcer.domain.account import Account
from stream_enforcer.domain.links import links
from stream_enforcer.domain.ownership.graph import Key


class LinkedAccounts:
    """Finds accounts by the keys of companies.

    Keys are kept as their hashes: an account that shares a hash by chance is looked at once too often, which
    changes nothing. An account that is forgotten, or comes to claim something else, stays where it was.
    """

    __slots__ = ("_accounts",)

    def __init__(self) -> None:
        self._accounts: dict[int, bytes | list[bytes]] = {}

    def note(self, key: bytes, account: Account) -> None:
        """Add an account under all that ties it to companies."""
        for link in links(account.evidence):
            number = hash(link)
            found = self._accounts.setdefault(number, key)
            if found is key:
                continue
            if isinstance(found, list):
                if key not in found[-1:]:
                    found.append(key)
            elif found != key:
                self._accounts[number] = [found, key]

    def of(self, keys: Iterable[Key]) -> set[bytes]:
        """Return the accounts that share a key with a company."""
        linked: set[bytes] = set()
        for key in keys:
            found = self._accounts.get(hash(key))
            if isinstance(found, list):
                linked.update(found)
            elif found is not None:
                linked.add(found)
        return linked
