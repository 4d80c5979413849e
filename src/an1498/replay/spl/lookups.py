"""lookup → algebra (Search Reference, "lookup"; transforms.conf). Exact matches in CSV tables; several matching rows give a
multivalue, in file order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from an1498.replay.algebra import Aggregate, Case, Col, Expr, Extend, Filter, GroupBy, Join, Lit, Relation, Select, call
from an1498.replay.lookup import Lookup
from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.values import Kind, Value, as_text, common_kind, convert, refuse

_PREFIX = "#lookup "


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
    scan = lookup.scan(frame.context.table.connection, _PREFIX)
    right: Relation = Filter(scan, call("and", *(call("is_not_null", Col(_PREFIX + column)) for column in key_columns)))
    folded = [(f"#key{i}", _folded(lookup, Col(_PREFIX + column))) for i, column in enumerate(key_columns)]
    found = [(f"#found{i}", Col(_PREFIX + column)) for i, (column, _) in enumerate(outputs)]
    right = GroupBy(
        Select(right, (*folded, *found)),
        tuple(name for name, _ in folded),
        tuple((name, Aggregate("list", (Col(name),), where=call("is_not_null", Col(name)), ordered=True)) for name, _ in found),
    )
    left = Extend(frame.relation, tuple((f"#event{i}", key) for i, key in enumerate(keys)))
    on = call("and", *(call("eq", Col(f"#event{i}"), Col(f"#key{i}")) for i in range(len(keys))))
    joined = Join(left, right, on, "left", shared=True)
    single = _unique(lookup, key_columns)
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
    counted = Counter(tuple(_fold(lookup, row[place]) for place in places) for row in lookup.rows)
    return all(count == 1 for count in counted.values())


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
