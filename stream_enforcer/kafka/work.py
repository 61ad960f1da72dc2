"""What a task has judged but not committed: an overlay over the committed states, and what is to be published."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from stream_enforcer.domain.account import Account
from stream_enforcer.domain.cost import Spent
from stream_enforcer.domain.decision import Decision
from stream_enforcer.domain.engine import Step, Use
from stream_enforcer.kafka.dead_letters import DeadLetter, Header
from stream_enforcer.observe.metrics import Metrics
from stream_enforcer.observe.trace_context import Traces

MOST_RECORDS: Final = 20_000
MOST_OUTPUTS: Final = 10_000


@dataclass(slots=True)
class Work:
    """The content of one transaction.

    Attributes:
        offsets: Next offset to read, by input topic.
        records: Records taken, by input topic.
        states: New account states by key; the last one of each account only, None where it is forgotten.
        uses: The account's key and what a use of it cost, in order; None instead where it is forgotten.
        spent: What that comes to, by key, when it is to be committed; None where the account is forgotten.
        decisions: Key, value and headers of the decisions, in order.
        dead_letters: Dead letters, in order.
        caused_at: Timestamp of the record that caused each decision, epoch milliseconds.
        by_action_and_rule, reviews, by_reason, shadow: Counts for the metrics.
        forgotten: Accounts removed because nothing was seen of them for long.
        looked_at: Accounts judged again, by what changed.
        traces: Which traces its records belong to; empty where nobody asks.
    """

    offsets: dict[str, int] = field(default_factory=dict)
    records: Counter[str] = field(default_factory=Counter)
    states: dict[bytes, Account | None] = field(default_factory=dict)
    uses: list[tuple[bytes, Use | None]] = field(default_factory=list)
    spent: dict[bytes, Spent | None] = field(default_factory=dict)
    decisions: list[tuple[bytes, bytes, list[Header]]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    caused_at: list[int] = field(default_factory=list)
    by_action_and_rule: Counter[tuple[str, str]] = field(default_factory=Counter)
    reviews: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)
    shadow: Counter[str] = field(default_factory=Counter)
    forgotten: int = 0
    looked_at: Counter[str] = field(default_factory=Counter)
    traces: Traces = field(default_factory=Traces)

    def __bool__(self) -> bool:
        """Tell whether there is anything to commit."""
        return bool(self.offsets or self.states)

    @property
    def in_flight(self) -> int:
        """Records taken."""
        return sum(self.records.values())

    @property
    def full(self) -> bool:
        """Whether it should be committed before more is added: what waits is bounded."""
        outputs = len(self.decisions) + len(self.states) + len(self.dead_letters)
        return outputs >= MOST_OUTPUTS or self.in_flight >= MOST_RECORDS

    def add(self, key: bytes, step: Step, timestamp: int, headers: list[Header]) -> None:
        """Add what a well-formed record, or a second look, caused.

        Args:
            key: The account's.
            step: What was caused.
            timestamp: Of the record, epoch milliseconds.
            headers: Of the decision; not looked at where there is none.
        """
        if step.account is not None:
            self.states[key] = step.account
        if step.decision is not None and step.account is not None:
            self.decisions.append((key, step.decision.value, headers))
            self._count(step.account, step.decision, timestamp)
            self.shadow.update(step.shadow)

    def _count(self, account: Account, decision: Decision, timestamp: int) -> None:
        self.caused_at.append(timestamp)
        self.by_action_and_rule[decision.action, decision.codes[0] if decision.codes else "none"] += 1
        self.reviews += account.review

    def bury(self, letter: DeadLetter, reason: str) -> None:
        """Add a dead letter."""
        self.dead_letters.append(letter)
        self.by_reason[reason] += 1

    def moved(self, topic: str, next_offset: int, records: int) -> None:
        """Note that records of a topic were taken."""
        self.offsets[topic] = next_offset
        self.records[topic] += records


def count_committed(metrics: Metrics, partition: int, work: Work, accounts: int, seconds: float) -> None:
    """Count a transaction that ended well.

    Args:
        metrics: Where to count.
        partition: The partition that it was for.
        work: What it published.
        accounts: Accounts that the partition now holds.
        seconds: How long it took.
    """
    number = str(partition)
    metrics.transactions.labels("committed").inc()
    metrics.commit_seconds.observe(seconds)
    metrics.latency_seconds.observe_batch(time.time_ns() // 1_000_000, work.caused_at)
    for topic, count in work.records.items():
        metrics.records.labels(topic, number).inc(count)
    for (action, rule), count in work.by_action_and_rule.items():
        metrics.decisions.labels(action, rule).inc(count)
    for reason, count in work.by_reason.items():
        metrics.dead_letters.labels(reason).inc(count)
    for rule, count in work.shadow.items():
        metrics.shadow_matches.labels(rule).inc(count)
    for changed, count in work.looked_at.items():
        metrics.second_looks.labels(changed).inc(count)
    metrics.reviews.inc(work.reviews)
    metrics.accounts_forgotten.inc(work.forgotten)
    metrics.accounts.labels(number).set(accounts)
