"""Changes to published decisions, as somebody might make them, and what each is told apart by."""

import copy
import random
from collections.abc import Callable
from typing import Any, Final

from stream_enforcer.domain.ownership.graph import FULL
from tests.builders import Json

Change = Callable[[random.Random, Json], None]
Proof = list[Json]


def _share(draw: random.Random, old: int) -> int:
    near = [old - 1, old + 1, old // 2, 2 * old, 50_000_000, 50_000_001, 0, FULL]
    return min(max(draw.choice([*near, draw.randint(0, FULL)]), 0), FULL)


def _edge(draw: random.Random, decision: Json) -> Json:
    edge: Json = draw.choice(decision["ownership"]["proof"])
    return edge


def _party(draw: random.Random, decision: Json) -> str:
    proof = decision["ownership"]["proof"]
    parties: list[str] = ["stranger", decision["ownership"]["entity"], *(edge["holder"] for edge in proof)]
    return draw.choice(parties)


def edge_number(draw: random.Random, decision: Json) -> None:
    edge, end = _edge(draw, decision), draw.choice(["min", "max"])
    edge[end] = _share(draw, edge[end])


def edge_band(draw: random.Random, decision: Json) -> None:
    edge = _edge(draw, decision)
    edge["min"] = edge["max"] = _share(draw, edge["min"])


def edge_removed(draw: random.Random, decision: Json) -> None:
    decision["ownership"]["proof"].remove(_edge(draw, decision))


def edge_added(draw: random.Random, decision: Json) -> None:
    share = draw.choice([1, 10_000_000, 51_000_000, FULL])
    edge = {"holder": _party(draw, decision), "held": _party(draw, decision), "min": share, "max": share}
    if draw.random() < 0.3:
        edge["country"] = "CN"
    decision["ownership"]["proof"].append({**edge, "source": None})


def edge_doubled(draw: random.Random, decision: Json) -> None:
    decision["ownership"]["proof"].append(dict(_edge(draw, decision)))


def edges_swapped(draw: random.Random, decision: Json) -> None:
    one, other = _edge(draw, decision), _edge(draw, decision)
    name = draw.choice(["holder", "held", "min"])
    one[name], other[name] = other[name], one[name]


def edge_reversed(draw: random.Random, decision: Json) -> None:
    edge = _edge(draw, decision)
    edge["holder"], edge["held"] = edge["held"], edge["holder"]


def edge_party(draw: random.Random, decision: Json) -> None:
    _edge(draw, decision)[draw.choice(["holder", "held"])] = _party(draw, decision)


def edge_country(draw: random.Random, decision: Json) -> None:
    edge, country = _edge(draw, decision), draw.choice(["RU", "GB", None])
    for other in decision["ownership"]["proof"]:
        if other is edge or (draw.random() < 0.8 and other["holder"] == edge["holder"]):
            other["country"] = country


def edge_since(draw: random.Random, decision: Json) -> None:
    _edge(draw, decision)["since"] = draw.choice(["1999-12-31", "2026-05-01", "2026-05-03", "2040-01-01"])


def edge_source(draw: random.Random, decision: Json) -> None:
    _edge(draw, decision)["source"] = "another register"


def entity(draw: random.Random, decision: Json) -> None:
    decision["ownership"]["entity"] = _party(draw, decision)


def match(draw: random.Random, decision: Json) -> None:
    decision["ownership"]["match"] = {"kind": "name", "score": 90}


def threshold(draw: random.Random, decision: Json) -> None:
    decision["ownership"]["threshold"] = _share(draw, decision["ownership"]["threshold"])


def strictness(draw: random.Random, decision: Json) -> None:
    decision["ownership"]["strict"] = False


def reading(draw: random.Random, decision: Json) -> None:
    stated = decision["ownership"][draw.choice(["control", "effective", "single_owner"])]
    name = draw.choice(["verdict", "min", "max"])
    verdicts = ["proved", "possible", "refuted", "unknown"]
    stated[name] = draw.choice(verdicts) if name == "verdict" else _share(draw, stated[name])


def completeness(draw: random.Random, decision: Json) -> None:
    decision["ownership"]["proof_complete"] = False


def no_ownership(draw: random.Random, decision: Json) -> None:
    decision["ownership"] = None


def chain(draw: random.Random, decision: Json) -> None:
    name, value = draw.choice(
        [
            ("sequence", draw.choice([1, 4, 7])),
            ("supersedes", draw.choice(["0" * 64, None])),
            ("previous_action", draw.choice(["allow", "suspend", None])),
            ("account_id", "another"),
        ]
    )
    decision[name] = value


def facts(draw: random.Random, decision: Json) -> None:
    name = draw.choice(
        ["as_of", "coverage", "ownership_control", "ownership_effective_min", "degraded", "override_id"]
    )
    old = decision["facts"][name]
    values: dict[type, list[Any]] = {
        int: [0, old],
        str: ["2019-01-01", "2027-01-01", "proved"],
        list: [["claims"]],
    }
    decision["facts"][name] = draw.choice(values[type(old)])


def beside_the_facts(draw: random.Random, decision: Json) -> None:
    name, value = draw.choice(
        [("evidence_hash", "1" * 64), ("degraded", ["claims"]), ("override_id", "theirs")]
    )
    decision[name] = value


def judgement(draw: random.Random, decision: Json) -> None:
    name = draw.choice(["action", "review", "reasons", "policy"])
    decision[name] = {
        "action": "suspend" if decision["action"] == "allow" else "allow",
        "review": not decision["review"],
        "reasons": decision["reasons"][:-1],
        "policy": decision["policy"] | {"hash": "2" * 64},
    }[name]


def surroundings(draw: random.Random, decision: Json) -> None:
    name, value = draw.choice(
        [
            ("event_time", "2026-05-02T00:00:01.000Z"),
            ("trigger", decision["trigger"] | {"offset": 99}),
            ("reference", decision["reference"] | {"geo": {"hash": "3" * 64, "built_at": None}}),
            ("policy", decision["policy"] | {"version": "9"}),
        ]
    )
    decision[name] = value


OF_THE_PROOF: Final[tuple[Change, ...]] = (
    edge_number,
    edge_band,
    edge_removed,
    edge_added,
    edge_doubled,
    edges_swapped,
    edge_reversed,
    edge_party,
    edge_country,
    edge_since,
    edge_source,
)
CHANGES: Final[tuple[Change, ...]] = (
    *OF_THE_PROOF,
    entity,
    match,
    threshold,
    strictness,
    reading,
    completeness,
    no_ownership,
    chain,
    facts,
    beside_the_facts,
    judgement,
    surroundings,
)


def tampered(draw: random.Random, change: Change, decision: Json) -> Json | None:
    """Return the decision changed; None when chance left it as it was, or it has nothing of the kind."""
    changed = copy.deepcopy(decision)
    if change in OF_THE_PROOF and not changed["ownership"]["proof"]:
        return None
    change(draw, changed)
    return None if changed == decision else changed
