"""A thousand changes to published decisions: what `verify` finds, and what nobody could find.

Whoever changes a decision and leaves its id is found. So is whoever writes a new id where the account's next
decision names the old one. What is left is a forger who writes the whole rest of the account's chain again: the
change is found unless the outcome still agrees with itself. `agrees` states when that is, with code of its own.
So these pass, alone or in such a mixture: another source, an earlier day on which a stake began, another restricted
country; the end of a band that the verdict does not rest on; the numbers of a reading that is not among those
proved (or possible, where none is); a company renamed throughout; a proof that is said to be incomplete; the
surroundings: time, trigger, reference hashes, policy version. Without the policy, also the action, the reasons, and
a threshold on the same side. Only who keeps the decisions as they were published can tell those.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

import pytest

from stream_enforcer.domain.decision import compute_id
from stream_enforcer.domain.facts import NOT_EVIDENCE
from stream_enforcer.domain.ownership.graph import FULL, Identifiers, OwnershipGraph, Stake
from stream_enforcer.domain.ownership.semantics import Finding, Question, assess
from stream_enforcer.domain.policy import Policy
from stream_enforcer.domain.world import World
from stream_enforcer.replay.consistency import canonical
from stream_enforcer.replay.event_files import Line
from stream_enforcer.replay.verification import verify_decisions
from tests.builders import DEFAULT_POLICY, GEO, Json, at, run, signup, usage
from tests.ownership_builders import DAY, company
from tests.ownership_worlds import Case, cases
from tests.tampering import CHANGES, Change, tampered

TAMPERINGS: Final = 1_000
READINGS: Final = ("control", "effective", "single_owner")
SEVERITY: Final = ("refuted", "unknown", "possible", "proved")
MIDDLE: Final = 1


def published(case: Case) -> list[Json]:
    """Return the three decisions of an account that claims the company of a case with its second event."""
    entities = [
        replace(entity, identifiers=Identifiers(lei="LEI")) if entity.id == case.company else entity
        for entity in case.entities
    ]
    data = OwnershipGraph.build(entities, case.stakes, hash="f" * 64)
    claim = {"name": "x", "lei": "LEI"}
    events = [
        signup(occurred_at=at(61)),
        signup(occurred_at=at(61), organization=claim),
        usage(occurred_at=at(61)),
    ]
    return run(events, World.build(DEFAULT_POLICY, GEO, data), emit="every").decisions


@cache
def chains() -> list[list[Json]]:
    """Return chains with ownership in them, most with a proof; of persons there is no ownership."""
    found = [published(case) for case in cases(7, 1_500)]
    owned = [chain for chain in found if chain[MIDDLE]["ownership"] is not None]
    return [c for c in owned if c[MIDDLE]["ownership"]["proof"]] + owned[:40]


def tamperings(seed: int) -> Iterator[tuple[Change, list[Json], Json]]:
    """Give changes in turn, each with a chain and what becomes of its middle decision."""
    draw = random.Random(seed)
    made = 0
    while made < TAMPERINGS:
        change, chain = CHANGES[made % len(CHANGES)], draw.choice(chains())
        changed = tampered(draw, change, chain[MIDDLE])
        if changed is not None:
            made += 1
            yield change, chain, changed


def found(chain: Sequence[Json], policy: Policy | None = None) -> bool:
    lines = [Line(number, canonical(decision), True) for number, decision in enumerate(chain, start=1)]
    return verify_decisions(lines, policy, partial=False).failure is not None


def sealed(decision: Json) -> Json:
    return {**decision, "decision_id": compute_id(decision)}


def chained(first: Json, middle: Json, last: Json) -> list[Json]:
    """Write the middle decision's id anew, and the rest of the chain."""
    middle = sealed(middle)
    return [
        first,
        middle,
        sealed({**last, "supersedes": middle["decision_id"], "previous_action": middle["action"]}),
    ]


def test_what_is_published_holds() -> None:
    assert len(chains()) > 300
    for chain in chains():
        assert not found(chain, DEFAULT_POLICY)


def test_a_change_that_leaves_the_id_is_found() -> None:
    for change, (first, _, last), changed in tamperings(seed=1):
        assert found([first, changed, last]), (change, changed)
        assert found([first, changed]), (change, changed)


def test_a_new_id_is_found_by_the_decision_after_it() -> None:
    for change, (first, _, last), changed in tamperings(seed=2):
        assert found([first, sealed(changed), last]), (change, changed)


@pytest.mark.parametrize("policy", [None, DEFAULT_POLICY], ids=["alone", "with the policy"])
def test_of_a_chain_written_anew_what_does_not_agree_with_itself_is_found(policy: Policy | None) -> None:
    seen: Counter[tuple[str, bool]] = Counter()
    for change, (first, old, last), changed in tamperings(seed=3):
        expected = agrees(changed, old) and (policy is None or is_judged(changed, old))
        assert found(chained(first, changed, last), policy) is not expected, (change, changed)
        seen[change.__name__, expected] += 1
    asked = {"judgement", "threshold", "strictness"}
    never = {"edge_source", "surroundings", "completeness"} | (set() if policy else {"judgement"})
    always = {"chain", "beside_the_facts", "no_ownership"} | (asked if policy else set())
    names = {change.__name__ for change in CHANGES}
    assert {name for name in names if not seen[name, False]} == never
    assert {name for name in names if not seen[name, True]} == always


def agrees(changed: Json, old: Json) -> bool:
    """Tell whether a changed decision agrees with itself and with the one before it."""
    in_chain = all(
        changed[name] == old[name] for name in ("account_id", "sequence", "supersedes", "previous_action")
    )
    facts = changed["facts"]
    return (
        in_chain
        and all(facts[name] == old["facts"][name] for name in facts.keys() - NOT_EVIDENCE)
        and changed["evidence_hash"] == old["evidence_hash"]
        and changed["degraded"] == facts["degraded"]
        and (changed["override_id"] or "") == facts["override_id"]
        and _ownership_agrees(changed["ownership"], old["ownership"], facts["as_of"])
    )


def _ownership_agrees(changed: Json | None, old: Json, as_of: str) -> bool:
    if changed is None:
        return False  # the facts say what is known of the company
    told, shown = _severities(old), _severities(changed)
    strongest = max(told[:2])
    return (
        all(new <= said for new, said in zip(shown, told, strict=True))
        and (strongest < SEVERITY.index("possible") or strongest == max(shown[:2]))
        and all((edge.get("since") or "") <= as_of for edge in changed["proof"])
        and _shows_itself(changed)
    )


def _severities(ownership: Json) -> list[int]:
    """Return how bad control, effective and single owner are; what a name alone points to is possible at most."""
    most = SEVERITY.index("possible" if ownership["match"]["kind"] == "name" else "proved")
    return [min(SEVERITY.index(ownership[name]["verdict"]), most) for name in READINGS]


def _shows_itself(ownership: Json) -> bool:
    """Tell whether the proof gives what is stated, by assessing the proof's edges as if they were all the data."""
    question = Question(frozenset({"CN"}), ownership["threshold"], strict=ownership.get("strict", True))
    stated = {name: ownership[name] for name in READINGS}
    if not _is_possible(ownership) or not all(_verdict_fits(n, s, question) for n, s in stated.items()):
        return False
    shown = _assessed(ownership, question)
    again = {name: getattr(shown, name) for name in READINGS}
    if any(again[n].min > stated[n]["min"] or again[n].max > stated[n]["max"] for n in READINGS):
        return False
    for verdict, end in (("proved", "min"), ("possible", "max")):
        named = [name for name in READINGS if stated[name]["verdict"] == verdict]
        if named:
            whole = ownership.get("proof_complete", True)
            return all(
                SEVERITY.index(again[name].verdict) >= SEVERITY.index(verdict)
                and (not whole or getattr(again[name], end) == stated[name][end])
                for name in (named if whole else named[:1])
            )
    return True


def _is_possible(ownership: Json) -> bool:
    """Tell whether every band is one, and no holder is restricted in one edge and not in another."""
    bands = [*ownership["proof"], *(ownership[name] for name in READINGS)]
    countries = {(edge["holder"], edge.get("country")) for edge in ownership["proof"]}
    return all(band["min"] <= band["max"] for band in bands) and len(countries) == len(dict(countries))


def _verdict_fits(name: str, stated: Json, question: Question) -> bool:
    """Tell whether a verdict is one of those that its numbers allow: the effective ones are rounded outwards."""
    slack = (0, 1) if name == "effective" else (0,)
    proved = {question.passes(stated["min"] + more) for more in slack}
    over = {question.passes(stated["max"] - less) for less in slack}
    allowed = {
        "proved": True in proved,
        "possible": True in over and False in proved,
        "refuted": False in over,
    }
    return allowed.get(stated["verdict"], (stated["min"], stated["max"]) == (0, FULL))


def _assessed(ownership: Json, question: Question) -> Finding:
    proof = ownership["proof"]
    stakes = [Stake(f"s{n}", e["holder"], e["held"], e["min"], e["max"]) for n, e in enumerate(proof)]
    restricted = {edge["holder"] for edge in proof if edge.get("country") is not None}
    names = {ownership["entity"], *(party for s in stakes for party in (s.holder, s.held))}
    entities = [company(name, "CN" if name in restricted else "GB") for name in sorted(names)]
    graph = OwnershipGraph.build(entities, stakes, hash="h")
    return assess(graph, ownership["entity"], DAY, question)


def is_judged(changed: Json, old: Json) -> bool:
    """Tell whether the policy gives what is said, and was asked what the ownership answers."""
    ownership, policy = changed["ownership"], DEFAULT_POLICY
    return (
        all(changed[name] == old[name] for name in ("action", "review", "reasons"))
        and changed["policy"]["hash"] == policy.hash
        and (ownership["threshold"], ownership.get("strict", True)) == (policy.question.threshold, True)
        and all(edge.get("country") in (None, *policy.restricted) for edge in ownership["proof"])
    )
