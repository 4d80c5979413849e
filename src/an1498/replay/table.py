"""Indexed events as a DuckDB table: what a SIEM stores, one row per event, one column per field that a search reads.

Nested objects and dotted keys are the same field; an array is a multivalue; null and an empty array mean that the field is
missing. Splunk stores text, so every column is text there, `_time` apart (seconds, DOUBLE). Elasticsearch stores types: they
come from a mapping where there is one, else from the values; dates are BIGINT milliseconds, addresses canonical text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import duckdb

from an1498.errors import UsageError
from an1498.model import FieldType
from an1498.replay.algebra import ORDER, STREAM, Relation, Scan, identifier, streams_table, to_sql
from an1498.telemetry.addresses import canonical_ip
from an1498.times import microseconds_since_epoch

Flavour = Literal["splunk", "elastic"]
ROW = "_row"
_LAST_SECOND = 253_402_300_799  # the end of the year 9999
RESERVED = frozenset({STREAM, ORDER, ROW})
"""Names that no document field and no column of a search may have."""

_INT64 = range(-(2**63), 2**63)

_SQL_TYPES: Mapping[FieldType, str] = {
    FieldType.KEYWORD: "VARCHAR",
    FieldType.TEXT: "VARCHAR",
    FieldType.IP: "VARCHAR",
    FieldType.LONG: "BIGINT",
    FieldType.DOUBLE: "DOUBLE",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "BIGINT",
}


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A field's type in a table; with `array`, its column is a list and a single value a list of one."""

    type: FieldType
    array: bool = False

    @property
    def sql(self) -> str:
        return _SQL_TYPES[self.type] + ("[]" if self.array else "")


Schema = Mapping[str, ColumnType]


def _as_it_is(relation: Relation) -> Relation:
    return relation


@dataclass(frozen=True, slots=True)
class EventTable:
    """A loaded table. `schema` has the fields that occur (or that the mapping promises); `_row` is the event's number
    within its stream, from 0, in arrival order. `limits` tells whether the limits of a SIEM's settings hold (more than they allow is then
    refused); hunting on disk, nothing sets them. `rewrite` may put an equal relation in the place of one that is to be run."""

    connection: duckdb.DuckDBPyConnection
    name: str
    flavour: Flavour
    schema: Schema
    limits: bool = True
    rewrite: Callable[[Relation], Relation] = _as_it_is

    def scan(self) -> Scan:
        return Scan(self.name, (ROW, *self.schema))


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of a result: the stream that it belongs to and its columns in order, nulls included."""

    stream: int
    values: Mapping[str, Any]


def flatten(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, list[Any]]]:
    """(dotted field, values) for every field that is not missing; an object inside an array gives several values."""
    merged: dict[str, list[Any]] = {}
    for field, value in _leaves(document, prefix):
        merged.setdefault(field, []).append(value)
    yield from merged.items()


def _leaves(value: Any, field: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{field}.{key}" if field else str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, field)
    elif value is not None:
        yield field, value


def load(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    streams: Sequence[Iterable[Mapping[str, Any]]],
    *,
    flavour: Flavour,
    mapping: Schema | None = None,
    fields: frozenset[str] | None = None,
) -> EventTable:
    """Create table `name` from streams of documents.

    `mapping` gives types (and promises columns even where no event has the field); `fields`, if given, limits the columns to
    those that the searches read. A number that its column cannot hold is text where nothing maps the field. Raises UsageError
    where a time cannot be read, where a value does not fit the mapping, or where a field has one of the RESERVED names."""
    mapping = mapping or {}
    # A search is one statement with long conditions over few rows: pushing filters through the projections copies the computed
    # columns into every use, and planning then takes three times as long as the rest.
    connection.execute("SET disabled_optimizers = 'filter_pushdown,cte_filter_pusher'")
    rows: list[tuple[int, int, dict[str, list[Any]]]] = []
    seen: dict[str, list[Any]] = {}
    arrays: set[str] = set()
    for stream, documents in enumerate(streams):
        for number, document in enumerate(documents):
            flat = {field: values for field, values in flatten(document) if fields is None or field in fields}
            for field, values in flat.items():
                if field in RESERVED:
                    raise UsageError(f"events must not have a field named '{field}': replay uses that name; rename the field")
                kinds = seen.setdefault(field, [])
                for value in values:
                    kind = _kind(value)
                    if kind not in kinds:
                        kinds.append(kind)
                if len(values) > 1:
                    arrays.add(field)
            rows.append((stream, number, flat))
    promised = [field for field in mapping if (fields is None or field in fields) and field not in seen]
    schema = {
        field: _column_type(field, seen.get(field, []), field in arrays, flavour, mapping.get(field))
        for field in sorted({*seen, *promised})
    }
    _create(connection, name, rows, schema, flavour)
    _create_streams(connection, name, len(streams))
    return EventTable(connection, name, flavour, schema)


def run(table: EventTable, relation: Relation) -> list[ResultRow]:
    """Execute a relation; rows come back by stream, in order. Raises UsageError where these events cannot be computed with,
    for instance where a number overflows."""
    columns = relation.columns
    try:
        rows = table.connection.execute(to_sql(table.rewrite(relation))).fetchall()
    except duckdb.Error as error:
        raise UsageError(f"the search cannot be executed over these events: {str(error).splitlines()[0]}") from error
    return [ResultRow(row[0], dict(zip(columns, row[2:], strict=True))) for row in rows]


def _kind(value: Any) -> Any:
    """The Python type that decides a column's type; an integer beyond 64 bits, NaN and infinities can only be text."""
    if isinstance(value, int) and value not in _INT64:
        return str
    if isinstance(value, float) and not math.isfinite(value):
        return str
    return type(value)


def _column_type(field: str, kinds: list[Any], array: bool, flavour: Flavour, mapped: ColumnType | None) -> ColumnType:
    if flavour == "splunk":
        return ColumnType(FieldType.DOUBLE) if field == "_time" else ColumnType(FieldType.KEYWORD, array)
    if mapped is not None:
        return ColumnType(mapped.type, array or mapped.array)
    if field == "@timestamp":
        return ColumnType(FieldType.DATE, array)
    if kinds and all(kind is bool for kind in kinds):
        return ColumnType(FieldType.BOOLEAN, array)
    if kinds and all(kind is int for kind in kinds):
        return ColumnType(FieldType.LONG, array)
    if kinds and all(kind in (int, float) for kind in kinds):
        return ColumnType(FieldType.DOUBLE, array)
    return ColumnType(FieldType.KEYWORD, array)


def _create(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    rows: list[tuple[int, int, dict[str, list[Any]]]],
    schema: Schema,
    flavour: Flavour,
) -> None:
    columns = [(f"c{index}", field, column) for index, (field, column) in enumerate(schema.items())]
    definition = ", ".join(
        [f"{STREAM} INTEGER", f"{ORDER} BIGINT", f"{identifier(ROW)} BIGINT"]
        + [f"{identifier(field)} {column.sql}" for _, field, column in columns]
    )
    connection.execute(f"CREATE OR REPLACE TABLE {identifier(name)} ({definition})")
    structure = json.dumps([{"s": "INTEGER", "r": "BIGINT", **{key: column.sql for key, _, column in columns}}])
    selected = ", ".join(["e.s", "e.r", "e.r", *(f"e.{key}" for key, _, _ in columns)])
    for start in range(0, len(rows), 20_000):
        payload = []
        for stream, number, flat in rows[start : start + 20_000]:
            record: dict[str, Any] = {"s": stream, "r": number}
            for key, field, column in columns:
                if field in flat:
                    stored = [_stored(value, field, column.type, flavour) for value in flat[field]]
                    record[key] = stored if column.array else stored[0]
            payload.append(record)
        connection.execute(
            f"INSERT INTO {identifier(name)} SELECT {selected} FROM (SELECT unnest(from_json(?::JSON, ?)) AS e)",
            [json.dumps(payload), structure],
        )


def _create_streams(connection: duckdb.DuckDBPyConnection, name: str, count: int) -> None:
    table = identifier(streams_table(name))
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT CAST(range AS INTEGER) AS {STREAM} FROM range({count:d})")


def _stored(value: Any, field: str, kind: FieldType, flavour: Flavour) -> Any:
    """The value as the column holds it, ready for JSON. Elasticsearch coerces numbers given as text, and the other way round."""
    if flavour == "splunk" and field == "_time":
        return epoch_microseconds(value) / 1_000_000
    match kind:
        case FieldType.DATE:
            return epoch_microseconds(value) // 1000
        case FieldType.IP:
            return canonical_ip(_text(value))
        case FieldType.KEYWORD | FieldType.TEXT:
            return _text(value)
        case FieldType.BOOLEAN:
            if value in (True, "true"):
                return True
            if value in (False, "false", ""):
                return False
        case FieldType.LONG:
            number = _number(value)
            if number is not None and int(number) in _INT64:
                return int(number)
        case FieldType.DOUBLE:
            number = _number(value)
            if number is not None:
                return float(number)
    raise UsageError(f"field '{field}': {value!r} is not a {kind.value}, which is the field's type")


def _text(value: Any) -> str:
    """Numbers and booleans as JSON writes them; a lone surrogate, which no UTF-8 store can hold, becomes U+FFFD."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    return int(value) if isinstance(value, str) and value.strip().lstrip("+-").isdecimal() else number


def epoch_microseconds(value: Any) -> int:
    """Microseconds since the epoch of a number (seconds) or an RFC 3339 text. Raises UsageError."""
    if isinstance(value, bool):
        raise UsageError(f"{value!r} is not a time; give epoch seconds or RFC 3339")
    number = _number(value)
    if number is not None:
        if abs(number) > _LAST_SECOND:
            raise UsageError(f"{value!r} is not a time; epoch seconds are at most {_LAST_SECOND}")
        return round(number * 1_000_000)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise UsageError(f"{value!r} is not a time; give epoch seconds or RFC 3339") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return microseconds_since_epoch(moment)
