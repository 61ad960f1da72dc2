"""The straight line from a record to what it causes."""

from typing import Final, Literal, NamedTuple

from stream_enforcer.domain.account import NEW, Account, Evidence, fold
from stream_enforcer.domain.decision import Decision, Trigger, write
from stream_enforcer.domain.events import MS_PER_DAY, Event, EventKind, Malformed, Override, Usage, decode
from stream_enforcer.domain.records import Record
from stream_enforcer.domain.world import Verdict, World

Emit = Literal["transitions", "every"]


Use = tuple[int, int]
"""What a use cost: its day since 1970, and micro-dollars."""


class Step(NamedTuple):
    """What one record, or one look at an account, caused. Only the task performs it.

    Attributes:
        account: The account's new state; None where it did not change.
        decision: What to publish, or None.
        malformed: Why the record goes to the dead letters, or None.
        shadow: Shadow rules that matched in the decision's judgement.
        use: What the event cost; None where it cost nothing.
    """

    account: Account | None = None
    decision: Decision | None = None
    malformed: Malformed | None = None
    shadow: tuple[str, ...] = ()
    use: Use | None = None


NOTHING: Final = Step()
"""What most events that cost nothing cause."""


def step(record: Record, kind: EventKind | None, account: Account | None, world: World, emit: Emit) -> Step:
    """Take one record from bytes to what it causes.

    Args:
        record: An input record.
        kind: What its topic carries; None where `type` alone tells.
        account: The state of the account that the record's key names; None when it is new.
        world: Policy and reference data.
        emit: Whether to publish every event's decision, or only those that change something.

    Returns:
        The step. Never raises for bad input.
    """
    event = decode(record, kind)
    if isinstance(event, Malformed):
        return Step(malformed=event)
    before = account or NEW
    ip = None if event.ip is None else world.geo.lookup(event.ip)
    evidence = fold(before.evidence, event, ip)
    every = emit == "every" and not isinstance(event, Override)
    use = None
    if type(event) is Usage and event.cost_usd_micros:
        use = event.occurred_at // MS_PER_DAY, event.cost_usd_micros
    if evidence is before.evidence and before.sequence and not every:
        # By far the most frequent case; the constructor of a named tuple would take three times the time.
        return NOTHING if use is None else tuple.__new__(Step, (None, None, None, (), use))
    caused = _conclude(event.account_id, before, evidence, world, _trigger(record, event), every)
    return caused if use is None else Step(*caused[:4], use)


def reconcile(account_id: str, account: Account, world: World, trigger: Trigger) -> Step:
    """Look at an account again because the world changed; publishes only a difference."""
    return _conclude(account_id, account, account.evidence, world, trigger, every=False)


def _trigger(record: Record, event: Event) -> Trigger:
    kind: Literal["override", "event"] = "override" if isinstance(event, Override) else "event"
    return Trigger(kind, record.topic, record.partition, record.offset, event.event_id, event.occurred_at)


def _conclude(
    account_id: str, before: Account, evidence: Evidence, world: World, trigger: Trigger, every: bool
) -> Step:
    now = world.verdict(evidence, before.standing)
    judgement = now.judgement
    if before.sequence and not every and _said(before) == _says(now):
        same = evidence is before.evidence and judgement.standing == before.standing
        return NOTHING if same else Step(account=_keep(before, evidence, now))
    decision = write(account_id, before, now, trigger)
    after = Account(
        evidence=evidence,
        standing=judgement.standing,
        sequence=before.sequence + 1,
        decision_id=decision.decision_id,
        action=judgement.action,
        review=judgement.review,
        codes=now.codes,
    )
    return Step(account=after, decision=decision, shadow=judgement.shadow)


def _said(account: Account) -> tuple[str | None, bool, tuple[str, ...]]:
    return account.action, account.review, account.codes


def _says(now: Verdict) -> tuple[str | None, bool, tuple[str, ...]]:
    return now.judgement.action, now.judgement.review, now.codes


def _keep(before: Account, evidence: Evidence, now: Verdict) -> Account:
    return Account(
        evidence=evidence,
        standing=now.judgement.standing,
        sequence=before.sequence,
        decision_id=before.decision_id,
        action=before.action,
        review=before.review,
        codes=before.codes,
    )
