"""What a side's outcome rests on: the rule, the fact that it looked at, the country, the reading of ownership."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from stream_enforcer.domain.world import Verdict

READINGS: Final = ("control", "effective", "single_owner")
_OVER_THE_LINE: Final = ("proved", "possible")


class Grounds(NamedTuple):
    """Why an account is suspended, or up for a review.

    Attributes:
        rule: The first reason's code; None where there is no reason.
        fact: The fact that it rests on, with its value; None where it names none.
        jurisdiction: The restricted country that is to blame; None where it is none in particular.
        reading: The reading of ownership; None where the rule looks at none.
        ownership: The decision's `ownership`, as JSON; None where no company was found.
    """

    rule: str | None = None
    fact: tuple[str, Any] | None = None
    jurisdiction: str | None = None
    reading: str | None = None
    ownership: bytes | None = None


NONE: Final = Grounds()


def grounds_of(verdict: Verdict, restricted: frozenset[str]) -> Grounds:
    """Return what a verdict rests on.

    Args:
        verdict: The verdict.
        restricted: The countries that its policy restricts.
    """
    reasons = [reason.to_json() for reason in verdict.judgement.reasons]
    ownership = orjson.dumps(verdict.before_previous_action["ownership"])
    return _grounds(reasons, None if ownership == b"null" else ownership, restricted)


def grounds_of_decision(decision: Mapping[str, Any], restricted: frozenset[str]) -> Grounds:
    """Return what a published decision rests on; see `grounds_of`."""
    ownership = decision["ownership"]
    packed = None if ownership is None else orjson.dumps(ownership, option=orjson.OPT_SORT_KEYS)
    return _grounds(decision["reasons"], packed, restricted)


def _grounds(
    reasons: Sequence[Mapping[str, Any]], ownership: bytes | None, restricted: frozenset[str]
) -> Grounds:
    if not reasons:
        return NONE
    first = reasons[0]
    evidence: Mapping[str, Any] = first["evidence"]
    named = [*_countries(evidence.values(), restricted)]
    fact = next(_telling(evidence, restricted), None)
    reading = next((name for name in READINGS if evidence.get(f"ownership_{name}") in _OVER_THE_LINE), None)
    if not named and reading is not None and ownership is not None:
        named = sorted({edge["country"] for edge in orjson.loads(ownership)["proof"] if "country" in edge})
    return Grounds(
        rule=first["code"],
        fact=fact,
        jurisdiction=named[0] if named else None,
        reading=reading,
        ownership=ownership if reading is not None else None,
    )


def _countries(values: Iterator[Any] | Any, restricted: frozenset[str]) -> list[str]:
    found = {country for value in values if isinstance(value, list | tuple) for country in value}
    return sorted(found & restricted)


def _telling(evidence: Mapping[str, Any], restricted: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Yield the facts of a reason, those first that say something: a restricted country, a reading over the line."""
    for name, value in evidence.items():
        if _countries([value], restricted) or value in _OVER_THE_LINE:
            yield name, value
    yield from evidence.items()
