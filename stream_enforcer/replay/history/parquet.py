"""Parquet files as lines: each row an event as JSON, its columns the event's fields."""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from stream_enforcer.replay.event_files import Line
from stream_enforcer.replay.history.sources import BadHistory

INSTALL_HINT: Final = "pip install 'stream-enforcer[parquet]'"
ROWS: Final = 1_000
_BUFFER: Final = 1 << 18


def rows(name: str) -> Iterator[Line]:
    """Yield the rows, numbered from 1. What is null is left out, and times are epoch milliseconds.

    Times without a zone are taken for UTC. Whole numbers are read from columns of fractions and decimals too: where
    a number may be missing, many writers make such columns.

    Raises:
        BadHistory: The extra is missing, the file is damaged, or a column has a type that no field of an event has.
    """
    arrow = _arrow(name)
    number = 0
    try:
        # A row group can have a gigabyte: without a buffer, its columns would be read whole.
        with arrow.parquet.ParquetFile(name, buffer_size=_BUFFER, pre_buffer=False) as file:
            casts = _casts(name, arrow, file.schema_arrow)
            for batch in file.iter_batches(batch_size=ROWS):
                for row in _whole_numbers(arrow, batch, casts).to_pylist():
                    number += 1
                    yield Line(number, orjson.dumps(_without_nulls(row)), whole=True)
    except (arrow.ArrowException, OSError) as error:
        raise BadHistory(f"{name}: cannot be read after {number:,} rows: {error}") from None


def _arrow(name: str) -> Any:
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ModuleNotFoundError:
        raise BadHistory(f"{name}: to read Parquet, {INSTALL_HINT}") from None


def _casts(name: str, arrow: Any, schema: Any) -> dict[str, tuple[Any, ...]]:
    """Return through which types a column becomes one of whole numbers, for each that does."""
    casts: dict[str, tuple[Any, ...]] = {}
    for field in schema:
        kind = field.type
        if arrow.types.is_timestamp(kind):
            casts[field.name] = (arrow.timestamp("ms", kind.tz), arrow.int64())
        elif arrow.types.is_floating(kind) or arrow.types.is_decimal(kind):
            casts[field.name] = (arrow.int64(),)
        elif not _plain(arrow, kind):
            raise BadHistory(f"{name}: column {field.name}: no field of an event is of type {kind}")
    return casts


def _plain(arrow: Any, kind: Any) -> bool:
    types = arrow.types
    if types.is_struct(kind):
        return all(_plain(arrow, field.type) for field in kind)
    if types.is_dictionary(kind) or types.is_list(kind) or types.is_large_list(kind):
        return _plain(arrow, kind.value_type)
    checks = (types.is_string, types.is_large_string, types.is_string_view, types.is_integer)
    return any(check(kind) for check in (*checks, types.is_boolean, types.is_null))


def _whole_numbers(arrow: Any, batch: Any, casts: Mapping[str, tuple[Any, ...]]) -> Any:
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        for kind in casts.get(name, ()):
            # Of a time, what is finer than milliseconds is left out; of a number, nothing.
            column = column.cast(kind, safe=not arrow.types.is_timestamp(kind))  # noqa: PLW2901 - in two steps
        columns.append(column)
    return arrow.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _without_nulls(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in row.items()
        if value is not None
    }
