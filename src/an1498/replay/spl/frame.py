"""The state of a pipeline between two commands: a relation and what its columns hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from an1498.replay.algebra import Col, Expr, Extend, Lit, Relation, Select
from an1498.replay.lookup import Lookup
from an1498.replay.spl.source import Source
from an1498.replay.spl.values import NULL, Kind, Value
from an1498.replay.table import RESERVED, EventTable


@dataclass(frozen=True, slots=True)
class Context:
    """What lowering may look at. Without a `table`, the search is only checked and the fields that it reads are collected in
    `read`; `raw` is then an empty relation that stands for the events. `now` is the time of the run in epoch seconds; None where a
    search must not depend on it."""

    source: Source
    lookups: Mapping[str, Lookup]
    raw: Relation
    table: EventTable | None
    read: set[str]
    now: float | None = None


def wildcard(pattern: str) -> re.Pattern[str]:
    """A name with asterisks as an expression for the whole name, with a group for what each asterisk stands for."""
    return re.compile("(.*)".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def filled(pattern: str, groups: Iterable[str]) -> str:
    """The name with the groups in the place of its asterisks."""
    first, *parts = pattern.split("*")
    return first + "".join(given + part for given, part in zip(groups, parts, strict=True))


@dataclass(frozen=True, slots=True)
class Frame:
    """`columns` are the fields in output order. While `open` (only without a table), any other name is a raw field, unless it
    is in `removed`. `delimiters` are those of the multivalues that mvcombine made."""

    context: Context
    relation: Relation
    columns: Mapping[str, Kind]
    open: bool = False
    removed: frozenset[str] = frozenset()
    delimiters: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.columns:
            if name in RESERVED or name.startswith("#") or "\0" in name:
                raise self.context.source.unsupported(0, f"a field named {name!r}", "replay uses that name")

    def value(self, name: str, at: int) -> Value:
        """The field as a value; a field that does not exist is null."""
        if name in RESERVED:
            raise self.context.source.unsupported(at, f"a field named '{name}'", "replay uses that name")
        kind = self.columns.get(name)
        if kind is Kind.CLOCK:
            raise self.context.source.unsupported(at, f"'{name}', which holds the time at which the search runs")
        if kind is not None:
            return Value(kind, Col(name))
        if self.open and name not in self.removed:
            self.context.read.add(name)
            return Value(Kind.TIME if name == "_time" else Kind.TEXT, Col(name))
        return NULL

    def has(self, name: str) -> bool:
        """Whether the field can exist; in an open frame it is counted as read."""
        if name in self.columns:
            return True
        if self.open and name not in self.removed:
            self.context.read.add(name)
            return True
        return False

    def extend(self, items: Iterable[tuple[str, Kind, Expr]], at: int) -> Frame:
        """Adds or replaces fields, all computed from the frame's fields."""
        listed = list(items)
        for name, _, _ in listed:
            if name in RESERVED or name.startswith("#"):
                raise self.context.source.unsupported(at, f"a field named '{name}'", "replay uses that name")
        columns = {**self.columns, **{name: kind for name, kind, _ in listed}}
        relation = Extend(self.relation, tuple((name, expr) for name, _, expr in listed))
        delimiters = {name: text for name, text in self.delimiters.items() if name not in {new for new, _, _ in listed}}
        return replace(self, relation=relation, columns=columns, delimiters=delimiters)

    def over(self, relation: Relation) -> Frame:
        """The same fields of another relation, for instance a filtered one."""
        return replace(self, relation=relation)

    def select(self, names: Iterable[str], at: int) -> Frame:
        """Exactly these fields, in this order; a field that does not exist is a null column."""
        items: list[tuple[str, Expr]] = []
        columns: dict[str, Kind] = {}
        for name in dict.fromkeys(names):
            if self.columns.get(name) is Kind.CLOCK:
                columns[name] = Kind.CLOCK
                items.append((name, Lit(None, "DOUBLE")))
                continue
            value = self.value(name, at)
            columns[name] = value.kind
            items.append((name, value.expr))
        return replace(self, relation=Select(self.relation, tuple(items)), columns=columns, open=False)

    def without(self, names: Iterable[str]) -> Frame:
        dropped = set(names)
        kept = {name: kind for name, kind in self.columns.items() if name not in dropped}
        relation = Select(self.relation, tuple((name, Col(name)) for name in kept))
        return replace(self, relation=relation, columns=kept, removed=self.removed | dropped)
