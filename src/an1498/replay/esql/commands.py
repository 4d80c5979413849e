"""Commands of ES|QL lowered to the relational algebra (Elasticsearch reference, "ES|QL source commands" and "ES|QL processing
commands").

A pipeline is a relation plus the columns in scope, in their order. Columns get internal names (`v1`, `v2`, …), so that renaming,
shadowing and dropping are changes of the scope only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from an1498.replay.algebra import Aggregate as SqlAggregate
from an1498.replay.algebra import Cast as SqlCast
from an1498.replay.algebra import Col as SqlCol
from an1498.replay.algebra import (
    Expr,
    Extend,
    Filter,
    GroupBy,
    Join,
    Limit,
    Lit,
    Relation,
    Scan,
    Select,
    Sort,
    SortKey,
    Unnest,
    call,
)
from an1498.replay.esql import tree
from an1498.replay.esql.aggregates import Collector
from an1498.replay.esql.context import Context
from an1498.replay.esql.expressions import condition, lower
from an1498.replay.esql.parse import Source, columns_of
from an1498.replay.esql.values import OF_FIELD, SPANS, SQL_TYPE, STRINGS, Type, Value, single
from an1498.replay.lookup import Lookup, Match
from an1498.replay.lucene.patterns import wildcard
from an1498.replay.table import ROW, EventTable

DEFAULT_LIMIT = 1000
MOST_ROWS = 10_000
_METADATA = {"_id": Type.KEYWORD, "_index": Type.KEYWORD, "_version": Type.LONG}
_METADATA_FIELDS = frozenset({*_METADATA, "_source", "_ignored", "_index_mode", "_score", "_tsid"})
_DATA_STREAM = ("data_stream.type", "data_stream.dataset", "data_stream.namespace")


@dataclass(slots=True)
class Pipeline:
    """The state between two commands. `limited` is true once a LIMIT stands in the query.

    Columns that expressions derived (`_pending`) are part of the relation as soon as someone reads it, so a command first lowers
    its expressions and then takes `relation`."""

    source: Source
    table: EventTable
    lookups: Mapping[str, Lookup]
    _relation: Relation
    scope: dict[str, Value] = field(default_factory=dict)
    limited: bool = False
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _derived: dict[tuple[str, str], str] = field(default_factory=dict)
    _pending: list[tuple[str, Expr]] = field(default_factory=list)

    @property
    def relation(self) -> Relation:
        if self._pending:
            self._relation = Extend(self._relation, tuple(self._pending))
            self._pending.clear()
        return self._relation

    @relation.setter
    def relation(self, relation: Relation) -> None:
        self._relation = relation
        kept = set(relation.columns)
        self._derived = {key: name for key, name in self._derived.items() if name in kept}

    @property
    def context(self) -> Context:
        return Context(self.source, self.scope, self.derive)

    def new_name(self) -> str:
        """A column name that neither a field of the events nor another column has, and that begins none followed by a dot."""
        while True:
            name = f"v{next(self._numbers)}"
            if not any(field == name or field.startswith(f"{name}.") for field in self.table.schema):
                return name

    def extend(self, value: Value) -> Value:
        """The value as a column of the relation."""
        name = self.new_name()
        self.relation = Extend(self.relation, ((name, value.expr),))
        return replace(value, expr=SqlCol(name))

    def derive(self, function: str, expr: Expr) -> Expr:
        """A function of one column as a column of its own, so that a long condition computes (and DuckDB plans) it once."""
        if not isinstance(expr, SqlCol):
            return call(function, expr)
        name = self._derived.get((function, expr.name))
        if name is None:
            name = self._derived[function, expr.name] = self.new_name()
            self._pending.append((name, call(function, expr)))
        return SqlCol(name)


def lowered(
    query: tree.Query, source: Source, table: EventTable, lookups: Mapping[str, Lookup], fields: frozenset[str] | None = None
) -> tuple[Relation, dict[str, Value]]:
    """The relation of a query over a table, and the type of each column of its result. `fields` are those that the query reads
    (None: all): DuckDB's planning time grows with the columns of every step."""
    schema = table.schema if fields is None else {name: column for name, column in table.schema.items() if name in fields}
    pipeline = Pipeline(source, replace(table, schema=schema), lookups, Scan(table.name, (ROW, *schema)))
    if isinstance(query.source, tree.From):
        _from(pipeline, query.source)
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
            _stats(pipeline, command)
        case tree.MvExpand(_, column):
            _mv_expand(pipeline, column)
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
            _lookup_join(pipeline, command)
        case tree.Enrich():
            _enrich(pipeline, command)


# --- sources -----------------------------------------------------------------------------------------------------------------


def _from(pipeline: Pipeline, command: tree.From) -> None:
    """Every mapped field, by name. Elasticsearch reads keyword and ip fields from doc values: sorted and without duplicates;
    numbers, dates and booleans sorted ("ES|QL multivalued fields", duplicate values)."""
    computed: list[tuple[str, Expr]] = []
    for name, column in pipeline.table.schema.items():
        kind = OF_FIELD[column.type]
        if column.array and kind is not Type.TEXT:
            values: Expr = SqlCol(name)
            computed.append((name, call("list_sort", call("list_distinct", values) if kind in (Type.KEYWORD, Type.IP) else values)))
        if name not in _METADATA_FIELDS:
            pipeline.scope[name] = Value(SqlCol(name), kind, column.array)
    index = _index_name(pipeline)
    for node in command.metadata:
        if node.name not in _METADATA:
            raise pipeline.source.unsupported(node.at, f"METADATA {node.name}", f"replay knows {', '.join(_METADATA)}")
        internal = pipeline.new_name()
        computed.append((internal, _metadata(pipeline, node.name, index)))
        pipeline.scope[node.name] = Value(SqlCol(internal), _METADATA[node.name])
    if computed:
        pipeline.relation = Extend(pipeline.relation, tuple(computed))
    if index is not None:
        pipeline.relation = Filter(pipeline.relation, _in_indices(pipeline, command, index))


def _metadata(pipeline: Pipeline, name: str, index: Expr | None) -> Expr:
    """The column of the documents, else what is known of them: the place in the stream as `_id`, 1 as `_version`."""
    sql_type = SQL_TYPE[_METADATA[name]]
    if name == "_index":
        return index if index is not None else Lit(None, sql_type)
    default = SqlCast(SqlCol(ROW), sql_type, safe=False) if name == "_id" else Lit(1, sql_type)
    stored = pipeline.table.schema.get(name)
    return default if stored is None or stored.array else call("coalesce", SqlCast(SqlCol(name), sql_type), default)


def _index_name(pipeline: Pipeline) -> Expr | None:
    """Where the documents say which index or data stream they are in: the text that FROM's patterns are matched with."""
    schema = pipeline.table.schema
    names: list[Expr] = []
    if "_index" in schema and not schema["_index"].array:
        names.append(SqlCol("_index"))
    if all(part in schema and not schema[part].array for part in _DATA_STREAM):
        kind, dataset, namespace = (SqlCol(part) for part in _DATA_STREAM)
        names.append(call("concat", kind, Lit("-"), dataset, Lit("-"), namespace))
    return call("coalesce", *names, Lit(None, "VARCHAR")) if names else None


def _in_indices(pipeline: Pipeline, command: tree.From, index: Expr) -> Expr:
    """The index is matched by a pattern and by no exclusion (`-name`) after it; a document that names no index is kept."""
    found: Expr = Lit(False)
    for text in ",".join(command.patterns).split(","):
        if ":" in text:
            raise pipeline.source.unsupported(command.at, f"the remote cluster in '{text}'")
        excluded = text.startswith("-")
        pattern = wildcard(text[1:] if excluded else text)
        matches = call("eq", index, Lit(pattern.literal)) if pattern.literal is not None else call("regex_full", index, Lit(pattern.re2))
        found = call("and", found, call("not", matches)) if excluded else call("or", found, matches)
    return call("or", call("is_null", index), found)


def _row(pipeline: Pipeline, command: tree.Row) -> None:
    """One row for each stream of the table, whether it has events or not."""
    pipeline.relation = GroupBy(pipeline.relation, (), (("rows", SqlAggregate("count_rows")),))
    _eval(pipeline, command.fields)


# --- columns -----------------------------------------------------------------------------------------------------------------


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


# --- STATS -------------------------------------------------------------------------------------------------------------------


def _stats(pipeline: Pipeline, command: tree.Stats) -> None:
    """A row counts once for each value of a multivalued BY field; nulls form a group; without BY there is one row ("STATS")."""
    if command.inline and any(_group_type(pipeline, item).multi for item in command.by):
        raise pipeline.source.unsupported(command.at, "INLINE STATS by a multivalued column", "expand it with MV_EXPAND first")
    before = pipeline.relation
    inputs = pipeline.context
    groups = {item.name: _group(pipeline, item) for item in command.by}
    collector = Collector(inputs, lower, pipeline.new_name)
    outputs: dict[str, Value] = {}
    for item in command.aggregates:
        collector.where = None if item.where is None else condition(item.where, inputs)
        if item.name in outputs or item.name in groups:
            raise pipeline.source.unsupported(item.at, f"two columns named '{item.name}' in STATS", "give them different names")
        outputs[item.name] = lower(item.expression, Context(pipeline.source, groups, pipeline.derive, collector))
    keys = tuple(value.expr.name for value in groups.values() if isinstance(value.expr, SqlCol))
    with_keys = pipeline.relation
    pipeline.relation = GroupBy(with_keys, keys, tuple(collector.items))
    pipeline.scope = {}
    results = {name: pipeline.extend(value) for name, value in outputs.items()}
    if not command.inline:
        pipeline.scope = {**results, **groups}
        return
    _join_back(pipeline, before, inputs, with_keys, groups, results)


def _join_back(
    pipeline: Pipeline,
    before: Relation,
    inputs: Context,
    with_keys: Relation,
    groups: Mapping[str, Value],
    results: Mapping[str, Value],
) -> None:
    """INLINE STATS: every row with the aggregates of its group."""
    renamed = {name: (pipeline.new_name(), value) for name, value in results.items()}
    right_keys = {name: pipeline.new_name() for name in groups}
    right = Select(
        pipeline.relation,
        (
            *((internal, value.expr) for internal, value in renamed.values()),
            *((right_keys[name], value.expr) for name, value in groups.items()),
        ),
    )
    left = with_keys if groups else before
    same = [call("identical", value.expr, SqlCol(right_keys[name])) for name, value in groups.items()]
    pipeline.relation = Join(left, right, call("and", *same))
    kept = {name: value for name, value in inputs.scope.items() if name not in renamed and name not in groups}
    added = {name: replace(value, expr=SqlCol(internal)) for name, (internal, value) in renamed.items()}
    pipeline.scope = {**kept, **added, **groups}


def _group_type(pipeline: Pipeline, item: tree.Field) -> Value:
    return lower(item.expression, pipeline.context)


def _group(pipeline: Pipeline, item: tree.Field) -> Value:
    value = _group_type(pipeline, item)
    if value.type in SPANS:
        raise pipeline.source.wrong(item.at, f"cannot group by {value.type}")
    if not value.multi:
        return pipeline.extend(Value(value.expr, value.type))
    distinct = pipeline.extend(Value(call("list_sort", call("list_distinct", value.expr)), value.type))
    if isinstance(distinct.expr, SqlCol):
        pipeline.relation = Unnest(pipeline.relation, distinct.expr.name)
    return distinct


# --- lookups -----------------------------------------------------------------------------------------------------------------


def _scan(pipeline: Pipeline, node: tree.LookupJoin | tree.Enrich, name: str) -> tuple[Lookup, str, Scan]:
    lookup = pipeline.lookups.get(name)
    if lookup is None:
        raise pipeline.source.wrong(node.at, f"Unknown index or policy [{name}]", "give it with --lookup NAME=FILE.csv")
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


def _lookup_join(pipeline: Pipeline, command: tree.LookupJoin) -> None:
    """A left join; the lookup's columns replace columns of the same name ("LOOKUP JOIN"). Cells are keywords."""
    lookup, prefix, scan = _scan(pipeline, command, command.index)
    same: list[Expr] = []
    for node in command.on:
        if node.name not in lookup.columns:
            raise pipeline.source.wrong(node.at, f"Unknown column [{node.name}] in right side of join")
        same.append(call("eq", _as_text(pipeline, node), SqlCol(prefix + node.name)))
    pipeline.relation = Join(pipeline.relation, scan, call("and", *same), kind="left", shared=True)
    keys = {node.name for node in command.on}
    for column in lookup.columns:
        if column not in keys:
            pipeline.scope.pop(column, None)
            pipeline.scope[column] = Value(SqlCol(prefix + column), Type.KEYWORD)


def _enrich(pipeline: Pipeline, command: tree.Enrich) -> None:
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
