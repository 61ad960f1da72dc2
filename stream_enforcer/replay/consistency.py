"""What a published decision says of itself and of the one before it, checked with the standard library alone.

Together with `domain/ownership/proof.py`, which is alike, this is all that an auditor has to read and to trust:
two files that import nothing of this project and share no code with what writes decisions. They expect the
form that `schemas/decision.schema.json` gives; `verification` makes sure of it first.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple, NoReturn

_READINGS: Final = ("control", "effective", "single_owner")
_SEVERITY: Final = {"refuted": 0, "unknown": 1, "possible": 2, "proved": 3}
_NOT_EVIDENCE: Final = frozenset(
    {"as_of", "degraded", "standing", "override_id", "override_action", "override_rules"}
)


class Refuted(Exception):
    """What does not hold, as a sentence."""


class Link(NamedTuple):
    """The end of an account's chain: what its next decision has to follow."""

    sequence: int
    decision_id: str
    action: str


def read(value: bytes) -> dict[str, Any]:
    """Read a decision whose id is that of its content.

    Raises:
        Refuted: It is no JSON object of whole numbers, says something twice, or its id is another.
    """
    try:
        decision: dict[str, Any] = json.loads(
            value, parse_float=_refuse_number, parse_constant=_refuse_number
        )
        if canonical(decision) != value:
            # Not the published bytes. Other spacing or order is no harm, but of a name that stands twice one
            # reader sees the first value and another the last.
            json.loads(value, object_pairs_hook=_refuse_twice)
        computed = _id(decision)
    except (ValueError, RecursionError) as error:
        raise Refuted(f"it is not a decision: {error}") from error
    if computed != decision["decision_id"]:
        raise Refuted(f"decision_id: the content gives {computed}")
    return decision


def canonical(value: object) -> bytes:
    """Write canonical JSON: UTF-8, names sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _id(decision: object) -> str:
    if not isinstance(decision, dict):
        raise Refuted("it is not a decision: it is not an object")
    body = {name: value for name, value in decision.items() if name != "decision_id"}
    return sha256(canonical(body)).hexdigest()


def _refuse_number(text: str) -> NoReturn:
    raise Refuted(f"it is not a decision: {text[:20]} is not a whole number")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise Refuted(f"the name {name!r} stands twice in one object")
        seen.add(name)


def follow(last: Link | None, decision: Mapping[str, Any], *, partial: bool) -> Link:
    """Put a decision at the end of its account's chain.

    Args:
        last: The chain's end; None where no decision of the account was seen.
        decision: A decision of the account.
        partial: Whether a chain may begin after the account's first decision, and anew after an `allow`, as
            that of an account does which was forgotten and came back.

    Raises:
        Refuted: It does not follow.
    """
    sequence = decision["sequence"]
    link = Link(sequence, decision["decision_id"], decision["action"])
    if last is None or (partial and _begins_anew(last, link)):
        _begin(decision, partial=partial)
        return link
    if sequence <= last.sequence:
        raise Refuted(f"sequence: {sequence} comes after {last.sequence} of the same account")
    if sequence != last.sequence + 1:
        raise Refuted(f"sequence: {sequence} comes after {last.sequence}, decisions between are missing")
    _expect("supersedes", decision["supersedes"], last.decision_id)
    _expect("previous_action", decision["previous_action"], last.action)
    return link


def _begins_anew(last: Link, link: Link) -> bool:
    return link.sequence == 1 and last.action == "allow" and link.decision_id != last.decision_id


def _begin(decision: Mapping[str, Any], *, partial: bool) -> None:
    sequence = decision["sequence"]
    if sequence == 1:
        _expect("supersedes", decision["supersedes"], None)
        _expect("previous_action", decision["previous_action"], None)
    elif not partial:
        raise Refuted(
            f"sequence: the account's first decision here is number {sequence}, not 1"
            " (--partial accepts data that begins midway)"
        )
    elif decision["supersedes"] is None or decision["previous_action"] is None:
        raise Refuted(f"number {sequence} names no decision before it in supersedes and previous_action")


def _expect(name: str, stated: str | None, expected: str | None) -> None:
    if stated != expected:
        raise Refuted(f"{name}: is {_shown(stated)}, the account's chain gives {_shown(expected)}")


def _shown(value: str | None) -> str:
    return "null" if value is None else value


def check_facts(decision: Mapping[str, Any]) -> None:
    """Compare what a decision says beside its facts with what the facts say.

    Raises:
        Refuted: They differ.
    """
    facts = decision["facts"]
    evidence = {name: value for name, value in facts.items() if name not in _NOT_EVIDENCE}
    for name, stated, given in (
        ("evidence_hash", decision["evidence_hash"], sha256(canonical(evidence)).hexdigest()),
        ("degraded", decision["degraded"], facts.get("degraded")),
        ("override_id", decision["override_id"], facts.get("override_id") or None),
    ):
        if stated != given:
            raise Refuted(f"{name}: is {json.dumps(stated)}, the facts give {json.dumps(given)}")
    _check_ownership(decision["ownership"], facts)


def _check_ownership(ownership: Mapping[str, Any] | None, facts: Mapping[str, Any]) -> None:
    """Compare the company that is shown with the facts, which take the worst of all companies of the account.

    A company that only its name points to counts as possible at most. The company that is shown is one of those
    with the strongest verdict of control or effective.
    """
    told = {name: _severity(facts.get(f"ownership_{name}")) for name in _READINGS}
    if ownership is None:
        if set(told.values()) != {_SEVERITY["unknown"]}:
            raise Refuted("ownership: is null, but the facts know who owns a company")
        return
    most = _SEVERITY["possible" if ownership["match"]["kind"] == "name" else "proved"]
    shown = {name: min(_severity(ownership[name]["verdict"]), most) for name in _READINGS}
    for name in _READINGS:
        if told[name] < shown[name]:
            raise Refuted(f"ownership: {name} is worse than the facts say")
    strongest = max(told["control"], told["effective"])
    if strongest >= _SEVERITY["possible"] and strongest != max(shown["control"], shown["effective"]):
        raise Refuted("ownership: does not show the control or effective ownership that the facts say")
    _check_days(ownership["proof"], facts.get("as_of"))


def _check_days(proof: Iterable[Mapping[str, Any]], as_of: object) -> None:
    for edge in proof:
        since = edge.get("since")
        if since is not None and not (isinstance(as_of, str) and since <= as_of):
            raise Refuted(
                f"ownership: {edge['holder']} holds {edge['held']} since {since}, the facts are of {as_of}"
            )


def _severity(verdict: object) -> int:
    if not isinstance(verdict, str) or verdict not in _SEVERITY:
        raise Refuted(f"facts: the ownership verdict {verdict!r} is not one of {', '.join(_SEVERITY)}")
    return _SEVERITY[verdict]
