"""lookup → algebra (Search Reference, "lookup"; transforms.conf). Exact matches in CSV tables; several matching rows give a
multivalue, in file order.

A time-based lookup (`time_field`) gives the row nearest before the event, not more than `max_offset_secs` before (Knowledge Manager Manual,
"Configure a time-based lookup": the first match in descending order of time; `max_matches` is 1 then). Each row is therefore valid from its
time until the next row of its key begins. Subseconds of `time_field` are not modelled: Splunk ignores them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from an1498.replay.algebra import Aggregate, Case, Cast, Col, Expr, Extend, Filter, GroupBy, Join, Lit, Relation, Select, call
from an1498.replay.lookup import Lookup
from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.source import Source
from an1498.replay.spl.values import Kind, Value, as_text, common_kind, convert, refuse

_PREFIX = "#lookup "
_VALIDITY = ("#begins", "#before", "#last")
MAX_OFFSET_S = 2_000_000_000
"""Splunk's default of `max_offset_secs`: how long before the event a row's time may lie."""


def lower(frame: Frame, command: syntax.LookupCommand) -> Frame:
    source, at = frame.context.source, command.at
    lookup = frame.context.lookups.get(command.table) or frame.context.lookups.get(command.table.removesuffix(".csv"))
    if lookup is None:
        raise source.syntax_error(at, f"lookup '{command.table}' is not defined", "give replay its CSV file")
    if set(command.options) - {"local"} or lookup.matches or lookup.max_matches is not None:
        raise source.unsupported(at, "this lookup's options", "exact matches only")
    key_columns = [column for column, _ in command.keys]
    outputs = command.outputs or tuple((column, column) for column in lookup.columns if column not in key_columns)
    for column in [*key_columns, *(column for column, _ in outputs)]:
        if column not in lookup.columns:
            raise source.syntax_error(at, f"lookup '{command.table}' has no column '{column}'")
    keys = [_folded(lookup, as_text(frame.value(field, at), at)) for _, field in command.keys]
    existing = {field: frame.value(field, at) for _, field in outputs}
    if frame.context.table is None:
        return frame.extend(((field, Kind.TEXT, Lit(None, "VARCHAR")) for _, field in outputs), at)
    if lookup.time_column:
        lookup = _with_validity(lookup, key_columns, source, at)
    scan = lookup.scan(frame.context.table.connection, _PREFIX)
    right: Relation = Filter(scan, call("and", *(call("is_not_null", Col(_PREFIX + column)) for column in key_columns)))
    folded = [(f"#key{i}", _folded(lookup, Col(_PREFIX + column))) for i, column in enumerate(key_columns)]
    found = [(f"#found{i}", Col(_PREFIX + column)) for i, (column, _) in enumerate(outputs)]
    validity = [(_PREFIX + name, Cast(Col(_PREFIX + name), "DOUBLE")) for name in _VALIDITY if lookup.time_column]
    right = GroupBy(
        Select(right, (*folded, *validity, *found)),
        tuple(name for name, _ in (*folded, *validity)),
        tuple((name, Aggregate("list", (Col(name),), where=call("is_not_null", Col(name)), ordered=True)) for name, _ in found),
    )
    left = Extend(frame.relation, tuple((f"#event{i}", key) for i, key in enumerate(keys)))
    on = call("and", *(call("eq", Col(f"#event{i}"), Col(f"#key{i}")) for i in range(len(keys))))
    if lookup.time_column:
        begins, before, last = (Col(_PREFIX + name) for name in _VALIDITY)
        time = frame.value("_time", at).expr
        on = call("and", on, call("ge", time, begins), call("lt", time, before), call("le", time, last))
    joined = Join(left, right, on, "left", shared=lookup.shared)
    single = bool(lookup.time_column) or _unique(lookup, key_columns)
    added = []
    for i, (_, field) in enumerate(outputs):
        kind = Kind.TEXT if single else Kind.LIST
        value: Expr = call("list_element", Col(f"#found{i}"), Lit(1)) if single else Col(f"#found{i}")
        added.append(_output(field, Value(kind, value), existing[field], command))
    if command.mode == "OUTPUTNEW" and len(outputs) > 1 and any(not value.is_null for value in existing.values()):
        raise source.unsupported(at, "OUTPUTNEW with several fields of which one exists")
    wide = replace(frame, relation=joined).extend(added, at)
    return replace(wide, relation=Select(wide.relation, tuple((name, Col(name)) for name in wide.columns)))


def _folded(lookup: Lookup, value: Expr) -> Expr:
    return value if lookup.case_sensitive else call("lower", value)


def _unique(lookup: Lookup, key_columns: list[str]) -> bool:
    places = [lookup.columns.index(column) for column in key_columns]
    counted = Counter((stream, *(_fold(lookup, row[place]) for place in places)) for stream, row in lookup.numbered())
    return all(count == 1 for count in counted.values())


def _with_validity(lookup: Lookup, key_columns: list[str], source: Source, at: int) -> Lookup:
    """The lookup with three columns more: from when a row is the nearest, before when, and until when it may be used."""
    places = [lookup.columns.index(column) for column in key_columns]
    time = lookup.columns.index(lookup.time_column)
    rows: list[list[tuple[str | None, ...]]] = [[] for _ in (lookup.streams or (lookup.rows,))]
    by_key: dict[tuple[object, ...], list[tuple[int, tuple[str | None, ...]]]] = {}
    for stream, row in lookup.numbered():
        cell = row[time] or ""
        if not cell.isdecimal():
            raise source.unsupported(at, f"a time {cell!r} in the lookup '{lookup.name}'", "write whole epoch seconds")
        by_key.setdefault((stream, *(_fold(lookup, row[place]) for place in places)), []).append((int(cell), row))
    for key, found in by_key.items():
        found.sort(key=lambda item: item[0])
        for (begins, row), (following, _) in zip(found, [*found[1:], (None, ())], strict=True):
            if begins == following:
                raise source.unsupported(at, f"two rows of one time for one key in the lookup '{lookup.name}'", "keep one of them")
            before = "inf" if following is None else str(following)
            rows[int(str(key[0]))].append((*row, str(begins), before, str(begins + MAX_OFFSET_S)))
    wide = tuple(map(tuple, rows))
    return replace(lookup, columns=(*lookup.columns, *_VALIDITY), rows=wide[0], streams=None if lookup.streams is None else wide)


def _fold(lookup: Lookup, cell: str | None) -> str | None:
    return cell if cell is None or lookup.case_sensitive else cell.lower()


def _output(field: str, found: Value, existing: Value, command: syntax.LookupCommand) -> tuple[str, Kind, Expr]:
    """OUTPUT overwrites an existing field, OUTPUTNEW does not. Whether OUTPUT without a match removes the field's value is not
    documented: refused."""
    kind = common_kind([found, existing])
    if existing.is_null:
        return field, kind, convert(found, kind, command.at)
    old, new = convert(existing, kind, command.at), convert(found, kind, command.at)
    if command.mode == "OUTPUTNEW":
        return field, kind, call("coalesce", old, new)
    doubtful = call("and", call("is_null", new), call("is_not_null", old))
    refused = refuse(command.at, f"lookup without a match for an event that has '{field}' already", kind.sql_type)
    return field, kind, Case(((doubtful, refused),), new)
