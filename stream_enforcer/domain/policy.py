"""A policy: a document of rules, compiled to CEL over declared, typed facts, and what it says of an account."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, NamedTuple

import orjson
from cel_expr_python import cel
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stream_enforcer.domain.account import Action
from stream_enforcer.domain.countries import ISO_3166_1
from stream_enforcer.domain.facts import Facts
from stream_enforcer.domain.ownership.graph import FULL
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import NAME_SCORE_AT_LEAST

Outcome = Literal["suspend", "review", "allow"]
Mode = Literal["enforce", "shadow"]

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]


def _known_country(value: str) -> str:
    if value not in ISO_3166_1:
        raise ValueError("not an ISO 3166-1 alpha-2 code in capitals")
    return value


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OwnershipTerms(_Document):
    """How "more than 50 % owned" is to be read."""

    threshold: Annotated[Decimal, Field(ge=0, le=100, decimal_places=6)] = Decimal(50)
    """Per cent, up to six decimals."""
    strict: bool = True
    """Whether exactly the threshold is not over it."""
    exceptions: tuple[str, ...] = ()
    """Entity ids that never count as restricted holders."""
    name_score_at_least: Annotated[int, Field(ge=0, le=100)] = NAME_SCORE_AT_LEAST
    """How alike names must be, 0 to 100, for a claim to be found by its name."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> "OwnershipTerms":
        if not self.strict and self.threshold == 0:
            raise ValueError("a threshold of 0 that itself passes would take in every company")
        return self


class MaxAgeDays(_Document):
    """How old reference data may be on the day of the event before a decision counts as degraded."""

    geo: Annotated[int, Field(ge=1)] = 365
    ownership: Annotated[int, Field(ge=1)] = 400


class Rule(_Document):
    """One rule: when its condition holds, its outcome is asked for, with its id as the reason's code."""

    id: Slug
    when: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    outcome: Literal["suspend", "review"]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=512, strip_whitespace=True)]
    mode: Mode = "enforce"


class PolicyDocument(_Document):
    """A policy as it is written."""

    id: Slug
    version: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    mode: Mode = "enforce"
    restricted: Annotated[tuple[Annotated[str, AfterValidator(_known_country)], ...], Field(min_length=1)]
    ownership: OwnershipTerms = OwnershipTerms()
    max_age_days: MaxAgeDays = MaxAgeDays()
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "PolicyDocument":
        ids = [rule.id for rule in self.rules]
        twice = sorted({i for i in ids if ids.count(i) > 1} | ({OVERRIDE} & set(ids)))
        if twice:
            raise ValueError(f"rule ids used twice, or reserved: {', '.join(twice)}")
        return self


OVERRIDE: Final = "override"
"""Code of the reason that an override gives; no rule may have it as its id."""

CEL_TYPES: Final[Mapping[Any, Any]] = {
    str: cel.Type.STRING,
    int: cel.Type.INT,
    bool: cel.Type.BOOL,
    tuple[str, ...]: cel.Type.List(cel.Type.STRING),
}

_ENVIRONMENT: Final = cel.NewEnv(
    variables={
        "restricted": cel.Type.List(cel.Type.STRING),
        **{spec.name: CEL_TYPES[spec.type] for spec in fields(Facts)},
    }
)
_NAMES: Final = frozenset(spec.name for spec in fields(Facts))


class BadCondition(NamedTuple):
    """A rule whose condition does not compile.

    Attributes:
        rule: Place of the rule in the document, from 0.
        line, column: Place in its `when` text, from 1.
        message: What is wrong.
    """

    rule: int
    line: int
    column: int
    message: str


class BadRules(ValueError):
    """Conditions of a policy do not compile; all of them, in order."""

    def __init__(self, conditions: Sequence[BadCondition]) -> None:
        super().__init__("; ".join(condition.message for condition in conditions))
        self.conditions = tuple(conditions)


class Reason(NamedTuple):
    """Why a judgement is what it is: a rule that matched, and the facts that it looked at."""

    code: str
    outcome: Outcome
    message: str
    evidence: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the reason as it stands in a decision."""
        return {
            "code": self.code,
            "rule": self.code,
            "outcome": self.outcome,
            "message": self.message,
            "evidence": self.evidence,
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy says of facts.

    Attributes:
        action: What is to hold for the account.
        review: Whether a person should look.
        reasons: Every rule that matched, suspensions first, in the policy's order; an override's before all.
        standing: What policy alone says, for later reviews to leave as it was.
        shadow: Ids of shadow rules that matched; they change nothing.
    """

    action: Action
    review: bool
    reasons: tuple[Reason, ...]
    standing: Action
    shadow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    rule: Rule
    expression: Any
    mentions: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A compiled policy, ready to judge."""

    document: PolicyDocument
    hash: str
    restricted: frozenset[str]
    question: Question
    rules: tuple[_CompiledRule, ...]

    @property
    def max_age_days(self) -> MaxAgeDays:
        """How old reference data may be."""
        return self.document.max_age_days

    @property
    def name_score_at_least(self) -> int:
        """How alike names must be for a claim to be found by its name."""
        return self.document.ownership.name_score_at_least

    @property
    def identity(self) -> dict[str, str]:
        """The policy as decisions name it."""
        doc = self.document
        return {"id": doc.id, "version": doc.version, "hash": self.hash, "mode": doc.mode}


def compile_policy(document: PolicyDocument) -> Policy:
    """Compile a policy's conditions.

    Raises:
        BadRules: A condition has a syntax error, mentions an unknown fact, mixes types, or is not a bool.
    """
    compiled = [_compile_rule(index, rule) for index, rule in enumerate(document.rules)]
    bad = [rule for rule in compiled if isinstance(rule, BadCondition)]
    if bad:
        raise BadRules(bad)
    terms = document.ownership
    canonical = orjson.dumps(document.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    restricted = frozenset(document.restricted)
    return Policy(
        document=document,
        hash=sha256(canonical).hexdigest(),
        restricted=restricted,
        question=Question(
            restricted=restricted,
            threshold=int(terms.threshold * (FULL // 100)),
            strict=terms.strict,
            exceptions=frozenset(terms.exceptions),
        ),
        rules=tuple(rule for rule in compiled if isinstance(rule, _CompiledRule)),
    )


_CEL_ERROR: Final = re.compile(r"<input>:(\d+):(\d+): ([^\n]*)")
_NO_CONTAINER: Final = " (in container '')"


def _compile_rule(index: int, rule: Rule) -> _CompiledRule | BadCondition:
    try:
        expression = _ENVIRONMENT.compile(rule.when)
    except RuntimeError as error:
        place = _CEL_ERROR.search(str(error))
        line, column, message = place.groups() if place else ("1", "1", str(error))
        return BadCondition(index, int(line), int(column), message.replace(_NO_CONTAINER, ""))
    if expression.return_type() != cel.Type.BOOL:
        kind = expression.return_type().name()
        return BadCondition(index, 1, 1, f"a condition must be a bool, this is {kind}")
    words = dict.fromkeys(re.findall(r"[A-Za-z_]\w*", rule.when))
    return _CompiledRule(rule, expression, tuple(word for word in words if word in _NAMES))


def judge(facts: Facts, policy: Policy) -> Judgement:
    """Say what the policy asks for; a pure function, so a decision's facts can be judged again years later.

    Any suspend wins over any review. A review leaves the action as it stood. An override that is in force
    decides over the rules that it covers.
    """
    data = facts.to_json()
    matched, shadow = _match(data, policy)
    standing = _by_policy(matched, facts.standing)
    covered = frozenset(facts.override_rules)
    covers_any = not facts.override_rules or any(r.code in covered for r in matched)
    if facts.override_action == "suspend" and covers_any:
        return Judgement("suspend", False, (_override(facts), *matched), standing, shadow)
    if facts.override_action == "allow" and covers_any:
        rest = [] if not covered else [r for r in matched if r.code not in covered]
        kept = any(reason.outcome == "suspend" for reason in rest)
        action: Action = "suspend" if kept else "allow"
        review = bool(rest) and not kept
        return Judgement(action, review, (_override(facts), *matched), standing, shadow)
    review = bool(matched) and not any(r.outcome == "suspend" for r in matched)
    return Judgement(standing, review, matched, standing, shadow)


def _by_policy(matched: Sequence[Reason], standing: str) -> Action:
    if any(reason.outcome == "suspend" for reason in matched):
        return "suspend"
    return "suspend" if matched and standing == "suspend" else "allow"


def _override(facts: Facts) -> Reason:
    outcome: Outcome = "suspend" if facts.override_action == "suspend" else "allow"
    evidence = {"override_id": facts.override_id, "override_rules": list(facts.override_rules)}
    return Reason(OVERRIDE, outcome, "Two people decided this by an override.", evidence)


def _match(data: dict[str, Any], policy: Policy) -> tuple[tuple[Reason, ...], tuple[str, ...]]:
    variables = {name: list(v) if isinstance(v, tuple) else v for name, v in data.items()}
    activation = _ENVIRONMENT.Activation({**variables, "restricted": list(policy.document.restricted)})
    matched: list[Reason] = []
    shadow: list[str] = []
    for compiled in policy.rules:
        value = compiled.expression.eval(activation)
        failed = value.type() == cel.Type.ERROR
        if not failed and not value.value():
            continue
        rule = compiled.rule
        if rule.mode == "shadow":
            shadow.append(rule.id)
            continue
        evidence = {name: data[name] for name in compiled.mentions}
        # A condition that cannot be evaluated must not let anybody through unseen: a person looks.
        outcome: Outcome = "review" if failed else rule.outcome
        message = "This rule's condition could not be evaluated." if failed else rule.reason
        matched.append(Reason(rule.id, outcome, message, evidence))
    matched.sort(key=lambda reason: reason.outcome != "suspend")
    return tuple(matched), tuple(shadow)
