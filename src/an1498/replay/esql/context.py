"""What the lowering of an expression knows: the search, the columns in scope, and how arguments are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from an1498.replay.algebra import Expr
from an1498.replay.esql import tree
from an1498.replay.esql.parse import Source
from an1498.replay.esql.values import NUMBERS, STRINGS, Type, Value, constant, null_of, parse_date, single
from an1498.replay.lucene.dates import is_address
from an1498.telemetry.addresses import canonical_ip

Scope = Mapping[str, Value]


class Aggregates(Protocol):
    """Takes the aggregate calls of a STATS command; answers with the column that will hold the result."""

    def add(self, node: tree.Function) -> Value: ...


Derive = Callable[[str, Expr], Expr]


@dataclass(frozen=True, slots=True)
class Context:
    """`derive(function, column)` applies a costly function to a column once for the whole search; `aggregates` is set where
    aggregate functions are allowed (STATS)."""

    source: Source
    scope: Scope
    derive: Derive
    aggregates: Aggregates | None = None

    def words(self, node: tree.Node) -> str:
        return self.source.words(node.at)

    def column(self, node: tree.Column) -> Value:
        """A column; a multi-field `X.keyword` without a column of its own reads X."""
        found = self.scope.get(node.name)
        if found is not None:
            return found
        parent = self.scope.get(node.name.removesuffix(".keyword"))
        if parent is not None and parent.type in STRINGS:
            return Value(parent.expr, Type.KEYWORD, parent.multi)
        raise self.source.wrong(node.at, f"Unknown column [{node.name}]")

    def arity(self, node: tree.Function, least: int, most: int | None = None) -> None:
        count = len(node.arguments)
        if node.star or count < least or (most is not None and count > most):
            expected = str(least) if most == least else f"at least {least}" if most is None else f"{least} to {most}"
            raise self.source.wrong(node.at, f"{node.name.upper()} takes {expected} arguments")

    def typed(self, node: tree.Node, value: Value, allowed: Sequence[Type], position: int = 0) -> Value:
        """The value if its type is allowed. A null takes the first type; a string literal becomes a date, an address or a boolean
        (Elasticsearch reference, "ES|QL implicit casting")."""
        if value.type in allowed:
            return value
        if value.type is Type.NULL:
            return null_of(allowed[0])
        if value.is_constant and value.type is Type.KEYWORD and isinstance(value.constant, str):
            for kind in allowed:
                if kind in (Type.DATETIME, Type.IP, Type.BOOLEAN):
                    return self.converted_literal(node, value.constant, kind)
        which = f"argument {position} of " if position else ""
        names = "an integer" if tuple(allowed) == (Type.INTEGER,) else " or ".join(sorted({_family(kind) for kind in allowed}))
        raise self.source.wrong(node.at, f"{which}[{self.words(node)}] must be {names}, not {value.type}")

    def converted_literal(self, node: tree.Node, text: str, kind: Type) -> Value:
        if kind is Type.DATETIME:
            moment = parse_date(text)
            if moment is not None:
                return constant(moment, kind)
        elif kind is Type.IP and is_address(text):
            return constant(canonical_ip(text), kind)
        elif kind is Type.BOOLEAN and text.lower() in ("true", "false"):
            return constant(text.lower() == "true", kind)
        raise self.source.wrong(node.at, f"Cannot convert string [{text}] to [{kind}]")

    def text(self, node: tree.Function, args: Sequence[Value], position: int) -> Expr:
        """Argument `position` (from 0) as one string."""
        return single(self.typed(node, args[position], (Type.KEYWORD, Type.TEXT), position + 1))

    def number(self, node: tree.Function, args: Sequence[Value], position: int) -> Value:
        value = self.typed(node, args[position], (Type.INTEGER, Type.LONG, Type.DOUBLE), position + 1)
        return Value(single(value), value.type, constant=value.constant, is_constant=value.is_constant)

    def integer(self, node: tree.Function, args: Sequence[Value], position: int) -> Expr:
        """Argument `position` (from 0) as one integer; a long is refused, as in Elasticsearch."""
        return single(self.typed(node, args[position], (Type.INTEGER,), position + 1))

    def whole_literal(self, node: tree.Function, args: Sequence[Value], position: int) -> int:
        value = args[position].constant
        if not isinstance(value, int) or isinstance(value, bool) or args[position].type is not Type.INTEGER:
            raise self.source.unsupported(node.at, f"{node.name.upper()} with a computed argument {position + 1}", "write a whole number")
        return value

    def text_literal(self, node: tree.Function, args: Sequence[Value], position: int) -> str:
        value = args[position].constant
        if not isinstance(value, str):
            raise self.source.unsupported(node.at, f"{node.name.upper()} with a computed argument {position + 1}", "write a string")
        return value

    def same_type(self, node: tree.Node, values: Sequence[Value], *, promote: bool = False) -> Type:
        """The type that all values share; nulls take any, text counts as keyword; with `promote`, numbers mix."""
        found = [Type.KEYWORD if value.type is Type.TEXT else value.type for value in values if value.type is not Type.NULL]
        if not found:
            return Type.NULL
        kinds = set(found)
        if len(kinds) == 1:
            return found[0]
        if promote and kinds <= NUMBERS:
            return Type.DOUBLE if Type.DOUBLE in kinds else Type.LONG
        raise self.source.wrong(node.at, f"[{self.words(node)}] mixes the types {' and '.join(sorted(kinds))}")


Builder = Callable[[Context, tree.Function, Sequence[Value]], Value]


@dataclass(frozen=True, slots=True)
class Function:
    """A scalar function: how many arguments it takes (`most` None: any number) and how it is lowered."""

    build: Builder
    least: int = 1
    most: int | None = 1


def _family(kind: Type) -> str:
    return "a number" if kind in NUMBERS else "a string" if kind in STRINGS else f"a {kind}"
