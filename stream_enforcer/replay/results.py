"""The result of a replay as files: what a machine reads, and what a person does."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from stream_enforcer.replay.outcome import Json
from stream_enforcer.replay.report import report

SUMMARY: Final = "summary.json"
CHANGES: Final = "changes.jsonl"
_SORTED: Final = orjson.OPT_SORT_KEYS


class BadResult(Exception):
    """A file is no result of a replay; the message names it."""


def write(folder: Path, summary: Json, rows: Iterable[Json]) -> None:
    """Write a result into a folder, which is made where it is missing. Equal results give equal bytes.

    Raises:
        OSError: It can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / CHANGES).open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(row, option=_SORTED) + b"\n")
    text = orjson.dumps(summary, option=_SORTED | orjson.OPT_INDENT_2)
    (folder / SUMMARY).write_bytes(text + b"\n")


def read(folder: Path) -> tuple[Json, list[Json]]:
    """Read a result back.

    Raises:
        BadResult: The folder holds none.
    """
    try:
        summary = orjson.loads((folder / SUMMARY).read_bytes())
        with (folder / CHANGES).open("rb") as file:
            rows = [orjson.loads(line) for line in file]
    except OSError as error:
        raise BadResult(f"{error.filename}: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise BadResult(f"{folder}: is no result of a replay: {error}") from None
    if not isinstance(summary, dict) or "run" not in summary:
        raise BadResult(f"{folder / SUMMARY}: is no summary of a replay")
    return summary, rows


def joined(parts: Sequence[list[Json]]) -> list[Json]:
    """Return the rows of several parts, by account id."""
    return sorted((row for rows in parts for row in rows), key=lambda row: str(row["account_id"]))


def write_parquet(path: Path, rows: Iterable[Json]) -> None:
    """Write rows as Parquet: one column for each field, nested ones as JSON text.

    Raises:
        BadResult: pyarrow is not installed.
        OSError: It can't be written.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError:
        raise BadResult("Parquet needs the extra `parquet`: pip install 'stream-enforcer[parquet]'") from None
    table = pa.Table.from_pylist([dict(_flat(row)) for row in rows], schema=_schema(pa))
    parquet.write_table(table, path)


def write_report(path: Path, summary: Json, rows: Iterable[Json]) -> None:
    """Write a result as one HTML page that needs no other file and no network.

    Raises:
        BadResult: A time in it is none.
        OSError: It can't be written.
    """
    try:
        page = report(summary, rows)
    except ValueError as error:
        raise BadResult(str(error)) from error
    path.write_bytes(page)


def _flat(row: Json) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if name in ("old", "new"):
            yield from ((f"{name}_{field}", part) for field, part in value.items())
        elif isinstance(value, dict):
            yield name, orjson.dumps(value, option=_SORTED).decode()
        else:
            yield name, value


def _schema(pa: Any) -> Any:
    side = {"action": pa.string(), "review": pa.bool_(), "since": pa.string()}
    fields = {f"{name}_{field}": kind for name in ("old", "new") for field, kind in side.items()}
    lists = {f"{name}_reasons": pa.list_(pa.string()) for name in ("old", "new")}
    texts = dict.fromkeys(
        ("account_id", "first_difference", "fact", "jurisdiction", "reading", "ownership", "names"),
        pa.string(),
    )
    return pa.schema({**texts, **fields, **lists, "cost_usd_micros_per_month": pa.int64()})
