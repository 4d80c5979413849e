"""The small relational algebra that every query language is lowered to, and its rendering as DuckDB SQL.

A relation has named columns and two hidden ones: `_stream` (which independent event stream a row belongs to, so that many
scenarios run in one statement and never meet) and `_ord` (the row's position; relations in SPL and ES|QL are ordered). Every
operator works within a stream. Expressions call functions of the closed table in `functions.py`; nothing else reaches SQL, and
all names and literals are quoted here, so a search's content cannot become SQL.

A column has one DuckDB type. The algebra does not track types: a lowering casts both sides of a Union to one type per column,
and gives a typed null (`Lit(None, "VARCHAR")`) where a function could not tell what a bare NULL is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from an1498.replay.functions import SQL_FUNCTIONS

STREAM = "_stream"
ORDER = "_ord"
_HIDDEN = (STREAM, ORDER)
# Names inside one SELECT. `identifier` writes "^" only before an upper case letter or a second "^", so no field has these names.
_BRANCH = '"^_branch"'
_ELEMENT = '"^_element"'


# --- expressions -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Col:
    """A column of the input relation (or a lambda's parameter)."""

    name: str


@dataclass(frozen=True, slots=True)
class Lit:
    """A literal; `None` is SQL NULL. `sql_type` casts it, for instance a NULL of type VARCHAR."""

    value: str | int | float | bool | None
    sql_type: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `functions.SQL_FUNCTIONS` applied to arguments."""

    function: str
    args: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """The first branch whose condition is true; a null condition counts as false, as in SQL."""

    branches: tuple[tuple[Expr, Expr], ...]
    default: Expr = Lit(None)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list value of the items."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Lambda:
    """A one-parameter function for list functions (`list_filter`, `list_transform`)."""

    parameter: str
    body: Expr


@dataclass(frozen=True, slots=True)
class Cast:
    """A conversion; with `safe`, a value that cannot be converted becomes null."""

    value: Expr
    sql_type: str
    safe: bool = True


Expr = Col | Lit | Call | Case | ListOf | Lambda | Cast


def call(function: str, *args: Expr) -> Call:
    """`call("and", a, b)` instead of `Call("and", (a, b))`."""
    return Call(function, args)


# --- relations ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SortKey:
    column: str
    descending: bool = False
    nulls_last: bool = True


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate: `function` of SQL_FUNCTIONS over the rows where `where` holds, in `_ord` order if `ordered`."""

    function: str
    args: tuple[Expr, ...] = ()
    distinct: bool = False
    where: Expr | None = None
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class WindowCall:
    """A window function over the rows of `partition` in `order` (then `_ord`).

    The frame is `frame` ("rows" or "range") from `start` preceding to `end` preceding; None is unbounded, 0 the current row,
    a negative number means following. "range" needs exactly one numeric order key and then ignores `_ord`. An aggregate sees
    only the frame's rows where `where` holds."""

    function: str
    args: tuple[Expr, ...] = ()
    partition: tuple[str, ...] = ()
    order: tuple[SortKey, ...] = ()
    frame: Literal["rows", "range"] = "rows"
    start: int | float | None = None
    end: int | float | None = 0
    ignore_nulls: bool = False
    distinct: bool = False
    where: Expr | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """A table of the DuckDB connection; it has the hidden columns and `columns`."""

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    source: Relation
    condition: Expr

    @property
    def columns(self) -> tuple[str, ...]:
        return self.source.columns


@dataclass(frozen=True, slots=True)
class Extend:
    """Adds or replaces columns, all computed from the input's columns."""

    source: Relation
    items: tuple[tuple[str, Expr], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return _with(self.source.columns, (name for name, _ in self.items))


@dataclass(frozen=True, slots=True)
class Select:
    """Keeps exactly these columns, computed from the input's."""

    source: Relation
    items: tuple[tuple[str, Expr], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.items)


@dataclass(frozen=True, slots=True)
class GroupBy:
    """One row per distinct key (nulls are one key; filter first where a language drops them); `_ord` is the group's first.

    Without keys every stream of the table that the source scans gives exactly one row, also a stream without any row."""

    source: Relation
    keys: tuple[str, ...]
    items: tuple[tuple[str, Aggregate], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.keys + tuple(name for name, _ in self.items)


@dataclass(frozen=True, slots=True)
class Window:
    """Adds columns computed by window functions."""

    source: Relation
    items: tuple[tuple[str, WindowCall], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return _with(self.source.columns, (name for name, _ in self.items))


@dataclass(frozen=True, slots=True)
class Sort:
    """Renumbers `_ord` by the keys; rows that are equal on all keys keep their order."""

    source: Relation
    keys: tuple[SortKey, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.source.columns


@dataclass(frozen=True, slots=True)
class Limit:
    """The first `count` rows of each stream, or of each distinct `by` within it."""

    source: Relation
    count: int
    by: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.source.columns


@dataclass(frozen=True, slots=True)
class Unnest:
    """One row per element of the list column; `keep_empty` keeps a row with null for an empty or null list."""

    source: Relation
    column: str
    keep_empty: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        return self.source.columns


@dataclass(frozen=True, slots=True)
class Union:
    """All rows of the inputs, the first input's first; a column that an input lacks is null there."""

    sources: tuple[Relation, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return _with((), (name for source in self.sources for name in source.columns))


@dataclass(frozen=True, slots=True)
class Join:
    """Left rows with the matching right rows (`on` may use both sides' columns; the right's are renamed beforehand so that
    no name is on both sides). "left" keeps unmatched left rows. `_stream` matches unless the right side is `shared`
    by all streams (a lookup table)."""

    left: Relation
    right: Relation
    on: Expr
    kind: Literal["inner", "left"] = "inner"
    shared: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return self.left.columns + self.right.columns


Relation = Scan | Filter | Extend | Select | GroupBy | Window | Sort | Limit | Unnest | Union | Join


def _with(columns: tuple[str, ...], names: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*columns, *names)))


def inputs(relation: Relation) -> tuple[Relation, ...]:
    """The relations that an operator reads, in order; none for a Scan."""
    match relation:
        case Scan():
            return ()
        case Union(sources):
            return sources
        case Join(left, right):
            return left, right
        case _:
            return (relation.source,)


def with_inputs(relation: Relation, sources: Sequence[Relation]) -> Relation:
    """The same operator over other relations, as many as it has `inputs`."""
    match relation:
        case Scan():
            return relation
        case Union():
            return Union(tuple(sources))
        case Join():
            left, right = sources
            return replace(relation, left=left, right=right)
        case _:
            (source,) = sources
            return replace(relation, source=source)


# --- SQL ---------------------------------------------------------------------------------------------------------------------


def to_sql(relation: Relation) -> str:
    """One SELECT statement with a common table expression per operator; the result has the hidden columns, in `_ord` order."""
    writer = _Writer()
    last = writer.relation(relation)
    ctes = ",\n".join(f"{name} AS MATERIALIZED ({sql})" if writer.uses[name] > 1 else f"{name} AS ({sql})" for name, sql in writer.ctes)
    columns = ", ".join(identifier(name) for name in (*_HIDDEN, *relation.columns))
    return f"WITH {ctes}\nSELECT {columns} FROM {last} ORDER BY {STREAM}, {ORDER}"


def streams_table(table: str) -> str:
    """Name of the table that lists the streams of an event table, also those without events (column `_stream`)."""
    return f"{table}#streams"


def identifier(name: str) -> str:
    """A quoted SQL identifier. DuckDB folds identifiers' case even when quoted, so upper case letters are marked."""
    marked = "".join(f"^{character}" if character.isupper() or character == "^" else character for character in name)
    return '"' + marked.replace('"', '""') + '"'


def literal(value: str | int | float | bool | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        quoted = "'" + value.replace("'", "''").replace("\0", "'||chr(0)||'") + "'"
        return f"({quoted})" if "\0" in value else quoted
    if isinstance(value, float):
        return f"CAST('{value!r}' AS DOUBLE)"
    if -(2**63) < value < 2**63:
        return str(value) if value >= 0 else f"({value})"
    return f"CAST('{value}' AS {'BIGINT' if value == -(2**63) else 'HUGEINT'})"


def expression(expr: Expr) -> str:
    """The SQL text of an expression."""
    match expr:
        case Col(name):
            return identifier(name)
        case Lit(constant, sql_type):
            return f"CAST({literal(constant)} AS {sql_type})" if sql_type else literal(constant)
        case Call(function, args):
            rendered = [expression(arg) for arg in args]
            template = SQL_FUNCTIONS[function]
            return template.format(*rendered) if isinstance(template, str) else template(rendered)
        case Case(branches, default):
            if not branches:
                return expression(default)
            whens = " ".join(f"WHEN {expression(condition)} THEN {expression(result)}" for condition, result in branches)
            return f"(CASE {whens} ELSE {expression(default)} END)"
        case ListOf(items):
            return "[" + ", ".join(expression(item) for item in items) + "]"
        case Lambda(parameter, body):
            return f"(lambda {identifier(parameter)}: {expression(body)})"
        case Cast(value, sql_type, safe):
            return f"{'TRY_CAST' if safe else 'CAST'}({expression(value)} AS {sql_type})"


class _Writer:
    """Collects common table expressions; an operator that is used twice is written once."""

    def __init__(self) -> None:
        self.ctes: list[tuple[str, str]] = []
        self.uses: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._kept: list[Relation] = []

    def relation(self, relation: Relation) -> str:
        name = self._names.get(id(relation))
        if name is None:
            sql = self._sql(relation)
            name = f"r{len(self.ctes)}"
            self.ctes.append((name, sql))
            self._names[id(relation)] = name
            self._kept.append(relation)
            self.uses[name] = 0
        self.uses[name] += 1
        return name

    def _sql(self, relation: Relation) -> str:
        match relation:
            case Scan(table, columns):
                return f"SELECT {_columns(columns)} FROM {identifier(table)}"
            case Filter(source, condition):
                from an1498.replay.sharing import share  # which reads the types of this module

                shared, condition = share(condition, source.columns)
                if shared:
                    return f"SELECT {_columns(source.columns)} FROM {self.relation(Extend(source, shared))} WHERE {expression(condition)}"
                return f"SELECT * FROM {self.relation(source)} WHERE {expression(condition)}"
            case Extend(source, items):
                replaced = {name for name, _ in items}
                kept = tuple(name for name in source.columns if name not in replaced)
                return f"SELECT {_columns(kept, _items(items))} FROM {self.relation(source)}"
            case Select(source, items):
                return f"SELECT {_columns((), _items(items))} FROM {self.relation(source)}"
            case GroupBy(source, keys, items):
                if not keys:
                    return self._group_all(source, items)
                by = ", ".join([STREAM, *map(identifier, keys)])
                rendered = [f"{_aggregate(aggregate)} AS {identifier(name)}" for name, aggregate in items]
                selected = ", ".join([by, f"min({ORDER}) AS {ORDER}", *rendered])
                return f"SELECT {selected} FROM {self.relation(source)} GROUP BY {by}"
            case Window(source, items):
                replaced = {name for name, _ in items}
                kept = tuple(name for name in source.columns if name not in replaced)
                rendered = [f"{_window(window)} AS {identifier(name)}" for name, window in items]
                return f"SELECT {_columns(kept, rendered)} FROM {self.relation(source)}"
            case Sort(source, keys):
                number = f"row_number() OVER (PARTITION BY {STREAM} ORDER BY {_order(keys)}) AS {ORDER}"
                kept_columns = ", ".join([STREAM, number, *map(identifier, source.columns)])
                return f"SELECT {kept_columns} FROM {self.relation(source)}"
            case Limit(source, count, by):
                partition = ", ".join([STREAM, *map(identifier, by)])
                return (
                    f"SELECT * FROM {self.relation(source)} "
                    f"QUALIFY row_number() OVER (PARTITION BY {partition} ORDER BY {ORDER}) <= {count:d}"
                )
            case Unnest(source, column, keep_empty):
                return self._unnest(source, column, keep_empty)
            case Union(sources):
                columns = relation.columns
                branches = []
                for branch, source in enumerate(sources):
                    present = set(source.columns)
                    selected = ", ".join(identifier(c) if c in present else f"NULL AS {identifier(c)}" for c in columns)
                    tail = f", {selected}" if selected else ""
                    branches.append(f"SELECT {STREAM}, {branch} AS {_BRANCH}, {ORDER}{tail} FROM {self.relation(source)}")
                number = f"row_number() OVER (PARTITION BY {STREAM} ORDER BY {_BRANCH}, {ORDER}) AS {ORDER}"
                kept_columns = ", ".join([STREAM, number, *map(identifier, columns)])
                return f"SELECT {kept_columns} FROM ({' UNION ALL '.join(branches)})"
            case Join(left, right, on, kind, shared):
                columns_sql = [f"l.{identifier(name)}" for name in left.columns] + [f"r.{identifier(name)}" for name in right.columns]
                number = f"row_number() OVER (PARTITION BY l.{STREAM} ORDER BY l.{ORDER}, r.{ORDER}) AS {ORDER}"
                matches = expression(on) if shared else f"l.{STREAM} = r.{STREAM} AND {expression(on)}"
                return (
                    f"SELECT {', '.join([f'l.{STREAM}', number, *columns_sql])} FROM {self.relation(left)} l "
                    f"{kind.upper()} JOIN {self.relation(right)} r ON {matches}"
                )

    def _group_all(self, source: Relation, items: tuple[tuple[str, Aggregate], ...]) -> str:
        rendered = []
        for name, aggregate in items:
            present = call("is_not_null", Col(ORDER))
            where = present if aggregate.where is None else call("and", present, aggregate.where)
            rendered.append(f"{_aggregate(replace(aggregate, where=where))} AS {identifier(name)}")
        selected = ", ".join([STREAM, f"coalesce(min({ORDER}), 0) AS {ORDER}", *rendered])
        streams = identifier(streams_table(_scanned(source)))
        return f"SELECT {selected} FROM {streams} LEFT JOIN {self.relation(source)} USING ({STREAM}) GROUP BY {STREAM}"

    def _unnest(self, source: Relation, column: str, keep_empty: bool) -> str:
        name = identifier(column)
        elements = f"CASE WHEN len({name}) > 0 THEN {name} ELSE [NULL] END" if keep_empty else name
        others = [identifier(c) for c in source.columns if c != column]
        inner = ", ".join([STREAM, ORDER, *others, f"unnest({elements}) AS {name}", f"generate_subscripts({elements}, 1) AS {_ELEMENT}"])
        number = f"row_number() OVER (PARTITION BY {STREAM} ORDER BY {ORDER}, {_ELEMENT}) AS {ORDER}"
        outer = ", ".join([STREAM, number, *map(identifier, source.columns)])
        return f"SELECT {outer} FROM (SELECT {inner} FROM {self.relation(source)})"


def _scanned(relation: Relation) -> str:
    """The event table under a relation: the leftmost scan (the right side of a Join may be a lookup)."""
    return relation.table if isinstance(relation, Scan) else _scanned(inputs(relation)[0])


def _columns(names: tuple[str, ...], rendered: list[str] | None = None) -> str:
    return ", ".join([*_HIDDEN, *map(identifier, names), *(rendered or [])])


def _items(items: tuple[tuple[str, Expr], ...]) -> list[str]:
    return [f"{expression(expr)} AS {identifier(name)}" for name, expr in items]


def _order(keys: tuple[SortKey, ...]) -> str:
    rendered = [
        f"{identifier(key.column)} {'DESC' if key.descending else 'ASC'} NULLS {'LAST' if key.nulls_last else 'FIRST'}" for key in keys
    ]
    return ", ".join([*rendered, ORDER])


def _aggregate(aggregate: Aggregate) -> str:
    template = SQL_FUNCTIONS[aggregate.function]
    args = [expression(arg) for arg in aggregate.args]
    if aggregate.distinct:
        args[0] = f"DISTINCT {args[0]}"
    if aggregate.ordered:
        args[-1] = f"{args[-1]} ORDER BY {ORDER}"
    sql = template.format(*args) if isinstance(template, str) else template(args)
    return sql if aggregate.where is None else f"{sql} FILTER (WHERE {expression(aggregate.where)})"


def _window(window: WindowCall) -> str:
    template = SQL_FUNCTIONS[window.function]
    args = [expression(arg) for arg in window.args]
    if window.distinct:
        args[0] = f"DISTINCT {args[0]}"
    if window.ignore_nulls:
        args[-1] = f"{args[-1]} IGNORE NULLS"
    sql = template.format(*args) if isinstance(template, str) else template(args)
    if window.where is not None:
        sql = f"{sql} FILTER (WHERE {expression(window.where)})"
    partition = ", ".join([STREAM, *map(identifier, window.partition)])
    if window.frame == "range":
        key = window.order[0]
        order = f"{identifier(key.column)} {'DESC' if key.descending else 'ASC'}"
    else:
        order = _order(window.order)
    frame = f"{window.frame.upper()} BETWEEN {_bound(window.start, 'PRECEDING')} AND {_bound(window.end, 'FOLLOWING')}"
    return f"{sql} OVER (PARTITION BY {partition} ORDER BY {order} {frame})"


def _bound(rows: int | float | None, unbounded: str) -> str:
    if rows is None:
        return f"UNBOUNDED {unbounded}"
    if rows == 0:
        return "CURRENT ROW"
    return f"{literal(abs(rows))} {'PRECEDING' if rows > 0 else 'FOLLOWING'}"
