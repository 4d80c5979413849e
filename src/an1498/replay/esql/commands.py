"""Commands of ES|QL lowered to the relational algebra (Elasticsearch reference, "ES|QL source commands" and "ES|QL processing
commands")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from an1498.replay.algebra import Aggregate as SqlAggregate
from an1498.replay.algebra import Col as SqlCol
from an1498.replay.algebra import Extend, Filter, GroupBy, Limit, Relation, Scan, Select, Sort, SortKey, Unnest, call
from an1498.replay.esql import tree
from an1498.replay.esql.dissect import dissect
from an1498.replay.esql.expressions import condition, lower
from an1498.replay.esql.joins import enrich, lookup_join
from an1498.replay.esql.parse import Source, columns_of
from an1498.replay.esql.pipeline import Pipeline
from an1498.replay.esql.sources import from_indices
from an1498.replay.esql.stats import aggregate
from an1498.replay.esql.values import SPANS, Type, Value
from an1498.replay.lookup import Lookup
from an1498.replay.table import ROW, EventTable

DEFAULT_LIMIT = 1000
MOST_ROWS = 10_000


def lowered(
    query: tree.Query, source: Source, table: EventTable, lookups: Mapping[str, Lookup], fields: frozenset[str] | None = None
) -> tuple[Relation, dict[str, Value]]:
    """The relation of a query over a table, and the type of each column of its result. `fields` are those that the query reads
    (None: all): DuckDB's planning time grows with the columns of every step."""
    schema = table.schema if fields is None else {name: column for name, column in table.schema.items() if name in fields}
    pipeline = Pipeline(source, replace(table, schema=schema), lookups, Scan(table.name, (ROW, *schema)))
    if isinstance(query.source, tree.From):
        from_indices(pipeline, query.source)
    else:
        _row(pipeline, query.source)
    for command in query.commands:
        _command(pipeline, command)
    # Without LIMIT a query returns 1,000 rows, and never more than 10,000 ("LIMIT", overcoming the limitation).
    most = MOST_ROWS if pipeline.limited else DEFAULT_LIMIT
    relation = pipeline.relation
    if not (isinstance(relation, Limit) and relation.count <= most):
        relation = Limit(relation, most)
    return Select(relation, tuple((name, value.expr) for name, value in pipeline.scope.items())), pipeline.scope


def _command(pipeline: Pipeline, command: tree.Command) -> None:
    match command:
        case tree.Where(_, test):
            kept = condition(test, pipeline.context)
            pipeline.relation = Filter(pipeline.relation, kept)
        case tree.Eval(_, fields):
            _eval(pipeline, fields)
        case tree.Stats():
            aggregate(pipeline, command)
        case tree.MvExpand(_, column):
            _mv_expand(pipeline, column)
        case tree.Dissect():
            dissect(pipeline, command)
        case tree.Keep(_, patterns):
            _keep(pipeline, patterns)
        case tree.Drop(_, patterns):
            dropped = {name for pattern in patterns for name in _matching(pipeline, pattern)}
            pipeline.scope = {name: value for name, value in pipeline.scope.items() if name not in dropped}
        case tree.Rename(_, pairs):
            _rename(pipeline, pairs)
        case tree.Sort(_, keys):
            _sort(pipeline, keys)
        case tree.Limit(_, rows):
            pipeline.relation = Limit(pipeline.relation, rows)
            pipeline.limited = True
        case tree.LookupJoin():
            lookup_join(pipeline, command)
        case tree.Enrich():
            enrich(pipeline, command)


def _row(pipeline: Pipeline, command: tree.Row) -> None:
    """One row for each stream of the table, whether it has events or not."""
    pipeline.relation = GroupBy(pipeline.relation, (), (("rows", SqlAggregate("count_rows")),))
    _eval(pipeline, command.fields)


def _eval(pipeline: Pipeline, fields: Sequence[tree.Field]) -> None:
    """From left to right; a column that exists is replaced and moves to the end."""
    pending: dict[str, tuple[str, Value]] = {}

    def flush() -> None:
        if pending:
            pipeline.relation = Extend(pipeline.relation, tuple((internal, value.expr) for internal, value in pending.values()))
            for name, (internal, value) in pending.items():
                pipeline.scope.pop(name, None)
                pipeline.scope[name] = Value(SqlCol(internal), value.type, value.multi)
            pending.clear()

    for item in fields:
        if item.name in pending or columns_of(item.expression) & pending.keys() or _reads_parent(item, pending):
            flush()
        value = lower(item.expression, pipeline.context)
        if value.type in SPANS:
            raise pipeline.source.wrong(item.at, f"EVAL does not support type [{value.type}] as the return data type of expression")
        pending[item.name] = (pipeline.new_name(), value)
    flush()


def _reads_parent(item: tree.Field, pending: Mapping[str, object]) -> bool:
    return any(name.removesuffix(".keyword") in pending for name in columns_of(item.expression))


def _matching(pipeline: Pipeline, pattern: tree.NamePattern) -> list[str]:
    if pattern.exact:
        if pattern.name not in pipeline.scope:
            raise pipeline.source.wrong(pattern.at, f"Unknown column [{pattern.name}]")
        return [pattern.name]
    found = [name for name in pipeline.scope if _fits(name, pattern.parts)]
    if not found and pattern.parts != ("", ""):
        raise pipeline.source.wrong(pattern.at, f"No matches found for pattern [{pattern.name}]")
    return found


def _fits(name: str, parts: Sequence[str]) -> bool:
    first, *middle, last = parts
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    rest = name[len(first) : len(name) - len(last)]
    for part in middle:
        at = rest.find(part)
        if at < 0:
            return False
        rest = rest[at + len(part) :]
    return True


def _keep(pipeline: Pipeline, patterns: Sequence[tree.NamePattern]) -> None:
    """Columns in the order of the patterns. A column that several match takes its place from the most precise one: a name before
    a wildcard before `*` alone; among equals from the last ("KEEP", precedence rules)."""
    places: dict[str, tuple[int, int]] = {}
    for number, pattern in enumerate(patterns):
        precision = 2 if pattern.exact else 0 if pattern.parts == ("", "") else 1
        for name in _matching(pipeline, pattern):
            places[name] = max(places.get(name, (-1, -1)), (precision, number))
    order = list(pipeline.scope)
    kept = sorted(places, key=lambda name: (places[name][1], order.index(name)))
    pipeline.scope = {name: pipeline.scope[name] for name in kept}


def _rename(pipeline: Pipeline, pairs: Sequence[tuple[tree.NamePattern, tree.NamePattern]]) -> None:
    for old, new in pairs:
        for pattern in (old, new):
            if not pattern.exact:
                raise pipeline.source.wrong(pattern.at, f"Using wildcards [*] in RENAME is not allowed [{pattern.name}]")
        if old.name not in pipeline.scope:
            raise pipeline.source.wrong(old.at, f"Unknown column [{old.name}]")
        if old.name == new.name:
            continue
        pipeline.scope = {new.name if name == old.name else name: value for name, value in pipeline.scope.items() if name != new.name}


def _sort(pipeline: Pipeline, keys: Sequence[tree.SortBy]) -> None:
    """A multivalued field sorts by its least value ascending and by its greatest descending ("SORT")."""
    columns: list[SortKey] = []
    for key in keys:
        value = lower(key.expression, pipeline.context)
        if value.type in SPANS:
            raise pipeline.source.wrong(key.at, f"cannot sort on {value.type}")
        expr = value.expr
        if value.type is Type.IP:
            if value.multi:
                raise pipeline.source.unsupported(key.at, "SORT by a multivalued address")
            expr = call("ip_key", expr)
        elif value.multi:
            expr = call("list_max" if key.descending else "list_min", expr)
        column = pipeline.extend(Value(expr, value.type)).expr
        if isinstance(column, SqlCol):
            columns.append(SortKey(column.name, key.descending, key.nulls_last))
    pipeline.relation = Sort(pipeline.relation, tuple(columns))


def _mv_expand(pipeline: Pipeline, column: tree.Column) -> None:
    """One row per value; a row without a value stays."""
    if column.name not in pipeline.scope:
        raise pipeline.source.wrong(column.at, f"Unknown column [{column.name}]")
    value = pipeline.scope[column.name]
    if value.multi:
        copied = pipeline.extend(value)
        if isinstance(copied.expr, SqlCol):
            pipeline.relation = Unnest(pipeline.relation, copied.expr.name)
        pipeline.scope[column.name] = replace(copied, multi=False)
