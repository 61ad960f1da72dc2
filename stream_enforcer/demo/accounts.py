"""The demo's accounts: each one lives a story that the policy answers in its own way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal, get_args

import orjson

from stream_enforcer.demo.addresses import AddressBook
from stream_enforcer.demo.data import ownership_file

Story = Literal[
    "resident",  # signs up and works at home, in a country that is served
    "company",  # the same, for a company that the register knows and nobody restricted owns
    "register",  # for another company of the register: owned, listed, possible, ended, exactly half ...
    "cloud",  # works from a cloud provider's network
    "restricted",  # signs up from a restricted country
    "commuter",  # signs up at home, then works from a restricted country day after day
    "traveller",  # was in a restricted country on one day
    "masked",  # a cloud network together with a restricted country's phone
    "phone",  # a restricted country's phone and nothing else
    "declared",  # declares a restricted country, or is billed there
]
STORIES: Final[tuple[Story, ...]] = get_args(Story)
_PER_MILLE: Final = (715, 150, 40, 40, 15, 10, 10, 8, 6, 6)

RESTRICTED: Final[Mapping[str, int]] = {"CN": 60, "RU": 25, "IR": 12, "KP": 3}
"""The packaged policy's restricted countries, with their weights in the demo."""
SERVED: Final[Mapping[str, int]] = {
    "US": 340,
    "IN": 110,
    "GB": 90,
    "DE": 80,
    "FR": 60,
    "JP": 60,
    "BR": 60,
    "CA": 40,
    "KR": 30,
    "NL": 20,
    "AU": 20,
    "ES": 20,
    "IT": 20,
    "SG": 20,
    "HK": 15,
    "IE": 10,
    "SE": 10,
    "PL": 10,
    "MX": 10,
    "NO": 5,
}
"""Countries at home in the demo, with their weights."""

SHOWN_COMPANY: Final = "demo:bridgewick-otters"
"""What the first `register` account claims, by LEI: 60 % is held by a company that is itself held at 60 %."""

Place = tuple[str, str]
"""An IP address and its country."""


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account and what it will do.

    Attributes:
        account_id: Its id.
        story: What it lives through.
        home: Where it signs up (the first) and works.
        away: Where it works from when it is not at home; empty where the story has no such place.
        trip_day: The day of the stream, from 0, on which a traveller is away.
        claims: What its signup says beside its place.
    """

    account_id: str
    story: Story
    home: Sequence[Place]
    away: Sequence[Place]
    trip_day: int
    claims: Mapping[str, Any]

    def place(self, day: int, rng: Random) -> Place:
        """Draw where the account works from on a day of the stream."""
        is_away = rng.random() < 0.5 if self.story == "commuter" else day == self.trip_day
        return rng.choice(self.away if self.away and is_away else self.home)


def first_of(story: Story) -> str:
    """Return the id of the first account that lives a story."""
    return _account_id(STORIES.index(story))


def _account_id(index: int) -> str:
    return f"acct-{index:06d}"


def demo_accounts(count: int, days: int, book: AddressBook, rng: Random) -> list[DemoAccount]:
    """Invent accounts: the first ones live each story once, the others as often as its weight says.

    Args:
        count: How many; at least one for each story.
        days: Length of the stream.
        book: Where addresses come from.
        rng: The same state gives the same accounts.
    """
    stories = [*STORIES, *rng.choices(STORIES, _PER_MILLE, k=count - len(STORIES))]
    independent, others = _companies()
    cast = _Cast(book, rng, days, independent, others)
    return [cast.account(index, story) for index, story in enumerate(stories)]


def _companies() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the register's companies: those that are served without a question, and the others."""
    rows = [orjson.loads(line) for line in ownership_file().read_bytes().splitlines()]
    held = {row["held"] for row in rows if row["kind"] == "stake"}
    companies = [row for row in rows if row["kind"] == "entity" and row["type"] == "company"]
    independent = [
        row
        for row in companies
        if row["id"] not in held
        and "listings" not in row
        and RESTRICTED.keys().isdisjoint((row["country"], row.get("headquarters")))
    ]
    return independent, [row for row in companies if row not in independent]


@dataclass(frozen=True, slots=True)
class _Cast:
    book: AddressBook
    rng: Random
    days: int
    independent: Sequence[Mapping[str, Any]]
    others: Sequence[Mapping[str, Any]]

    def account(self, index: int, story: Story) -> DemoAccount:
        own = _draw(RESTRICTED if story == "restricted" else SERVED, self.rng)
        if story in ("cloud", "masked"):
            home = [self.book.in_the_cloud(self.rng) for _ in range(3)]
        else:
            home = self._at_home(own)
        away = self._at_home(_draw(RESTRICTED, self.rng)) if story in ("commuter", "traveller") else []
        trip_day = self.rng.randrange(1, self.days)
        return DemoAccount(_account_id(index), story, home, away, trip_day, self._claims(index, story, own))

    def _at_home(self, country: str) -> list[Place]:
        return [(self.book.at_home(country, self.rng), country) for _ in range(self.rng.randint(1, 3))]

    def _claims(self, index: int, story: Story, own: str) -> dict[str, Any]:
        claims: dict[str, Any] = {
            "email_domain": "mail.example",
            "declared_country": own,
            "phone_country": own,
        }
        match story:
            case "company":
                claims["organization"] = _claim(self.rng.choice(self.independent), self.rng)
            case "register":
                shown = index < len(STORIES)
                claims["organization"] = (
                    self._shown() if shown else _claim(self.rng.choice(self.others), self.rng)
                )
            case "masked" | "phone":
                claims["phone_country"] = _draw(RESTRICTED, self.rng)
            case "declared":
                field = "billing_country" if index % 2 else "declared_country"
                claims[field] = _draw(RESTRICTED, self.rng)
            case _:
                pass
        return claims

    def _shown(self) -> dict[str, Any]:
        company = next(company for company in self.others if company["id"] == SHOWN_COMPANY)
        return {"name": company["name"], "lei": company["identifiers"]["lei"]}


def _claim(company: Mapping[str, Any], rng: Random) -> dict[str, Any]:
    """Name a company as a signup form would: by one of its identifiers, or by its name and country."""
    identifiers: Mapping[str, str] = company.get("identifiers", {})
    by = rng.choice([*identifiers, "name"])
    claim: dict[str, Any] = {"name": company["name"]}
    if by == "name":
        claim["country"] = company["country"]
    else:
        claim[by] = identifiers[by]
    if by == "registration_number":
        claim["registration_country"] = company["country"]
    return claim


def _draw(weights: Mapping[str, int], rng: Random) -> str:
    return rng.choices([*weights], [*weights.values()])[0]
