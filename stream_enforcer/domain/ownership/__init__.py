"""Ownership: who holds a company, under three readings of the rule, and the proof of it."""

from typing import Any

from stream_enforcer.domain.ownership.proof import Edge
from stream_enforcer.domain.ownership.question import Question
from stream_enforcer.domain.ownership.resolve import Match
from stream_enforcer.domain.ownership.semantics import Finding, Reading


def to_json(finding: Finding, match: Match, question: Question) -> dict[str, Any]:
    """Return the `ownership` object of a decision: integers and strings only, no floats.

    `strict` is there only when the threshold itself passes, `proof_complete` only when the proof is not.
    """
    return {
        "entity": finding.entity,
        "match": _match(match),
        "threshold": question.threshold,
        **({} if question.strict else {"strict": False}),
        "control": _reading(finding.control),
        "effective": _reading(finding.effective),
        "single_owner": _reading(finding.single_owner),
        "proof": [_edge(edge) for edge in finding.proof],
        **({} if finding.proof_complete else {"proof_complete": False}),
    }


def _match(match: Match) -> dict[str, Any]:
    return {
        "kind": match.kind,
        "score": match.score,
        "features": list(match.features),
        "runner_up": None if match.runner_up is None else match.runner_up._asdict(),
    }


def _reading(reading: Reading) -> dict[str, str | int]:
    return {"verdict": reading.verdict, "min": reading.min, "max": reading.max}


def _edge(edge: Edge) -> dict[str, str | int | None]:
    return {
        "holder": edge.holder,
        "held": edge.held,
        "min": edge.min,
        "max": edge.max,
        **({} if edge.since is None else {"since": edge.since}),
        "source": edge.source,
        **({} if edge.country is None else {"country": edge.country}),
    }
