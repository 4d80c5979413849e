"""LOOKUP JOIN and ENRICH (Elasticsearch reference, "LOOKUP JOIN", "ENRICH"). A lookup's cells are keywords unless
the index maps them otherwise."""

from __future__ import annotations

from an1498.model import FieldType
from an1498.replay.algebra import Aggregate as SqlAggregate
from an1498.replay.algebra import Cast as SqlCast
from an1498.replay.algebra import Col as SqlCol
from an1498.replay.algebra import Expr, GroupBy, Join, Scan, Select, call
from an1498.replay.esql import tree
from an1498.replay.esql.pipeline import Pipeline
from an1498.replay.esql.values import STRINGS, Type, Value, single
from an1498.replay.lookup import Lookup, Match


def _scan(pipeline: Pipeline, node: tree.LookupJoin | tree.Enrich, name: str) -> tuple[Lookup, str, Scan]:
    lookup = pipeline.lookups.get(name)
    if lookup is None:
        raise pipeline.source.wrong(node.at, f"Unknown index or policy [{name}]", "give it with --lookup NAME=FILE.csv")
    if not lookup.shared and isinstance(node, tree.Enrich):
        raise pipeline.source.unsupported(node.at, f"ENRICH with the lookup '{name}'", "use LOOKUP JOIN")
    if any(match is not Match.EXACT for match in lookup.matches.values()):
        raise pipeline.source.unsupported(node.at, f"the lookup '{name}', whose keys are not compared exactly")
    prefix = f"{pipeline.new_name()}."
    return lookup, prefix, lookup.scan(pipeline.table.connection, prefix)


def _as_text(pipeline: Pipeline, node: tree.Column) -> Expr:
    """A join key as a lookup's cell holds it; several values match nothing ("LOOKUP JOIN", limitations)."""
    value = pipeline.context.column(node)
    if value.type in STRINGS or value.type is Type.IP:
        return single(value)
    if value.type in (Type.INTEGER, Type.LONG, Type.BOOLEAN):
        return SqlCast(single(value), "VARCHAR", safe=False)
    raise pipeline.source.unsupported(node.at, f"joining a lookup on {value.type}")


def _cell(lookup: Lookup, column: str, cell: Expr) -> Value:
    match lookup.types.get(column, FieldType.KEYWORD):
        case FieldType.DATE:
            return Value(SqlCast(cell, "BIGINT", safe=False), Type.DATETIME)
        case FieldType.IP:
            return Value(cell, Type.IP)
        case _:
            return Value(cell, Type.KEYWORD)


def lookup_join(pipeline: Pipeline, command: tree.LookupJoin) -> None:
    """A left join; the lookup's columns replace columns of the same name ("LOOKUP JOIN")."""
    lookup, prefix, scan = _scan(pipeline, command, command.index)
    same: list[Expr] = []
    for node in command.on:
        if node.name not in lookup.columns:
            raise pipeline.source.wrong(node.at, f"Unknown column [{node.name}] in right side of join")
        same.append(call("eq", _as_text(pipeline, node), SqlCol(prefix + node.name)))
    pipeline.relation = Join(pipeline.relation, scan, call("and", *same), kind="left", shared=lookup.shared)
    keys = {node.name for node in command.on}
    for column in lookup.columns:
        if column not in keys:
            pipeline.scope.pop(column, None)
            pipeline.scope[column] = _cell(lookup, column, SqlCol(prefix + column))


def enrich(pipeline: Pipeline, command: tree.Enrich) -> None:
    """A match policy: the first column is the match field. Several matches make multivalued columns ("ENRICH")."""
    lookup, prefix, scan = _scan(pipeline, command, command.policy)
    match_field = lookup.columns[0]
    on = command.on or tree.Column(command.at, match_field)
    wanted = [(new.name, old) for new, old in command.enrichments] or [
        (column, tree.Column(command.at, column)) for column in lookup.columns[1:]
    ]
    keys = pipeline.extend(Value(_as_text(pipeline, on), Type.KEYWORD)).expr
    grouped_key = pipeline.new_name()
    items: list[tuple[str, SqlAggregate]] = []
    added: dict[str, Value] = {}
    for name, node in wanted:
        if node.name not in lookup.columns:
            raise pipeline.source.wrong(node.at, f"Enrich field [{node.name}] not found in enrich policy [{command.policy}]")
        column: Expr = SqlCol(prefix + node.name)
        internal = pipeline.new_name()
        items.append((internal, SqlAggregate("list", (column,), where=call("is_not_null", column), ordered=True)))
        added[name] = Value(call("list_or_null", SqlCol(internal)), Type.KEYWORD, multi=True)
    right = Select(
        GroupBy(scan, (prefix + match_field,), tuple(items)),
        ((grouped_key, SqlCol(prefix + match_field)), *((internal, SqlCol(internal)) for internal, _ in items)),
    )
    pipeline.relation = Join(pipeline.relation, right, call("eq", keys, SqlCol(grouped_key)), kind="left", shared=True)
    for name, value in added.items():
        pipeline.scope.pop(name, None)
        pipeline.scope[name] = pipeline.extend(value)
