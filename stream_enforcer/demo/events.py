"""Generates the demo's stream: signups, usage and overrides as bytes, the same for the same seed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count as count_from
from random import Random
from typing import Any, Final, Literal

import orjson

from stream_enforcer.demo.accounts import RESTRICTED, STORIES, DemoAccount, demo_accounts
from stream_enforcer.demo.addresses import address_book
from stream_enforcer.domain.events import MS_PER_DAY, rfc3339

TopicRole = Literal["signups", "usage", "overrides"]

START_MS: Final = 1_781_740_800_000
"""2026-06-18T00:00:00Z: the day after the country tables were built."""
DAYS: Final = 5
_SPOILED_EVERY: Final = 2000
"""One record in so many is malformed."""
_SIGNED_UP_BY: Final = 0.5
"""Part of the stream by which every account has signed up."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it is encoded.

    Attributes:
        role: The topic it goes to.
        fields: Its JSON object.
        country: Where its address lies; None for an event without one.
    """

    role: TopicRole
    fields: Mapping[str, Any]
    country: str | None


def generate(count: int, seed: int, *, accounts: int) -> Iterator[tuple[TopicRole, bytes, bytes]]:
    """Generate a stream of events over five days from 2026-06-18, in the order of their times.

    Addresses are real: networks of the demo's country tables and of real cloud providers. Accounts, companies
    and what they do are invented. Each account signs up once, the first ten at once: one for each story. A few
    overrides and, one record in 2000, malformed records are among the usage that makes up the rest.

    Args:
        count: Number of records, at least twice `accounts`; with 20 records an account, 95 % are usage.
        seed: The same seed gives the same bytes.
        accounts: Number of accounts, at least ten: one for each story.

    Yields:
        The topic's role, the key and the value.

    Raises:
        ValueError: `accounts` or `count` is too small.
    """
    for position, draft in enumerate(drafts(count, seed, accounts=accounts), start=1):
        key = draft.fields["account_id"].encode()
        value = orjson.dumps(draft.fields)
        if draft.role == "usage" and position % _SPOILED_EVERY == 0:
            key, value = _SPOILS[position // _SPOILED_EVERY % len(_SPOILS)](key, value)
        yield draft.role, key, value


def drafts(count: int, seed: int, *, accounts: int) -> Iterator[Draft]:
    """Generate the stream before it is encoded and a few records are spoiled; see `generate`."""
    if accounts < len(STORIES):
        raise ValueError(f"accounts is {accounts}; the demo's stories need at least {len(STORIES)}")
    if count < 2 * accounts:
        raise ValueError(f"count is {count}; {accounts} accounts need at least {2 * accounts} records")
    rng = Random(seed)  # noqa: S311 - a demo's dice, no secret depends on them
    cast = demo_accounts(accounts, DAYS, address_book(rng, restricted=RESTRICTED), rng)
    overrides = _overrides(count, cast)
    signups_wait = count * _SIGNED_UP_BY / accounts
    signed = 0
    for position in range(count):
        at = START_MS + position * DAYS * MS_PER_DAY // count
        if signed < len(STORIES) or (signed < accounts and position >= signed * signups_wait):
            yield _signup(cast[signed], position, at)
            signed += 1
        elif position in overrides:
            yield Draft("overrides", {**overrides[position], "occurred_at": rfc3339(at)}, None)
        else:
            yield _usage(cast[rng.randrange(signed)], position, at, rng)


def _signup(account: DemoAccount, position: int, at: int) -> Draft:
    ip, country = account.home[0]
    fields = {
        "type": "signup",
        "event_id": f"demo-{position:08d}",
        "account_id": account.account_id,
        "occurred_at": rfc3339(at),
        "ip": ip,
        **account.claims,
    }
    return Draft("signups", fields, country)


def _usage(account: DemoAccount, position: int, at: int, rng: Random) -> Draft:
    ip, country = account.place((at - START_MS) // MS_PER_DAY, rng)
    tokens_in, tokens_out = int(20 / (rng.random() + 0.005)), int(10 / (rng.random() + 0.005))
    fields = {
        "type": "usage",
        "event_id": f"demo-{position:08d}",
        "account_id": account.account_id,
        "occurred_at": rfc3339(at),
        "ip": ip,
        "model": "demo-large" if position % 3 else "demo-small",
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "cost_usd_micros": 3 * tokens_in + 15 * tokens_out,
    }
    return Draft("usage", fields, country)


def _overrides(count: int, cast: Sequence[DemoAccount]) -> dict[int, dict[str, Any]]:
    """Return the overrides by their position in the stream, all after the last signup."""
    named = dict(zip(STORIES, cast, strict=False))
    declared = {
        "action": "allow",
        "rules": ["declared-country-restricted"],
        "reason": "The form was filled in by mistake; papers were seen.",
        "expires_at": rfc3339(START_MS + 30 * MS_PER_DAY),
    }
    planned: Sequence[tuple[DemoAccount, Mapping[str, Any]]] = (
        (named["declared"], declared),
        (named["resident"], {"action": "suspend", "reason": "Stolen cards."}),
        (named["commuter"], {"action": "allow", "reason": "Embassy staff."}),
        (named["resident"], {"action": "none", "reason": "The cards were the owner's own."}),
    )
    return {
        int(count * part): {
            "type": "override",
            "event_id": f"demo-override-{number}",
            "account_id": account.account_id,
            "override_id": f"demo-{number}",
            "requested_by": "demo-reviewer-1",
            "approved_by": "demo-reviewer-2",
            **decided,
        }
        for part, number, (account, decided) in zip(
            (0.6, 0.7, 0.8, 0.9), count_from(1), planned, strict=False
        )
    }


_SPOILS: Final[Sequence[Callable[[bytes, bytes], tuple[bytes, bytes]]]] = (
    lambda key, value: (key, value[:-20]),  # cut short
    lambda key, value: (key, value.replace(b'"ip":"', b'"ip":"x')),
    lambda _, value: (b"another-account", value),
    lambda key, value: (key, value.replace(b'"occurred_at"', b'"happened_at"')),
    lambda key, value: (key, value.replace(b'"input_tokens":', b'"input_tokens":-')),
)
