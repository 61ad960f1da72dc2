"""The load: events of about 200 bytes, 95 % usage, from a hundred thousand accounts at real addresses."""

from collections.abc import Iterator
from random import Random
from typing import Final

import orjson

from stream_enforcer.demo.addresses import AddressBook, address_book

ACCOUNTS: Final = 100_000
COUNTRIES: Final = ("US", "GB", "DE", "FR", "IN", "JP", "BR", "CA", "AU", "KR")
RESTRICTED: Final = ("CN", "RU", "IR")
DAY_MS: Final = 86_400_000
FIRST_DAY: Final = 20_600  # 2026-05-27


class Load:
    """Makes events; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        book = address_book(self._rng, restricted=RESTRICTED)
        self._addresses = [self._address(book) for _ in range(ACCOUNTS)]

    def _address(self, book: AddressBook) -> str:
        if self._rng.random() < 0.05:
            return book.in_the_cloud(self._rng)[0]
        return book.at_home(
            self._rng.choice(RESTRICTED if self._rng.random() < 0.02 else COUNTRIES), self._rng
        )

    def events(self, count: int, prefix: str) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield topic role ("signups" or "usage"), key and value."""
        rng, addresses = self._rng, self._addresses
        for i in range(count):
            n = rng.randrange(ACCOUNTS)
            account = f"acct-{n:08d}"
            event = {
                "event_id": f"{prefix}-{i:010d}",
                "account_id": account,
                "occurred_at": (FIRST_DAY + i * 3 // count) * DAY_MS + rng.randrange(DAY_MS),
                "ip": addresses[n],
            }
            if rng.random() < 0.05:
                event |= {"type": "signup", "email_domain": "example.com", "declared_country": "US"}
                role = "signups"
            else:
                event |= {"type": "usage", "model": "large-1", "input_tokens": 812, "output_tokens": 240}
                event["cost_usd_micros"] = 5_310
                role = "usage"
            yield role, account.encode(), orjson.dumps(event)
