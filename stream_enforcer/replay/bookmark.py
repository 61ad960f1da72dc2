"""Where an interrupted replay stood, as a file: lines of JSON, the last of which tells that none is missing.

The first line says what was asked, from where to where each source is read and how far it was; each of the next
ones is an account with its evidence, what each side said of it, and its cost by day.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from stream_enforcer.domain import cost
from stream_enforcer.domain.account import Account, Action
from stream_enforcer.domain.account_state import UnknownFormat, decode, encode
from stream_enforcer.replay.history import BadHistory, Part, Position, Source
from stream_enforcer.replay.outcome import Json
from stream_enforcer.replay.trial import Told, Tracked, Trial

NAME: Final = "resume.jsonl"
FORMAT: Final = 1


@dataclass(slots=True)
class Reading:
    """How far history was read.

    Attributes:
        sources: From where to where each source is read; None as long as that is not settled.
        notes: What a reader of the result has to know.
        positions: Where each source stands.
        taken: Records that this process took.
        total: Records that this process has to take; None as long as that is not known.
    """

    sources: tuple[Source, ...] | None = None
    notes: tuple[str, ...] = ()
    positions: Mapping[Part, Position] = field(default_factory=dict)
    taken: int = 0
    total: int | None = None


_Whole = Annotated[int, Field(ge=0)]
_Told = tuple[Action, Action | None, bool, tuple[str, ...], _Whole, _Whole]
_ACCOUNT: Final = TypeAdapter[Any](
    tuple[str, list[Any], tuple[_Told, ...], str | None], config=ConfigDict(strict=True)
).validator


class _Head(BaseModel):
    """The first line."""

    model_config = ConfigDict(strict=True, extra="forbid")

    format: Literal[1]
    asked: dict[str, Any]
    sources: tuple[tuple[str, _Whole, _Whole, _Whole], ...]
    notes: tuple[str, ...]
    positions: tuple[tuple[str, _Whole, _Whole, Annotated[int, Field(ge=-1)]], ...]
    events: _Whole
    malformed: dict[str, _Whole]
    first_malformed: str | None
    oldest_ms: _Whole
    newest_ms: _Whole
    changes: _Whole
    accounts: _Whole


def save(path: Path, asked: Json, reading: Reading, trial: Trial) -> None:
    """Write where a replay stands, all of it or nothing.

    Args:
        path: The file; its folder is made where it is missing.
        asked: What is compared, and on what; only a replay that is asked the same goes on from there.
        reading: How far history was read.
        trial: What came of it.

    Raises:
        OSError: It can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    digest = sha256()
    with unfinished.open("wb") as file:
        for line in _lines(asked, reading, trial):
            digest.update(line)
            file.write(line)
        file.write(_last_line(digest.hexdigest()))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _lines(asked: Json, reading: Reading, trial: Trial) -> Iterator[bytes]:
    head = {
        "format": FORMAT,
        "asked": asked,
        "sources": reading.sources or (),
        "notes": reading.notes,
        "positions": [[*part, *position] for part, position in reading.positions.items()],
        "events": trial.events,
        "malformed": trial.malformed,
        "first_malformed": trial.first_malformed,
        "oldest_ms": trial.oldest_ms,
        "newest_ms": trial.newest_ms,
        "changes": trial.changes,
        "accounts": len(trial.accounts),
    }
    yield orjson.dumps(head, default=tuple) + b"\n"
    for key, tracked in trial.accounts.items():
        state = orjson.Fragment(encode(Account(tracked.evidence)))
        told = [(t.standing, t.action, t.review, t.codes, t.since_ms, t.changed_ms) for t in tracked.told]
        spent = None if tracked.spent is None else tracked.spent.decode()
        yield orjson.dumps([key.decode(), state, told, spent], default=tuple) + b"\n"


def _last_line(digest: str) -> bytes:
    return orjson.dumps({"sha256": digest}) + b"\n"


def load(path: Path, asked: Json, trial: Trial) -> Reading:
    """Take up a replay where it stood.

    Args:
        path: The file.
        asked: What is compared now.
        trial: A trial that has taken nothing; it then stands where the other one stood.

    Raises:
        BadHistory: There is no such file, it is damaged, or something else was compared.
    """
    try:
        with path.open("rb") as file:
            lines = _checked(path, file)
            head = _head(path, next(lines, (1, b""))[1], asked)
            for number, line in lines:
                _restore(f"{path}:{number}", line, trial)
    except OSError as error:
        raise BadHistory(f"{path}: {error.strerror}; there is no interrupted replay to go on with") from None
    if len(trial.accounts) != head.accounts:
        raise BadHistory(f"{path}: says {head.accounts:,} accounts, and has {len(trial.accounts):,}")
    trial.events, trial.malformed, trial.first_malformed = head.events, head.malformed, head.first_malformed
    trial.oldest_ms, trial.newest_ms = head.oldest_ms, head.newest_ms
    trial.pass_changes(head.changes)
    positions = {(name, number): Position(*position) for name, number, *position in head.positions}
    return Reading(tuple(Source(*source) for source in head.sources), head.notes, positions)


def _checked(path: Path, file: Any) -> Iterator[tuple[int, bytes]]:
    """Yield the lines but the last one, which tells whether the others are as they were written."""
    digest = sha256()
    before: bytes | None = None
    number = 0
    for number, line in enumerate(file, start=1):
        if before is not None:
            digest.update(before)
            yield number - 1, before
        before = line
    if before != _last_line(digest.hexdigest()):
        raise BadHistory(
            f"{path}:{max(1, number)}: is damaged, or ends too early; start anew without --resume"
        )


def _head(path: Path, line: bytes, asked: Json) -> _Head:
    try:
        head = _Head.model_validate_json(line)
    except ValidationError as error:
        raise BadHistory(f"{path}:1: {_first(error)}") from None
    now = orjson.loads(orjson.dumps(asked, default=tuple))
    others = sorted(name for name in {*now, *head.asked} if now.get(name) != head.asked.get(name))
    if others:
        raise BadHistory(f"{path}: was interrupted with other {', '.join(others)}; give what was given then")
    return head


def _restore(place: str, line: bytes, trial: Trial) -> None:
    try:
        key, state, told, spent = _ACCOUNT.validate_json(line)
        evidence = decode(orjson.dumps(state)).evidence
        spent = None if spent is None else cost.checked(spent.encode())
    except ValidationError as error:
        raise BadHistory(f"{place}: {_first(error)}") from None
    except UnknownFormat as error:
        raise BadHistory(f"{place}: {error}") from None
    tracked = Tracked(len(told))
    tracked.evidence = evidence
    tracked.told = [Told(*one) for one in told]
    tracked.spent = spent
    trial.accounts[key.encode()] = tracked


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"is damaged: {'.'.join(str(part) for part in first['loc']) or 'line'}: {first['msg']}"
