"""The summary of a replay, and that of several parts of one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Final

import orjson

from stream_enforcer.domain.events import rfc3339
from stream_enforcer.domain.world import World
from stream_enforcer.replay.gates import Gates
from stream_enforcer.replay.history import Manifest
from stream_enforcer.replay.outcome import Totals
from stream_enforcer.replay.trial import Trial

Json = dict[str, Any]
FORMAT: Final = 1


class NotOfOneRun(ValueError):
    """Parts do not belong together; the message says why."""


def side(what: str, world: World | None, policy_text: str | None) -> Json:
    """Describe a side: what was given, its policy, also as it is written, its reference data."""
    if world is None:
        return {"what": what, "policy": None, "policy_text": None, "reference": None}
    return {
        "what": what,
        "policy": dict(world.policy.identity),
        "policy_text": policy_text,
        "reference": {kind: dict(facts) for kind, facts in world.reference.items()},
    }


def summary(manifest: Manifest, sides: tuple[Json, Json], trial: Trial, totals: Totals) -> Json:
    """Put the summary of a run together, without gates."""
    old, new = sides
    run = {
        "version": version("stream-enforcer"),
        "sources": _sources(
            {
                "name": s.name,
                "partition": s.partition,
                "from": s.start,
                "to": s.end,
                "records": s.end - s.start,
            }
            for s in manifest.sources
        ),
        "period": {
            "from": rfc3339(trial.oldest_ms) if trial.events else None,
            "to": rfc3339(trial.newest_ms) if trial.events else None,
        },
        "notes": sorted(manifest.notes),
        "old": old,
        "new": new,
    }
    return _sealed(
        {
            "format": FORMAT,
            "run": run,
            "events": trial.events,
            "malformed": sum(trial.malformed.values()),
            "malformed_by_reason": dict(sorted(trial.malformed.items())),
            **totals.to_json(),
        }
    )


def merged(parts: Sequence[Json]) -> Json:
    """Return the summary of several parts of one run: what one run over all of them would have said, to the byte.

    Raises:
        NotOfOneRun: They compare different things, or two of them read the same partition.
    """
    first, *others = parts
    whole = first
    for part in others:
        whole = _joined(whole, part)
    return _sealed(whole)


def gated(counts: Json, gates: Gates) -> Json:
    """Return a summary with its gates."""
    return {**counts, "gates": gates.judge(counts)}


def _joined(one: Json, other: Json) -> Json:
    for name in ("version", "old", "new"):
        if one["run"][name] != other["run"][name]:
            raise NotOfOneRun(f"the parts differ in run.{name}")
    if one["format"] != other["format"]:
        raise NotOfOneRun("the parts differ in format")
    sources = [*one["run"]["sources"], *other["run"]["sources"]]
    places = [(source["name"], source["partition"]) for source in sources]
    twice = {place for place in places if places.count(place) > 1}
    if twice:
        name, partition = min(twice)
        raise NotOfOneRun(f"{name}-{partition} is in several parts")
    run = {
        **one["run"],
        "sources": _sources(sources),
        "period": _period(one["run"]["period"], other["run"]["period"]),
        "notes": sorted({*one["run"]["notes"], *other["run"]["notes"]}),
    }
    counts = {
        name: _added(value, other[name])
        for name, value in one.items()
        if name not in ("run", "format", "gates")
    }
    return {"format": FORMAT, "run": run, **counts}


def _sources(sources: Iterable[Json]) -> list[Json]:
    return sorted(sources, key=lambda source: (source["name"], source["partition"]))


def _period(one: Json, other: Json) -> Json:
    return {end: _outer(one[end], other[end], outer) for end, outer in (("from", min), ("to", max))}


def _outer(one: str | None, other: str | None, outer: Callable[[str, str], str]) -> str | None:
    return one or other if one is None or other is None else outer(one, other)


def _added(one: Any, other: Any) -> Any:
    """Add numbers, wherever they stand; rows are the same where their names or days are."""
    if isinstance(one, dict):
        names = [*one, *(name for name in other if name not in one)]
        return {name: _added(one.get(name, 0), other.get(name, 0)) for name in names}
    if isinstance(one, list):
        return _rows_added(one, other)
    return one + other


def _rows_added(one: list[Json], other: list[Json]) -> list[Json]:
    by = "day" if any("day" in row for row in (*one, *other)) else "name"
    rows: dict[str, Json] = {row[by]: row for row in one}
    for row in other:
        found = rows.get(row[by])
        rows[row[by]] = (
            row
            if found is None
            else {name: value if name == by else value + row[name] for name, value in found.items()}
        )
    if by == "day":
        return [rows[day] for day in sorted(rows)]
    return sorted(rows.values(), key=lambda row: (-row["new"], -row["old"], row["name"]))


def _sealed(found: Json) -> Json:
    """Name a run by what went into it: equal runs have equal ids."""
    run = {name: value for name, value in found["run"].items() if name != "id"}
    content = orjson.dumps(run, option=orjson.OPT_SORT_KEYS)
    return {**found, "run": {"id": sha256(content).hexdigest()[:16], **run}}


def of_side(summary: Mapping[str, Any], name: str) -> str:
    """Say in words what a side is."""
    found = summary["run"][name]
    policy = found["policy"]
    return str(found["what"]) if policy is None else f"{found['what']} ({policy['id']} {policy['version']})"
