"""The result of a replay, `summary.json` and a line of `changes.jsonl`, for its schemas."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from stream_enforcer.domain.account import Action
from stream_enforcer.domain.decision import PublishedOwnership, PublishedPolicy, Reference

Micros = Annotated[int, Field(ge=0, description="Micro-dollars")]
Accounts = Annotated[int, Field(ge=0)]
Reading = Literal["control", "effective", "single_owner"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(_Part):
    """A partition or file that was read: offsets or lines, the end exclusive."""

    name: str
    partition: int
    start: int = Field(alias="from")
    end: int = Field(alias="to")
    records: int


class Period(_Part):
    """From the oldest to the newest event, RFC 3339; nulls where there was none."""

    start: str | None = Field(alias="from")
    end: str | None = Field(alias="to")


class Side(_Part):
    """A side: what was given, and the policy and reference data that follow; nulls for published decisions."""

    what: str
    policy: PublishedPolicy | None
    policy_text: str | None = Field(description="The policy as it is written")
    reference: Reference | None


class Run(_Part):
    """What was read and compared. Equal runs have equal ids."""

    id: str
    version: str
    sources: tuple[Source, ...]
    period: Period
    notes: tuple[str, ...]
    old: Side
    new: Side


class SideTotals(_Part):
    """Accounts of one side."""

    suspended: Accounts
    reviews: Accounts
    cost_usd_micros_per_month: Micros


class Totals(_Part):
    """Accounts of both sides, and what differs."""

    old: SideTotals
    new: SideTotals
    new_suspensions: Accounts
    lifted_suspensions: Accounts
    other_changes: Accounts
    cost_at_stake_usd_micros_per_month: Micros


class NamedCount(_Part):
    """Suspended accounts of one rule, country or reading."""

    name: str
    old: Accounts
    new: Accounts
    cost_usd_micros_per_month: Micros = Field(description="Of those that the new side suspends")


class DayCount(_Part):
    """Accounts suspended since one day."""

    day: str
    old: Accounts
    new: Accounts
    old_cost_usd_micros_per_month: Micros
    new_cost_usd_micros_per_month: Micros


class Gate(_Part):
    """A limit, and whether it is kept; numbers as text, exact."""

    name: str
    limit: str
    value: str
    passed: bool


class ReplaySummary(_Part):
    """The file `summary.json` of a replay."""

    format: Literal[1]
    run: Run
    events: int
    malformed: int
    malformed_by_reason: dict[str, int]
    accounts: Accounts
    totals: Totals
    by_rule: tuple[NamedCount, ...]
    by_jurisdiction: tuple[NamedCount, ...]
    by_reading: tuple[NamedCount, ...]
    by_day: tuple[DayCount, ...]
    gates: tuple[Gate, ...]


class Stand(_Part):
    """Where an account stands for one side; nulls where nothing was decided."""

    action: Action | None
    review: bool
    reasons: tuple[str, ...]
    since: str | None


class DecidingFact(_Part):
    """The fact that the difference rests on."""

    name: str
    value: Any


class ReplayChange(_Part):
    """A line of the file `changes.jsonl` of a replay: an account whose outcome differs."""

    account_id: str
    old: Stand
    new: Stand
    first_difference: str
    fact: DecidingFact | None
    jurisdiction: str | None
    reading: Reading | None
    cost_usd_micros_per_month: Micros
    ownership: PublishedOwnership | None
    names: dict[str, str] = Field(
        description="Names of the companies in `ownership`, by id, where they are known"
    )
