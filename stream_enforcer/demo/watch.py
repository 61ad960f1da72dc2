"""Reads the decisions as any consumer would, and checks them."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_enforcer.kafka.client import Clients
from stream_enforcer.kafka.lifetime import CLOSE_SECONDS, START_SECONDS, end_within, start_within
from stream_enforcer.replay.verification import Link, follow
from stream_enforcer.settings import Topics

POLL_MS: Final = 100
NO_RULE: Final = "no rule matched"


class Watch:
    """What was seen of the decisions.

    Attributes:
        decisions: Number of decisions.
        by_action: The same by action.
        by_reason: The same by outcome ("suspend", "review": allowed and to be looked at, "allow") and reason;
            only reasons of that outcome count, and a decision with two of them counts for both.
        chains: The last decision of each account.
        seen_at: When the decision that an event caused was read: `time.perf_counter`, by event id.
        shown: The last decision about the account that is shown; None before there is one.
    """

    def __init__(self, shown_account: str) -> None:
        self._shown_account = shown_account
        self.decisions = 0
        self.by_action: Counter[str] = Counter()
        self.by_reason: Counter[tuple[str, str]] = Counter()
        self.chains: dict[str, Link] = {}
        self.seen_at: dict[str, float] = {}
        self.shown: dict[str, object] | None = None

    def take(self, value: bytes, now: float) -> None:
        """Count a decision, and check that it follows its account's last one: no gap, no repeat.

        Raises:
            Refuted: It does not.
        """
        decision = orjson.loads(value)
        account, action = decision["account_id"], decision["action"]
        self.chains[account] = follow(self.chains.get(account), decision, partial=False)
        self.decisions += 1
        self.by_action[action] += 1
        outcome = "review" if decision["review"] and action == "allow" else action
        self.by_reason.update((outcome, code) for code in _codes(decision["reasons"], outcome))
        self.seen_at.setdefault(decision["trigger"].get("event_id", ""), now)
        if account == self._shown_account:
            self.shown = decision


def _codes(reasons: Iterable[Mapping[str, str]], outcome: str) -> list[str]:
    """Return the reasons that speak for an outcome; those that another one outweighed do not."""
    return [reason["code"] for reason in reasons if reason["outcome"] == outcome] or [NO_RULE]


async def watch(clients: Clients, topics: Topics, seen: Watch, over: asyncio.Event) -> None:
    """Read committed decisions from the beginning until it is over.

    Raises:
        Refuted: A decision does not follow its account's last one.
        KafkaError: The broker does not answer.
    """
    reader: AIOKafkaConsumer = clients.reader()
    try:
        await start_within(START_SECONDS, reader.start())
        tps = [TopicPartition(topics.decisions, number) for number in range(topics.partitions)]
        reader.assign(tps)
        for tp in tps:
            reader.seek(tp, 0)
        while not over.is_set():
            batches = await reader.getmany(timeout_ms=POLL_MS)
            now = time.perf_counter()
            for records in batches.values():
                for record in records:
                    seen.take(record.value, now)
    finally:
        await end_within(CLOSE_SECONDS, reader.stop())
