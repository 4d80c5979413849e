"""Typed values of EQL expressions: constants folded, fields resolved against the table's schema, arrays as their elements.

Elasticsearch evaluates a comparison over a field with several values as "any value" (Elastic docs, "EQL search", multi-value
fields), so inside one comparison an array field stands for one element; `conditions.py` puts the "any" around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Any

from an1498.errors import Location, SearchSyntaxError, UnsupportedConstruct
from an1498.model import FieldType
from an1498.replay.algebra import Call, Case, Col, Expr, Lit, call
from an1498.replay.eql.ast import Arithmetic, FieldName, Place
from an1498.replay.eql.parse import LANGUAGE
from an1498.replay.table import ColumnType, Schema


class Kind(Enum):
    """What a value is; the value of each member is its DuckDB type."""

    STRING = "VARCHAR"
    LONG = "BIGINT"
    DOUBLE = "DOUBLE"
    BOOLEAN = "BOOLEAN"
    IP = "VARCHAR "
    DATE = "BIGINT "
    NULL = "INTEGER"

    @property
    def sql(self) -> str:
        return self.value.strip()


NUMBERS = frozenset({Kind.LONG, Kind.DOUBLE})
_KINDS = {
    FieldType.KEYWORD: Kind.STRING,
    FieldType.TEXT: Kind.STRING,
    FieldType.LONG: Kind.LONG,
    FieldType.DOUBLE: Kind.DOUBLE,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.IP: Kind.IP,
    FieldType.DATE: Kind.DATE,
}


@dataclass(frozen=True, slots=True)
class Value:
    """`folded` is a constant's value; `field` names the column where the value is exactly one field; `reads` lists every
    column that the expression reads, with repetitions."""

    expr: Expr
    kind: Kind
    constant: bool = False
    folded: Any = None
    field: str = ""
    reads: tuple[str, ...] = ()

    @property
    def is_null(self) -> bool:
        """A null that is known without looking at events."""
        return self.constant and self.folded is None


NULL = Value(Lit(None), Kind.NULL, constant=True)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search is lowered against. `compute` evaluates a constant expression."""

    schema: Schema
    search: str
    compute: Callable[[Expr], Any]

    def error(self, at: Place, problem: str, remedy: str = "") -> SearchSyntaxError:
        """Elasticsearch rejects the search with this problem."""
        return SearchSyntaxError(LANGUAGE, Location(self.search, at.line, at.column), problem, remedy)

    def unsupported(self, at: Place, problem: str, remedy: str = "") -> UnsupportedConstruct:
        """Replay does not model it."""
        return UnsupportedConstruct(LANGUAGE, Location(self.search, at.line, at.column), problem, remedy)

    def column(self, field: FieldName) -> str | None:
        """The column that a field reads; `x.keyword` without a column of its own reads `x`. None for an unknown optional field."""
        if field.name in self.schema:
            return field.name
        base = field.name.removesuffix(".keyword")
        if base != field.name and base in self.schema and _KINDS[self.schema[base].type] is Kind.STRING:
            return base
        if field.optional:
            return None
        similar = get_close_matches(field.name, list(self.schema), n=1, cutoff=0.7)
        hint = f"did you mean [{similar[0]}]?" if similar else "write ?field where the index may not know it"
        raise self.error(field.at, f"Unknown column [{field.name}]", hint)

    def type_of(self, column: str) -> ColumnType:
        return self.schema[column]

    def fold(self, value: Value) -> Value:
        """A value without any field, computed."""
        if value.reads or value.constant:
            return value
        return constant(self.compute(value.expr), value.kind)


def constant(folded: Any, kind: Kind) -> Value:
    if folded is None:
        return NULL
    return Value(Lit(folded), kind, constant=True, folded=folded)


def literal(folded: str | int | float | bool | None) -> Value:
    match folded:
        case None:
            return NULL
        case bool():
            return constant(folded, Kind.BOOLEAN)
        case int():
            return constant(folded, Kind.LONG)
        case float():
            return constant(folded, Kind.DOUBLE)
        case _:
            return constant(folded, Kind.STRING)


def element(column: str) -> str:
    """The name that stands for one element of an array column inside a comparison."""
    return f"one of {column}"


def field_value(scope: Scope, field: FieldName) -> Value:
    column = scope.column(field)
    if column is None:
        return NULL
    stored = scope.type_of(column)
    expr = Col(element(column)) if stored.array else Col(column)
    return Value(expr, _KINDS[stored.type], field=column, reads=(column,))


def unknown(kind: Kind, inputs: Iterable[Value]) -> Value:
    """The null result of a function with a null argument. It is a constant only where every argument is one."""
    inputs = tuple(inputs)
    if all(value.constant for value in inputs):
        return NULL
    return Value(Lit(None, kind.sql), kind, reads=reads_of(inputs))


def reads_of(inputs: Iterable[Value]) -> tuple[str, ...]:
    return tuple(read for value in inputs for read in value.reads)


def computed(scope: Scope, expr: Expr, kind: Kind, inputs: Iterable[Value]) -> Value:
    """The result of a function of the inputs, folded where all are constants."""
    return scope.fold(Value(expr, kind, reads=reads_of(inputs)))


def negative(scope: Scope, operand: Value, at: Place) -> Value:
    if operand.is_null or operand.kind is Kind.NULL:
        return unknown(Kind.LONG, [operand])
    if operand.kind not in NUMBERS:
        raise scope.error(at, f"argument of [-] must be [numeric], found a {name_of(operand)}")
    return computed(scope, call("neg", operand.expr), operand.kind, [operand])


def arithmetic(scope: Scope, node: Arithmetic, left: Value, right: Value) -> Value:
    """Whole numbers divide to whole numbers, rounding toward zero, and the remainder has the dividend's sign (Java's rules;
    Elastic docs, "EQL syntax reference", math operators). A division by zero fails the search."""
    for side in (left, right):
        if side.kind not in NUMBERS and side.kind is not Kind.NULL:
            raise scope.error(node.at, f"argument of [{node.operator}] must be [numeric], found a {name_of(side)}")
    kind = Kind.DOUBLE if Kind.DOUBLE in (left.kind, right.kind) else Kind.LONG
    if left.is_null or right.is_null:
        return unknown(kind, (left, right))
    if node.operator in "/%":
        if right.constant and right.folded == 0:
            raise scope.error(node.at, "division by zero")
        divisor = right.expr if right.constant else _checked_divisor(right.expr)
        function = "mod" if node.operator == "%" else "div" if kind is Kind.DOUBLE else "int_div"
        return computed(scope, call(function, left.expr, divisor), kind, (left, right))
    function = {"+": "add", "-": "sub", "*": "mul"}[node.operator]
    return computed(scope, call(function, left.expr, right.expr), kind, (left, right))


def _checked_divisor(divisor: Expr) -> Expr:
    return Case(((call("eq", divisor, Lit(0)), Call("fail", (Lit("division by zero"),))),), divisor)


def name_of(value: Value) -> str:
    shown = {Kind.STRING: "string", Kind.LONG: "number", Kind.DOUBLE: "number", Kind.BOOLEAN: "boolean", Kind.IP: "ip", Kind.DATE: "date"}
    kind = shown.get(value.kind, "null")
    return f"field [{value.field}] of type {kind}" if value.field else kind
