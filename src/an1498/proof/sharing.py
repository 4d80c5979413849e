"""A search over one table, beside which its mutants run cheaply: what a mutant shares with its search is computed once.

A mutant differs from its search at one site, so most of its relation is the search's. Equal parts are tables here, and equal parts of
a condition are columns: planning a long condition costs more than running it. Where only what decides about single events has
changed (the part of a relation before anything is grouped or windowed), that part is run first: streams on which it gives the same
rows cannot tell the mutant from the search, and the others are few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace

import duckdb

from an1498.errors import UsageError
from an1498.proof.relations import by_event, cuts, has_logic, nodes, outline, with_cuts
from an1498.proof.sameness import same_for_every_event
from an1498.replay.algebra import (
    STREAM,
    Call,
    Case,
    Cast,
    Col,
    Expr,
    Extend,
    Filter,
    Lambda,
    ListOf,
    Lit,
    Relation,
    Scan,
    Select,
    identifier,
    inputs,
    streams_table,
    to_sql,
    with_inputs,
)
from an1498.replay.prepare import Prepared
from an1498.replay.sharing import children, may_fail
from an1498.replay.table import EventTable, ResultRow

Rows = dict[int, Counter[str]]
"""A result: per stream, how often each row occurs."""

_FEW_STREAMS = 16


@dataclass(frozen=True, slots=True)
class _Computed:
    """A relation of the search with parts of the conditions above it as columns; `names` says which."""

    scan: Scan
    names: dict[Expr, str]


class Unchanged(Exception):
    """A mutant's relation gives the search's rows over this table."""


class Shared:
    """A search over one table, and what its mutants can take from it."""

    def __init__(self, prepared: Prepared, table: EventTable) -> None:
        self._table = table
        self._numbers: dict[object, int] = {}
        self._seen: dict[int, tuple[Relation, int]] = {}  # by identity, which the reference keeps
        self._own: dict[int, Relation] = {}
        self._stored: dict[int, str | None] = {}
        self._above: dict[int, dict[Expr, None]] = {}
        self._computed: dict[int, _Computed | None] = {}
        self._sums: dict[str, dict[int, tuple[int, int]]] = {}
        self._streams: frozenset[int] | None = None
        self._left: list[int] = []
        self._relation: Relation | None = None
        self.rows = _by_stream(prepared.execute(replace(table, rewrite=self._learn)))

    def differs(self, mutant: Prepared) -> bool:
        """Whether a mutant gives other rows. Raises what executing it raises."""
        self._left = []
        if self._differs(mutant, few=True):
            return True
        return bool(self._left) and self._differs(mutant, few=False)

    def _differs(self, mutant: Prepared, *, few: bool) -> bool:
        self._streams = None
        try:
            rows = _by_stream(mutant.execute(replace(self._table, rewrite=lambda relation: self._rewritten(relation, few))))
        except Unchanged:
            return False
        if self._streams is None:
            return rows != self.rows
        return any(rows.get(stream) != self.rows.get(stream) for stream in self._streams)

    def same_for_every_event(self, mutant: Prepared) -> bool:
        """Whether the mutant is proved to decide about every event as the search does, and does the rest as the search does it."""
        found: list[Relation] = []

        def captured(relation: Relation) -> Relation:
            found.append(relation)
            raise Unchanged

        with suppress(Unchanged):
            mutant.execute(replace(self._table, rewrite=captured))
        return self._relation is not None and len(found) == 1 and same_for_every_event(self._relation, found[0], self._table)

    # --- what the search itself computes ---------------------------------------------------------------------------------------

    def _learn(self, relation: Relation) -> Relation:
        self._relation = relation
        for node in nodes(relation):
            self._own[self._number(node)] = node
            parts = [part for expr in _expressions(node) for part in _parts(expr)]
            for below in _unfiltered(node):
                self._above.setdefault(self._number(below), {}).update(dict.fromkeys(parts))
        return relation

    def _number(self, relation: Relation) -> int:
        """The same number for equal relations."""
        known = self._seen.get(id(relation))
        if known is not None:
            return known[1]
        sources = inputs(relation)
        own = tuple(getattr(relation, part.name) for part in fields(relation) if part.name not in ("source", "sources", "left", "right"))
        key = (type(relation), own, tuple(map(self._number, sources)))
        number = self._numbers.setdefault(key, len(self._numbers))
        self._seen[id(relation)] = relation, number
        return number

    def _table_of(self, number: int) -> str | None:
        """The table that holds a relation of the search; None where it cannot be computed on its own."""
        if number not in self._stored:
            node = self._own[number]
            sources = [self._scan_or(source) for source in inputs(node)]
            name = f"{self._table.name}#{number}"
            self._stored[number] = name if self._create(name, with_inputs(node, sources)) else None
        return self._stored[number]

    def _scan_or(self, relation: Relation) -> Relation:
        """A scan of the table that holds a relation of the search; what is no more than a scan stays."""
        if isinstance(relation, Scan):
            return relation
        name = self._table_of(self._number(relation))
        return relation if name is None else Scan(name, relation.columns)

    def _create(self, name: str, relation: Relation) -> bool:
        connection, streams = self._table.connection, identifier(streams_table(self._table.name))
        try:
            connection.execute(f"CREATE OR REPLACE TABLE {identifier(name)} AS {to_sql(relation)}")
        except duckdb.Error:
            return False
        connection.execute(f"CREATE OR REPLACE VIEW {identifier(streams_table(name))} AS SELECT * FROM {streams}")
        return True

    # --- what a mutant can take from it ----------------------------------------------------------------------------------------

    def _rewritten(self, relation: Relation, few: bool) -> Relation:
        assert self._relation is not None
        self._seen = {id(node): (node, number) for number, node in self._own.items()}
        rebuilt = self._replaced(relation)
        changing, own = list(cuts(rebuilt)), list(cuts(self._relation))
        if by_event(rebuilt) or len(changing) != len(own) or outline(rebuilt) != outline(self._relation):
            return rebuilt
        held = [self._scan_or(one) for one in own]
        changed = [place for place, cut in enumerate(changing) if cut != held[place]]
        if not changed or not all(isinstance(one, Scan) for one in held):
            return rebuilt
        streams: set[int] = set()
        for place in changed:
            streams.update(self._different(f"changed {place}", changing[place], held[place]))
        if not streams:
            raise Unchanged
        ordered = sorted(streams)
        chosen = ordered[:_FEW_STREAMS] if few else ordered
        self._left = ordered[len(chosen) :]
        self._streams = frozenset(chosen)
        scans = [Scan(f"changed {place}", cut.columns) if place in changed else held[place] for place, cut in enumerate(changing)]
        return with_cuts(rebuilt, iter([self._only(f"chosen {place}", scan, chosen) for place, scan in enumerate(scans)]))

    def _replaced(self, relation: Relation) -> Relation:
        number = self._number(relation)
        if number in self._own:
            return self._scan_or(relation)
        for below in _unfiltered(relation):
            if self._number(below) in self._own and (computed := self._with_parts(self._number(below))) is not None:
                short = _shortened(relation, below, computed)
                return Select(short, tuple((name, Col(name)) for name in relation.columns))
        return with_inputs(relation, [self._replaced(source) for source in inputs(relation)])

    def _with_parts(self, number: int) -> _Computed | None:
        """The table of a relation of the search, with the parts of the conditions above it; None where they cannot be computed."""
        if number not in self._computed:
            node = self._own[number]
            names = {expr: f"#part{place}" for place, expr in enumerate(self._above[number])}
            extended = Extend(self._scan_or(node), tuple((name, expr) for expr, name in names.items()))
            name = f"{self._table.name}#parts {number}"
            made = bool(names) and self._create(name, extended)
            self._computed[number] = _Computed(Scan(name, extended.columns), names) if made else None
        return self._computed[number]

    def _different(self, name: str, changed: Relation, own: Relation) -> list[int]:
        """The streams on which the mutant's part gives other rows than the search's."""
        if not self._create(name, changed):
            raise UsageError("the mutant cannot be executed over these events")
        assert isinstance(own, Scan)
        if own.table not in self._sums:
            self._sums[own.table] = self._sum(own.table)
        before, after = self._sums[own.table], self._sum(name)
        return [stream for stream in before.keys() | after.keys() if before.get(stream) != after.get(stream)]

    def _sum(self, table: str) -> dict[int, tuple[int, int]]:
        """Per stream the number of rows and the sum of their hashes: equal for equal rows."""
        sql = f"SELECT {STREAM}, count(*), sum(hash(line)) FROM {identifier(table)} AS line GROUP BY {STREAM}"
        return {stream: (count, total) for stream, count, total in self._table.connection.execute(sql).fetchall()}

    def _only(self, name: str, relation: Relation, streams: Sequence[int]) -> Relation:
        """A scan of the rows of some streams."""
        assert isinstance(relation, Scan)
        wanted = ", ".join(map(str, streams))
        self._table.connection.execute(
            f"CREATE OR REPLACE TABLE {identifier(name)} AS SELECT * FROM {identifier(relation.table)} WHERE {STREAM} IN ({wanted})"
        )
        own = identifier(streams_table(self._table.name))
        self._table.connection.execute(f"CREATE OR REPLACE VIEW {identifier(streams_table(name))} AS SELECT * FROM {own}")
        return Scan(name, relation.columns)


def _expressions(relation: Relation) -> list[Expr]:
    match relation:
        case Filter(_, condition):
            return [condition]
        case Extend(_, items) | Select(_, items):
            return [expr for _, expr in items]
        case _:
            return []


def _unfiltered(relation: Relation) -> Iterator[Relation]:
    """What a relation that computes or filters reads, and what that filters: all of these have the same columns."""
    while isinstance(relation, Filter | Extend | Select):
        relation = relation.source
        yield relation
        if not isinstance(relation, Filter):
            return


def _shortened(relation: Relation, below: Relation, computed: _Computed) -> Relation:
    """The relation over `below`, with the columns of its computed parts in their place."""
    if relation is below:
        return computed.scan
    assert isinstance(relation, Filter | Extend | Select)
    source = _shortened(relation.source, below, computed)
    if isinstance(relation, Filter):
        return Filter(source, _short(relation.condition, computed.names))
    items = tuple((name, _short(expr, computed.names)) for name, expr in relation.items)
    return Extend(source, items) if isinstance(relation, Extend) else Select(source, items)


def _short(expr: Expr, names: Mapping[Expr, str]) -> Expr:
    if expr in names:
        return Col(names[expr])
    match expr:
        case Call(function, args):
            return Call(function, tuple(_short(arg, names) for arg in args))
        case Case(branches, default):
            return Case(tuple((_short(when, names), _short(then, names)) for when, then in branches), _short(default, names))
        case ListOf(items):
            return ListOf(tuple(_short(item, names) for item in items))
        case Cast(value, sql_type, safe):
            return Cast(_short(value, names), sql_type, safe)
        case Col() | Lit() | Lambda():
            return expr


def _parts(expr: Expr) -> Iterator[Expr]:
    """The parts of an expression that a mutant of another part has too, comparisons the smallest; none that may fail."""
    if isinstance(expr, Col | Lit | Lambda):
        return
    if not may_fail(expr):
        yield expr
    if has_logic(expr):
        for child in children(expr):
            yield from _parts(child)


def _by_stream(rows: Sequence[ResultRow]) -> Rows:
    found: Rows = {}
    for row in rows:
        found.setdefault(row.stream, Counter())[str(row.values)] += 1
    return found
