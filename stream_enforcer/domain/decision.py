"""A decision: a published change of an account's verdict, with its proof, in canonical JSON."""

from hashlib import sha256
from typing import Annotated, Any, Final, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from stream_enforcer.domain.account import Account, Action
from stream_enforcer.domain.events import Identifier, rfc3339
from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.domain.policy import Mode, Outcome
from stream_enforcer.domain.world import Verdict

_AFTER_THE_ID: Final = b',"degraded":'

TriggerKind = Literal["event", "reference", "policy", "override", "expiry", "brake"]


class Trigger(NamedTuple):
    """What made the task look at an account again.

    Attributes:
        kind: An event, an override, or a change of the world.
        topic, partition, offset: Coordinates of the record.
        event_id: Id of the event; None where there is none.
        time: When it happened, in epoch milliseconds.
    """

    kind: TriggerKind
    topic: str
    partition: int
    offset: int
    event_id: str | None
    time: int

    def to_json(self) -> dict[str, Any]:
        """Return the trigger as it stands in a decision, keys sorted."""
        event = {} if self.event_id is None else {"event_id": self.event_id}
        return {
            **event,
            "kind": self.kind,
            "offset": self.offset,
            "partition": self.partition,
            "topic": self.topic,
        }


class Decision(NamedTuple):
    """An encoded decision and what the task needs to know of it.

    Attributes:
        decision_id: SHA-256 hex of the canonical JSON of every other field.
        action: "allow" or "suspend".
        codes: The reasons' codes.
        event_time: When what it was decided for happened, RFC 3339.
        value: The canonical JSON that is published.
    """

    decision_id: str
    action: Action
    codes: tuple[str, ...]
    event_time: str
    value: bytes


def write(account_id: str, account: Account, verdict: Verdict, trigger: Trigger) -> Decision:
    """Write the decision that follows an account's last one."""
    event_time = rfc3339(trigger.time)
    body = orjson.dumps(
        {  # sorted by hand, here and in what is nested: the encoder's sorting costs as much as the encoding
            "account_id": account_id,
            **verdict.before_event_time,
            "event_time": event_time,
            **verdict.before_previous_action,
            "previous_action": account.action,
            **verdict.before_sequence,
            "sequence": account.sequence + 1,
            "supersedes": account.decision_id or None,
            "trigger": trigger.to_json(),
        }
    )
    decision_id = sha256(body).hexdigest()
    # Inside a string a quote is escaped, so this finds the field and nothing else.
    at = body.index(_AFTER_THE_ID)
    value = b'%b,"decision_id":"%b"%b' % (body[:at], decision_id.encode(), body[at:])
    return Decision(decision_id, verdict.judgement.action, verdict.codes, event_time, value)


def compute_id(decision: dict[str, Any]) -> str:
    """Compute the id that a decision should have from its other fields."""
    body = {name: value for name, value in decision.items() if name != "decision_id"}
    return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[int, Field(ge=0, le=FULL, description="Millionths of a percent: 100 % is 100000000")]
Score = Annotated[int, Field(ge=0, le=100)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PublishedReason(_Record):
    """Why: a rule that matched and the facts that it looked at."""

    code: str
    rule: str
    outcome: Outcome
    message: str
    evidence: dict[str, Any]


class PublishedTrigger(_Record):
    """What made the service look."""

    kind: TriggerKind
    topic: str
    partition: int
    offset: int
    event_id: str | None = None


class PublishedPolicy(_Record):
    """The policy that the decision was judged by."""

    id: str
    version: str
    hash: Sha256
    mode: Mode


class GeoReference(_Record):
    """The geo tables in use."""

    hash: Sha256
    built_at: str | None


class OwnershipReference(_Record):
    """The ownership snapshot in use; nulls where there was none."""

    hash: Sha256 | None
    as_of: str | None


class Reference(_Record):
    """The reference data in use."""

    geo: GeoReference
    ownership: OwnershipReference


class PublishedRunnerUp(_Record):
    """The next best candidate of a match by name."""

    entity: str
    score: Score


class PublishedMatch(_Record):
    """How the account's organisation was found in the ownership data, and why it is this entity."""

    kind: Literal["identifier", "name"]
    score: Score
    features: tuple[str, ...] = ()
    runner_up: PublishedRunnerUp | None = None


class PublishedReading(_Record):
    """One reading of "more than the threshold, directly or indirectly"."""

    verdict: Literal["proved", "possible", "refuted", "unknown"]
    min: Share
    max: Share


class ProofEdge(_Record):
    """One holding of the proof; `country` says why its holder is a restricted one."""

    holder: str
    held: str
    min: Share
    max: Share
    since: str | None = None
    source: str | None = None
    country: str | None = None


class PublishedOwnership(_Record):
    """Who owns the account's company, in three readings, with the holdings that show it."""

    entity: str
    match: PublishedMatch
    threshold: Share
    strict: bool = True
    control: PublishedReading
    effective: PublishedReading
    single_owner: PublishedReading
    proof: tuple[ProofEdge, ...]
    proof_complete: bool = True


class PublishedDecision(_Record):
    """A record of the topic `decisions`."""

    decision_id: Sha256
    account_id: Identifier
    sequence: Annotated[int, Field(ge=1)]
    supersedes: Sha256 | None
    action: Action
    previous_action: Action | None
    review: bool
    reasons: tuple[PublishedReason, ...]
    trigger: PublishedTrigger
    event_time: str
    policy: PublishedPolicy
    reference: Reference
    facts: dict[str, Any]
    ownership: PublishedOwnership | None
    degraded: tuple[str, ...]
    override_id: str | None
    evidence_hash: Sha256
