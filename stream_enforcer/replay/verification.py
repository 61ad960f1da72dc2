"""Verify published decisions from nothing but themselves, and, with a policy, judge their facts again."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from stream_enforcer.domain.decision import PublishedDecision
from stream_enforcer.domain.facts import FACT_NAMES, Facts
from stream_enforcer.domain.ownership.proof import check
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.policy import Judgement, Policy, judge
from stream_enforcer.replay.consistency import Link, Refuted, check_facts, follow, read
from stream_enforcer.replay.event_files import Line

__all__ = ["Failure", "Link", "Refuted", "Verified", "follow", "verify_decisions"]


@dataclass(frozen=True, slots=True)
class Failure:
    """The first decision that does not hold.

    Attributes:
        line: Its line in the file, from 1.
        decision_id: The id that it states; None where it states none that could be one.
        what: What is wrong with it.
    """

    line: int
    decision_id: str | None
    what: str


@dataclass(slots=True)
class Verified:
    """How far verification came.

    Attributes:
        decisions: Number of decisions that hold.
        chains: The last decision of each account.
        failure: What stopped it; None at the end of the data.
    """

    decisions: int = 0
    chains: dict[str, Link] = field(default_factory=dict)
    failure: Failure | None = None


def verify_decisions(lines: Iterable[Line], policy: Policy | None, *, partial: bool) -> Verified:
    """Verify decisions up to the first that does not hold.

    Args:
        lines: Decisions as published, one a line.
        policy: Judge the facts of every decision again with this policy; None leaves that out.
        partial: Whether a chain may begin after the account's first decision, or anew; see `follow`.
    """
    result = Verified()
    for line in lines:
        try:
            decision = read_decision(line)
            account = decision["account_id"]
            result.chains[account] = follow(result.chains.get(account), decision, partial=partial)
            check_proof(decision)
            if policy is not None:
                judge_again(decision, policy)
            check_facts(decision)
        except Refuted as refuted:
            result.failure = Failure(line.number, stated_id(line.value), str(refuted))
            return result
        result.decisions += 1
    return result


def read_decision(line: Line) -> dict[str, Any]:
    """Read a line as a decision whose id is that of its content.

    Raises:
        Refuted: It is no decision, says something twice, or its id is another.
    """
    if not line.whole:
        raise Refuted("it is longer than any decision can be")
    try:
        PublishedDecision.__pydantic_validator__.validate_json(line.value)
    except ValidationError as error:
        raise Refuted(f"it is not a decision: {_first(error)}") from error
    return read(line.value)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def check_proof(decision: dict[str, Any]) -> None:
    """Check a decision's ownership readings against the holdings that it shows.

    Raises:
        Refuted: They do not follow from these.
    """
    ownership = decision["ownership"]
    fault = None if ownership is None else check(ownership)
    if fault is not None:
        raise Refuted(f"ownership: {fault}")


_FACTS: Final = TypeAdapter(Facts)


def judge_again(decision: dict[str, Any], policy: Policy) -> None:
    """Judge a decision's facts again and compare what comes out.

    Raises:
        Refuted: Another policy judged it, its facts are not this version's, or the judgement differs.
    """
    stated = decision["policy"]
    if stated["hash"] != policy.hash:
        raise Refuted(
            f"policy: it was judged by the policy with hash {stated['hash']}, the one given,"
            f" {policy.document.id} version {policy.document.version}, has hash {policy.hash}"
        )
    _check_question(decision["ownership"], policy.question)
    again = judge(_facts(decision["facts"]), policy)
    for name, value in (("action", again.action), ("review", again.review)):
        if decision[name] != value:
            raise Refuted(f"{name}: is {_json(decision[name])}, the policy gives {_json(value)}")
    _compare_reasons(decision["reasons"], again)


def _check_question(ownership: dict[str, Any] | None, question: Question) -> None:
    if ownership is None:
        return
    asked = (ownership["threshold"], ownership.get("strict", True))
    if asked != (question.threshold, question.strict):
        raise Refuted("ownership: the threshold is not the policy's")
    for edge in ownership["proof"]:
        country = edge.get("country")
        if country is not None and (
            country not in question.restricted or edge["holder"] in question.exceptions
        ):
            raise Refuted(f"ownership: {edge['holder']} of {country} is no restricted holder of the policy")


def _facts(stated: dict[str, Any]) -> Facts:
    other = sorted(stated.keys() ^ set(FACT_NAMES))
    if other:
        raise Refuted(f"facts: are of another version, which differs in {', '.join(other)}")
    try:
        return _FACTS.validate_json(orjson.dumps(stated), strict=True)
    except ValidationError as error:
        raise Refuted(f"facts: {_first(error)}") from error


def _compare_reasons(stated: list[dict[str, Any]], again: Judgement) -> None:
    codes, expected = [reason["code"] for reason in stated], [reason.code for reason in again.reasons]
    if codes != expected:
        raise Refuted(f"reasons: are {_json(codes)}, the policy gives {_json(expected)}")
    for reason, judged in zip(stated, again.reasons, strict=True):
        if reason != orjson.loads(orjson.dumps(judged.to_json())):
            raise Refuted(f"reasons: {judged.code} differs from what the policy gives")


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


_ID: Final = re.compile(r"[0-9a-f]{64}")


def stated_id(value: bytes) -> str | None:
    """Return the id that a line states, if it states one that has an id's form."""
    try:
        decision = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    found = decision.get("decision_id") if isinstance(decision, dict) else None
    return found if isinstance(found, str) and _ID.fullmatch(found) else None
