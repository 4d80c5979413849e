"""Commands whose output columns depend on values: chart, timechart, top, rare, xyseries, untable, transpose, addtotals, addcoltotals,
mvcombine (Search Reference, each command's page). They work on the results as Python values."""

from __future__ import annotations

import fnmatch
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from an1498.replay.algebra import Expr, Lit, call
from an1498.replay.spl import computed_terms, syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.materialised import Row, computed
from an1498.replay.spl.times import span_seconds
from an1498.replay.spl.values import Kind, as_text, looks_numeric, plain_text

Kinds = Mapping[str, Kind]
Result = tuple[Kinds, list[Row]]
_FALSE = ("f", "false", "0")
_TRUE = ("t", "true", "1")
_COUNTS = ("count", "c", "dc", "distinct_count")
_NULL = "NULL"


def chart(frame: Frame, command: syntax.Chart, binned: Callable[[Frame, str], Frame]) -> Frame:
    """Statistics with rows by one field and, with a second field, a column per value of it. Empty cells of counts are 0. timechart needs
    `span`, since the default depends on the search's time range; it fills the spans between the first and the last event."""
    source, at, options = frame.context.source, command.at, dict(command.options)
    span = options.pop("span", None)
    usenull = str(options.pop("usenull", "t")).lower() not in _FALSE
    limit = str(options.pop("limit", "10"))
    filled = str(options.pop("cont", "t")).lower() not in _FALSE
    options.pop("useother", None)
    if options or not limit.isdecimal():
        raise source.unsupported(at, f"option '{min(options)}' of {command.command}" if options else "this limit")
    if command.row == "_time":
        if not isinstance(span, str):
            raise source.unsupported(at, f"{command.command} over _time without span", "write span=<length>")
        frame = binned(frame, span)
    elif span is not None:
        raise source.unsupported(at, "span over a field that is not _time")
    by = (command.row, command.column) if command.column else (command.row,)
    if command.column:
        frame = _named_nulls(frame, command.column, usenull, at)
    table = computed_terms.grouped(frame, command.terms, by, at)
    counts = {term.name for term in command.terms if term.function in _COUNTS}
    seconds = float(span_seconds(span) or 0) if isinstance(span, str) else 0.0

    def pivoted(kinds: Kinds, rows: list[Row]) -> Result:
        names = [term.name for term in command.terms]
        columns, cells, keys = _cells(command, names, rows)
        series = list(dict.fromkeys(str(row[command.column]) for row in rows)) if command.column else []
        if limit != "0" and len([name for name in series if name != _NULL]) > int(limit):
            raise source.unsupported(at, f"more than {limit} series, which Splunk would sum up as OTHER", "write limit=0")
        if command.command == "timechart" and filled and keys and seconds:
            steps = round((keys[-1] - keys[0]) / seconds)
            if steps > 100_000:
                raise source.unsupported(at, "timechart of more than 100,000 spans", "write a longer span")
            keys = [keys[0] + step * seconds for step in range(steps + 1)]
        found: list[Row] = [
            {command.row: key, **{c: cells.get((key, c), 0.0 if agg in counts else None) for c, agg in columns.items()}} for key in keys
        ]
        return {command.row: kinds[command.row], **{c: kinds[agg] for c, agg in columns.items()}}, found

    if not command.column and command.command == "chart":
        return table
    return computed(table, tuple(table.columns), at, pivoted)


def _named_nulls(frame: Frame, column: str, usenull: bool, at: int) -> Frame:
    value = frame.value(column, at)
    if value.kind is Kind.LIST:
        raise frame.context.source.unsupported(at, "a chart by a multivalue field", "use mvexpand first")
    expr: Expr = as_text(value, at)
    return frame.extend([(column, Kind.TEXT, call("coalesce", expr, Lit(_NULL)) if usenull else expr)], at)


def _cells(command: syntax.Chart, names: list[str], rows: list[Row]) -> tuple[dict[str, str], dict[tuple[Any, str], Any], list[Any]]:
    """Column → aggregation, values by (row key, column), row keys."""
    columns: dict[str, str] = {}
    cells: dict[tuple[Any, str], Any] = {}
    ordered = sorted(rows, key=lambda row: (row[command.column] == _NULL, row[command.column])) if command.column else rows
    for name in names:
        for row in ordered:
            series = str(row[command.column]) if command.column else ""
            column = name if not series else series if len(names) == 1 else f"{name}: {series}"
            columns[column] = name
            cells[row[command.row], column] = row[name]
    return columns, cells, list(dict.fromkeys(row[command.row] for row in rows))


def top(frame: Frame, command: syntax.Top) -> Frame:
    """The most (`rare`: least) frequent values with their count and percentage of the results that have them, per group of the BY
    fields. Which of equally frequent values are cut off at the limit is not documented: refused."""
    source, at, options = frame.context.source, command.at, dict(command.options)
    limit = options.pop("limit", "10")
    count, percent = options.pop("countfield", "count"), options.pop("percentfield", "percent")
    shown = [name for name, option in ((count, "showcount"), (percent, "showperc")) if options.pop(option, "t").lower() not in _FALSE]
    if options.pop("useother", "f").lower() in _TRUE or options or not limit.isdecimal():
        raise source.unsupported(at, f"these options of {command.command}")
    names = (*command.by, *command.fields)
    for name in names:
        if frame.value(name, at).kind is Kind.LIST:
            raise source.unsupported(at, f"{command.command} of a multivalue field", "use mvexpand first")

    sign = -1 if command.command == "top" else 1

    def counted(kinds: Kinds, rows: list[Row]) -> Result:
        groups: dict[tuple[Any, ...], Counter[tuple[Any, ...]]] = {}
        for row in rows:
            values = tuple(row.get(name) for name in names)
            if None not in values:
                groups.setdefault(values[: len(command.by)], Counter())[values[len(command.by) :]] += 1
        found: list[Row] = []
        for group in sorted(groups, key=lambda values: tuple(map(str, values))):
            ranked = sorted(groups[group].items(), key=lambda item: (sign * item[1], tuple(map(str, item[0]))))
            kept = ranked[: int(limit) or None]
            if len(kept) < len(ranked) and ranked[len(kept)][1] == kept[-1][1]:
                raise source.unsupported(at, f"a limit of {command.command} between equally frequent values", "raise the limit, or limit=0")
            total = sum(groups[group].values())
            for values, times in kept:
                numbers = {count: float(times), percent: round(times / total * 100, 6)}
                found.append({**dict(zip(names, (*group, *values), strict=True)), **{name: numbers[name] for name in shown}})
        return {**{name: kinds.get(name, Kind.TEXT) for name in names}, **dict.fromkeys(shown, Kind.NUMBER)}, found

    return computed(frame, names, at, counted)


def xyseries(frame: Frame, command: syntax.Plain) -> Frame:
    """`xyseries x name value`: a row per x, a column per name."""
    source, at = frame.context.source, command.at
    if len(command.words) != 3 or command.options:
        raise source.unsupported(at, "xyseries with anything but three fields")
    x, y, data = command.words

    def pivoted(kinds: Kinds, rows: list[Row]) -> Result:
        cells: dict[Any, dict[str, Any]] = {}
        for row in rows:
            if row.get(x) is None or row.get(y) is None:
                continue
            name = plain_text(row[y])
            if name in cells.setdefault(row[x], {}):
                raise source.unsupported(at, "xyseries with two values for one cell")
            cells[row[x]][name] = row.get(data)
        columns = sorted({name for found in cells.values() for name in found})
        kind = kinds.get(data, Kind.TEXT)
        found: list[Row] = [{x: key, **row} for key, row in cells.items()]
        return {x: kinds.get(x, Kind.TEXT), **dict.fromkeys(columns, kind)}, found

    return computed(frame, command.words, at, pivoted)


def untable(frame: Frame, command: syntax.Plain) -> Frame:
    """`untable x name value`: the inverse of xyseries: a row per cell that has a value."""
    source, at = frame.context.source, command.at
    if len(command.words) != 3 or command.options:
        raise source.unsupported(at, "untable with anything but three fields")
    x, y, data = command.words

    def unpivoted(kinds: Kinds, rows: list[Row]) -> Result:
        others = [name for name in kinds if name != x and not name.startswith("_")]
        if any(kinds[name] is Kind.LIST for name in others):
            raise source.unsupported(at, "untable of multivalue fields")
        found: list[Row] = [
            {x: row.get(x), y: name, data: plain_text(row[name])} for row in rows for name in others if row.get(name) is not None
        ]
        return {x: kinds.get(x, Kind.TEXT), y: Kind.TEXT, data: Kind.TEXT}, found

    return computed(frame, None, at, unpivoted)


def transpose(frame: Frame, command: syntax.Plain) -> Frame:
    """Rows become columns: `row 1`, `row 2`, … or the values of `header_field`; at most 5 rows unless a number says otherwise, 0 all."""
    source, at, options = frame.context.source, command.at, dict(command.options)
    first, header = options.pop("column_name", "column"), options.pop("header_field", "")
    count = command.words[0] if command.words else "5"
    if options or len(command.words) > 1 or not count.isdecimal():
        raise source.unsupported(at, "these arguments of transpose")

    def turned(kinds: Kinds, rows: list[Row]) -> Result:
        if any(name.startswith("_") for name in kinds) or Kind.LIST in kinds.values():
            raise source.unsupported(at, "transpose of internal fields or of multivalues", "choose the fields with table first")
        kept = rows[: int(count) or None]
        names = [plain_text(row.get(header)) if header else f"row {number}" for number, row in enumerate(kept, 1)]
        if len({*names, first}) < len(names) + 1:
            raise source.unsupported(at, "transpose to columns of one name")
        found: list[Row] = [
            {first: name, **{n: None if row.get(name) is None else plain_text(row[name]) for n, row in zip(names, kept, strict=True)}}
            for name in kinds
            if name != header
        ]
        return dict.fromkeys((first, *names), Kind.TEXT), found

    return computed(frame, None, at, turned)


def addtotals(frame: Frame, command: syntax.Plain) -> Frame:
    """The sum of the named (default: all) numeric fields of each result, in `Total`."""
    source, at, options = frame.context.source, command.at, dict(command.options)
    name = options.pop("fieldname", "Total")
    if options.pop("row", "t").lower() in _FALSE or options.pop("col", "f").lower() in _TRUE or options:
        raise source.unsupported(at, "addtotals with col=t or other options", "use addcoltotals")

    def summed(kinds: Kinds, rows: list[Row]) -> Result:
        fields = _chosen(command.words, kinds)
        found: list[Row] = [{**row, name: _sum(row.get(field) for field in fields)} for row in rows]
        return {**kinds, name: Kind.NUMBER}, found

    return computed(frame, None, at, summed)


def addcoltotals(frame: Frame, command: syntax.Plain) -> Frame:
    """A last result with the sum of each numeric field; `labelfield` gets `label` (default Total) there."""
    source, at, options = frame.context.source, command.at, dict(command.options)
    label, labelfield = options.pop("label", "Total"), options.pop("labelfield", "")
    if options:
        raise source.unsupported(at, f"option '{min(options)}' of addcoltotals")

    def summed(kinds: Kinds, rows: list[Row]) -> Result:
        kinds = {**kinds, **({labelfield: Kind.TEXT} if labelfield and labelfield not in kinds else {})}
        if labelfield and kinds[labelfield] is not Kind.TEXT:
            raise source.unsupported(at, "a labelfield that holds numbers")
        total: dict[str, Any] = {}
        for field in _chosen(command.words, kinds):
            value = _sum(row.get(field) for row in rows)
            if value is not None and field != labelfield:
                total[field] = value if kinds[field].numeric else plain_text(value)
        if labelfield:
            total[labelfield] = label
        return kinds, [*rows, total]

    return computed(frame, None, at, summed)


def _chosen(words: tuple[str, ...], kinds: Kinds) -> list[str]:
    names = [name for name, kind in kinds.items() if not name.startswith("_") and kind is not Kind.LIST]
    if not words:
        return names
    return [name for name in names if any(fnmatch.fnmatchcase(name, word) for word in words)]


def _sum(values: Any) -> float | None:
    numbers = [float(value) for value in values if value is not None and (isinstance(value, float) or looks_numeric(str(value)))]
    return sum(numbers) if numbers else None


def mvcombine(frame: Frame, command: syntax.Plain) -> Frame:
    """Results that are equal but for one field as one result, with that field's values as a multivalue."""
    source, at = frame.context.source, command.at
    if len(command.words) != 1 or set(command.options) - {"delim"}:
        raise source.unsupported(at, "mvcombine with anything but delim and one field")
    (name,) = command.words

    def combined(kinds: Kinds, rows: list[Row]) -> Result:
        groups: dict[str, tuple[Row, list[str]]] = {}
        for row in rows:
            key = json.dumps([value for field, value in row.items() if field != name], default=str)
            values = groups.setdefault(key, (row, []))[1]
            value = row.get(name)
            values += [] if value is None else value if isinstance(value, list) else [plain_text(value)]
        found: list[Row] = [{**row, name: values or None} for row, values in groups.values()]
        return {**kinds, name: Kind.LIST}, found

    combined_frame = computed(frame, None, at, combined)
    return replace(combined_frame, delimiters={name: command.options.get("delim", " ")})
