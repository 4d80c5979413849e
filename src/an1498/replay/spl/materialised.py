"""Results as Python values and back, for commands whose columns depend on the values (`chart`, `xyseries`, a subsearch).

While a search is only checked there are no values: such a command then gives an open frame, as if its fields were raw ones.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import duckdb

from an1498.errors import UnsupportedConstruct, UsageError
from an1498.replay.algebra import ORDER, STREAM, Scan, Select, identifier, streams_table
from an1498.replay.spl.frame import Context, Frame
from an1498.replay.spl.ordering import raw_events
from an1498.replay.spl.source import Source
from an1498.replay.spl.values import REFUSAL, Kind
from an1498.replay.table import run

Row = Mapping[str, Any]
"""Values by column: str, float, a list of str for a multivalue, None."""

_REFUSED = re.compile(REFUSAL + r"@(\d+): (.*)")
_numbers = itertools.count()


def all_events(context: Context) -> Frame:
    """The events of the index, newest first. Raises UsageError for field names that replay needs itself."""
    if context.table is None:
        return Frame(context, Select(context.raw, ()), {}, open=True)
    schema = context.table.schema
    names = tuple(sorted(schema, key=lambda name: (not name.startswith("_"), name)))
    if any(name.startswith("#") for name in names):
        raise UsageError("replay of SPL does not take events with a field whose name begins with '#'")
    kinds = {name: Kind.TIME if name == "_time" else Kind.LIST if schema[name].array else Kind.TEXT for name in names}
    return Frame(context, raw_events(context.table.scan(), names), kinds)


def refusal(source: Source, error: UsageError) -> UnsupportedConstruct | None:
    """The refusal that an executed search raised (`values.refuse`), None for another error."""
    refused = _REFUSED.search(str(error.__cause__))
    if refused is None or not isinstance(error.__cause__, duckdb.Error):
        return None
    return source.unsupported(int(refused[1]), refused[2])


def rows(frame: Frame) -> list[tuple[int, Row]]:
    """(stream, values) of every result, in order. Only with a table. Raises UnsupportedConstruct, UsageError."""
    assert frame.context.table is not None
    try:
        return [(row.stream, row.values) for row in run(frame.context.table, frame.relation)]
    except UsageError as error:
        raise refusal(frame.context.source, error) or error from None


def frame_of(context: Context, columns: Mapping[str, Kind], results: Iterable[tuple[int, Row]]) -> Frame:
    """Results as a frame; a column that a row lacks is null there."""
    assert context.table is not None
    connection = context.table.connection
    table = f"#results {next(_numbers)}"
    frame = Frame(context, Scan(table, tuple(columns)), dict(columns))  # which refuses names that the table could not have
    fields = (f"{identifier(name)} {kind.sql_type}" for name, kind in columns.items())
    definition = ", ".join([f"{STREAM} INTEGER", f"{ORDER} BIGINT", *fields])
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(table)} ({definition})")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {identifier(streams_table(table))} AS SELECT * FROM {identifier(streams_table(context.table.name))}"
    )
    values = [[stream, place, *(row.get(name) for name in columns)] for place, (stream, row) in enumerate(results)]
    if values:
        marks = ", ".join("?" for _ in range(len(columns) + 2))
        connection.executemany(f"INSERT INTO {identifier(table)} VALUES ({marks})", values)
    return frame


Compute = Callable[[Mapping[str, Kind], list[Row]], tuple[Mapping[str, Kind], list[Row]]]


def computed(frame: Frame, reads: Iterable[str] | None, at: int, compute: Compute) -> Frame:
    """The frame of what `compute` makes of the results of each stream: (kinds, rows) → (kinds, rows). `reads` are the fields that it
    looks at, None for all of them."""
    for name in ("*",) if reads is None else reads:
        if frame.open:
            frame.context.read.add(name)
        elif name != "*":
            frame.value(name, at)
    if frame.context.table is None:
        return Frame(frame.context, Select(frame.context.raw, ()), {}, open=True)
    if any(kind is Kind.CLOCK for kind in frame.columns.values()):
        frame = frame.without([name for name, kind in frame.columns.items() if kind is Kind.CLOCK])
    streams: dict[int, list[Row]] = {}
    for stream, row in rows(frame):
        streams.setdefault(stream, []).append(row)
    columns: dict[str, Kind] = {}
    results: list[tuple[int, Row]] = []
    for stream in sorted(streams) or [0]:
        kinds, found = compute(frame.columns, streams.get(stream, []))
        columns.update(kinds)
        results += [(stream, row) for row in found]
    return frame_of(frame.context, columns, results)
