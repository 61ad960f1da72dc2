"""A replay to look at: a stricter policy over three months of invented accounts, drawn from a seed."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import stream_enforcer
from tests.web.companies import RESTRICTED, World

Json = dict[str, Any]

_POLICY: Final = Path(stream_enforcer.__file__).parent / "policies" / "restricted-regions.yaml"
_START: Final = datetime(2026, 8, 1, tzinfo=UTC)
_DAYS: Final = 92
_NOTES: Final = [
    "Ownership data hold from 2026-08-01; events before that day were judged with them too.",
    "3 overrides ended inside the period; both sides take them as they were.",
]


@dataclass(frozen=True, slots=True)
class Sample:
    """The result of a replay: what `report` takes."""

    summary: Json
    rows: list[Json]

    @property
    def names(self) -> dict[str, str]:
        """The names of all companies, by id."""
        return {id_: name for row in self.rows for id_, name in row["names"].items()}


@dataclass(frozen=True, slots=True)
class _Ground:
    """Why accounts are suspended: a rule, how often, and the fact that it looks at."""

    rule: str
    weight: int
    fact: str


_SUSPENDING: Final = (
    _Ground("ownership-restricted", 42, "ownership_control"),
    _Ground("usage-from-restricted-region", 24, "restricted_usage_days"),
    _Ground("signup-from-restricted-region", 14, "signup_countries"),
    _Ground("headquarters-restricted", 12, "headquarters_countries"),
    _Ground("declared-country-restricted", 6, "declared_countries"),
    _Ground("listed-entity", 2, "listings"),
)
_REVIEWING: Final = (
    _Ground("ownership-possible", 5, "ownership_control"),
    _Ground("seen-in-restricted-region", 3, "restricted_usage_days"),
    _Ground("anonymous-network", 2, "usage_anonymous_countries"),
)


def sample(*, changes: int, accounts: int = 1_000_000, seed: int = 7) -> Sample:
    """Draw a replay in which so many accounts change."""
    draw = random.Random(seed)
    world = World(draw)
    shared = {
        verdict: [world.ownership(verdict) for _ in range(max(20, changes // 6))]
        for verdict in ("proved", "possible")
    }
    rows = [_row(draw, number, shared) for number in range(changes)]
    for row in rows:
        row["names"] = world.names_in(row["ownership"])
    return Sample(_summary(rows, accounts, draw), rows)


def _row(draw: random.Random, number: int, shared: Mapping[str, list[tuple[Json, str]]]) -> Json:
    kind = draw.choices(("new", "lifted", "review", "cleared"), (62, 8, 22, 8))[0]
    ground = draw.choices(_SUSPENDING, [g.weight for g in _SUSPENDING])[0]
    if kind in ("review", "cleared"):
        ground = draw.choices(_REVIEWING, [g.weight for g in _REVIEWING])[0]
    owned = ground.fact == "ownership_control"
    verdict = "possible" if ground.rule == "ownership-possible" else "proved"
    ownership, country = draw.choice(shared[verdict]) if owned else (None, draw.choice(RESTRICTED))
    at = _START + timedelta(seconds=int(draw.triangular(0, _DAYS * 86_400, 60 * 86_400)))
    suspends = kind in ("new", "lifted")
    hit = {
        "action": "suspend" if suspends else "allow",
        "review": not suspends,
        "reasons": [ground.rule, *["anonymous-network"] * (suspends and draw.random() < 0.1)],
        "since": _rfc3339(at),
    }
    softer = ["seen-in-restricted-region"] if draw.random() < 0.15 and suspends else []
    missed = {"action": "allow", "review": bool(softer), "reasons": softer, "since": _rfc3339(_START)}
    old, new = (hit, missed) if kind in ("lifted", "cleared") else (missed, hit)
    return {
        "account_id": f"acct_{sha256(str(number).encode()).hexdigest()[:14]}",
        "old": old,
        "new": new,
        "first_difference": _rfc3339(at),
        "fact": {"name": ground.fact, "value": _value(ground, verdict, country, draw)},
        "jurisdiction": country,
        "reading": draw.choice(("control", "control", "effective", "single_owner")) if owned else None,
        "cost_usd_micros_per_month": int(draw.lognormvariate(3.6, 1.9) * 1_000_000),
        "ownership": ownership,
    }


def _value(ground: _Ground, verdict: str, country: str, draw: random.Random) -> Any:
    if ground.fact == "ownership_control":
        return verdict
    if ground.fact == "restricted_usage_days":
        return draw.randint(1, 7)
    return ["military"] if ground.fact == "listings" else [country]


def _rfc3339(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _summary(rows: list[Json], accounts: int, draw: random.Random) -> Json:
    both = [_unchanged(draw) for _ in range(len(rows) // 3)]
    everyone = [*rows, *both]
    totals: Json = {}
    for side in ("old", "new"):
        suspended = [row for row in everyone if row[side]["action"] == "suspend"]
        totals[side] = {
            "suspended": len(suspended),
            "reviews": sum(row[side]["review"] for row in everyone),
            "cost_usd_micros_per_month": sum(row["cost_usd_micros_per_month"] for row in suspended),
        }
    added = [row for row in rows if _became(row) == ("allow", "suspend")]
    lifted = [row for row in rows if _became(row) == ("suspend", "allow")]
    cost = sum(row["cost_usd_micros_per_month"] for row in added)
    totals |= {
        "new_suspensions": len(added),
        "lifted_suspensions": len(lifted),
        "other_changes": len(rows) - len(added) - len(lifted),
        "cost_at_stake_usd_micros_per_month": cost,
    }
    old = _POLICY.read_text(encoding="utf-8")
    return {
        "format": 1,
        "run": _run(old, _stricter(old), accounts),
        "events": accounts * 56,
        "malformed": accounts // 40_000,
        "accounts": accounts,
        "totals": totals,
        "by_rule": _by(everyone, lambda row, side: str(row[side]["reasons"][0])),
        "by_jurisdiction": _by(everyone, lambda row, _: row["jurisdiction"]),
        "by_reading": _by(everyone, lambda row, _: row["reading"]),
        "by_day": _by_day(everyone),
        "gates": [
            _gate("max_new_suspensions", "25000", f"{len(added)}", len(added) <= 25_000),
            _gate("max_cost", "1500000", f"{cost / 1e6:.6f}", cost <= 1_500_000_000_000),
            _gate("max_percent", "1", f"{100 * len(added) / accounts:.6f}", 100 * len(added) <= accounts),
        ],
    }


def _became(row: Json) -> tuple[str, str]:
    return row["old"]["action"], row["new"]["action"]


def _gate(name: str, limit: str, value: str, passed: bool) -> Json:
    return {"name": name, "limit": limit, "value": value, "passed": passed}


def _unchanged(draw: random.Random) -> Json:
    ground = draw.choices(_SUSPENDING, [g.weight for g in _SUSPENDING])[0]
    at = _START + timedelta(days=draw.randrange(_DAYS))
    side = {"action": "suspend", "review": False, "reasons": [ground.rule], "since": _rfc3339(at)}
    return {
        "old": side,
        "new": side,
        "jurisdiction": draw.choice(RESTRICTED),
        "reading": "control" if ground.fact == "ownership_control" else None,
        "cost_usd_micros_per_month": int(draw.lognormvariate(3.4, 1.8) * 1_000_000),
    }


def _suspended(rows: list[Json]) -> Iterator[tuple[Json, str]]:
    for row in rows:
        for side in ("old", "new"):
            if row[side]["action"] == "suspend":
                yield row, side


def _by(rows: list[Json], name_of: Callable[[Json, str], str | None]) -> list[Json]:
    counts: dict[str, Counter[str]] = {"old": Counter(), "new": Counter()}
    cost: Counter[str] = Counter()
    for row, side in _suspended(rows):
        name = name_of(row, side)
        if name is not None:
            counts[side][name] += 1
            cost[name] += row["cost_usd_micros_per_month"] if side == "new" else 0
    names = sorted({*counts["old"], *counts["new"]}, key=lambda name: (-counts["new"][name], name))
    return [
        {
            "name": name,
            "old": counts["old"][name],
            "new": counts["new"][name],
            "cost_usd_micros_per_month": cost[name],
        }
        for name in names
    ]


def _by_day(rows: list[Json]) -> list[Json]:
    days: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row, side in _suspended(rows):
        day = days[row[side]["since"][:10]]
        day[side] += 1
        day[f"{side}_cost"] += row["cost_usd_micros_per_month"]
    return [
        {
            "day": day,
            "old": count["old"],
            "new": count["new"],
            "old_cost_usd_micros_per_month": count["old_cost"],
            "new_cost_usd_micros_per_month": count["new_cost"],
        }
        for day, count in sorted(days.items())
    ]


def _stricter(policy: str) -> str:
    changed = (
        ('version: "1"', 'version: "2"'),
        (
            "  strict: true # exactly 50 % is not over it",
            "  strict: false # exactly 50 % is as good as a majority",
        ),
        (
            'ownership_control == "proved" || ownership_effective == "proved"',
            'ownership_control == "proved" || ownership_effective == "proved" || ownership_single_owner == "proved"',
        ),
        ("restricted_usage_days >= 3", "restricted_usage_days >= 2"),
        ("on three or more days", "on two or more days"),
        ("restricted_usage_days in [1, 2]\n    outcome", "restricted_usage_days == 1\n    outcome"),
    )
    for old, new in changed:
        policy = policy.replace(old, new)
    return policy


def _run(old: str, new: str, accounts: int) -> Json:
    reference = {
        "geo": {"hash": sha256(b"geo").hexdigest(), "built_at": "2026-07-29T00:00:00Z"},
        "ownership": {"hash": sha256(b"ownership").hexdigest(), "as_of": "2026-08-01"},
    }
    sides = {
        side: {
            "what": f"policy version {version}",
            "policy": {
                "id": "restricted-regions",
                "version": version,
                "hash": sha256(text.encode()).hexdigest(),
                "mode": "enforce" if side == "old" else "shadow",
            },
            "policy_text": text,
            "reference": reference,
        }
        for side, version, text in (("old", "1", old), ("new", "2", new))
    }
    records = accounts * 7
    return {
        "id": sha256(new.encode()).hexdigest()[:16],
        "version": "0.1.0",
        "sources": [
            {"name": name, "partition": p, "from": 1_000, "to": 1_000 + records, "records": records}
            for name in ("signups", "usage")
            for p in range(4)
        ],
        "period": {"from": _rfc3339(_START), "to": _rfc3339(_START + timedelta(days=_DAYS))},
        "notes": list(_NOTES),
        **sides,
    }
