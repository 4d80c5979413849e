"""The state of a query between two commands: a relation and the columns in scope, in their order.

Columns get internal names (`v1`, `v2`, …), so that renaming, shadowing and dropping are changes of the scope only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from an1498.replay.algebra import Col as SqlCol
from an1498.replay.algebra import Expr, Extend, Relation, call
from an1498.replay.esql.context import Context
from an1498.replay.esql.parse import Source
from an1498.replay.esql.values import Value
from an1498.replay.lookup import Lookup
from an1498.replay.table import EventTable


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
