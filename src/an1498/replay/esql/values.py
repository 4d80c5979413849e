"""Typed values: what an ES|QL expression becomes while it is lowered to the algebra.

Elasticsearch reference, "ES|QL multivalued fields": a column holds nothing (null), one value or several; most functions and
operators give null for a multivalued argument. A column that may hold several is a list in DuckDB (`multi`): null for none,
never an empty list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from an1498.model import FieldType
from an1498.replay.algebra import Case, Expr, Lambda, Lit, call
from an1498.replay.algebra import Cast as SqlCast
from an1498.replay.algebra import Col as SqlCol
from an1498.replay.lucene.dates import date_bounds


class Type(StrEnum):
    """ES|QL's data types as far as replay knows them."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    LONG = "long"
    DOUBLE = "double"
    KEYWORD = "keyword"
    TEXT = "text"
    IP = "ip"
    DATETIME = "datetime"
    DATE_PERIOD = "date_period"
    TIME_DURATION = "time_duration"
    NULL = "null"


STRINGS = frozenset({Type.KEYWORD, Type.TEXT})
NUMBERS = frozenset({Type.INTEGER, Type.LONG, Type.DOUBLE})
WHOLE = frozenset({Type.INTEGER, Type.LONG})
SPANS = frozenset({Type.DATE_PERIOD, Type.TIME_DURATION})

_ELEMENT = "element of a list"  # a lambda's parameter: it would hide a field of that name

SQL_TYPE = {
    Type.BOOLEAN: "BOOLEAN",
    Type.INTEGER: "INTEGER",
    Type.LONG: "BIGINT",
    Type.DOUBLE: "DOUBLE",
    Type.KEYWORD: "VARCHAR",
    Type.TEXT: "VARCHAR",
    Type.IP: "VARCHAR",
    Type.DATETIME: "BIGINT",
    Type.DATE_PERIOD: "BIGINT",
    Type.TIME_DURATION: "BIGINT",
    Type.NULL: "VARCHAR",
}

OF_FIELD = {
    FieldType.KEYWORD: Type.KEYWORD,
    FieldType.TEXT: Type.TEXT,
    FieldType.LONG: Type.LONG,
    FieldType.DOUBLE: Type.DOUBLE,
    FieldType.BOOLEAN: Type.BOOLEAN,
    FieldType.IP: Type.IP,
    FieldType.DATE: Type.DATETIME,
}


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A date_period (months and days) or a time_duration (milliseconds)."""

    months: int = 0
    days: int = 0
    milliseconds: int = 0


Constant = None | bool | int | float | str | TimeSpan


@dataclass(frozen=True, slots=True)
class Value:
    """A lowered expression. `constant` is the value of a literal, where `is_constant`."""

    expr: Expr
    type: Type
    multi: bool = False
    constant: Constant = None
    is_constant: bool = False


NULL = Value(Lit(None, "VARCHAR"), Type.NULL, is_constant=True)


def null_of(kind: Type) -> Value:
    return Value(Lit(None, SQL_TYPE[kind]), kind)


def constant(value: Constant, kind: Type) -> Value:
    literal = value.milliseconds if isinstance(value, TimeSpan) else value
    return Value(Lit(literal, SQL_TYPE[kind]), kind, constant=value, is_constant=True)


def single(value: Value) -> Expr:
    """The only value; null where there is none or, with a warning in Elasticsearch, several."""
    return call("list_single", value.expr) if value.multi else value.expr


def as_list(value: Value) -> Expr:
    return value.expr if value.multi else call("list_of_one", value.expr)


def each(value: Value, kind: Type, function: Callable[[Expr], Expr]) -> Value:
    """Apply a conversion to every value; values that cannot be converted are dropped (a warning in Elasticsearch)."""
    if not value.multi:
        return Value(function(value.expr), kind)
    converted = call("list_transform", value.expr, Lambda(_ELEMENT, function(SqlCol(_ELEMENT))))
    kept = call("list_filter", converted, Lambda(_ELEMENT, call("is_not_null", SqlCol(_ELEMENT))))
    return Value(call("list_or_null", kept), kind, multi=True)


def widened(value: Value, kind: Type) -> Value:
    """The value as another type of the same family (integer to long or double, text to keyword) or a null of any type."""
    if value.type is kind:
        return value
    if value.type is Type.NULL:
        return null_of(kind)
    suffix = "[]" if value.multi else ""
    if value.type in STRINGS:
        return Value(value.expr, kind, value.multi, value.constant, value.is_constant)
    constant_value = float(value.constant) if kind is Type.DOUBLE and isinstance(value.constant, int) else value.constant
    return Value(SqlCast(value.expr, SQL_TYPE[kind] + suffix, safe=False), kind, value.multi, constant_value, value.is_constant)


def common_number(left: Type, right: Type) -> Type:
    """Elasticsearch's numeric promotion: double over long over integer."""
    if Type.DOUBLE in (left, right):
        return Type.DOUBLE
    return Type.LONG if Type.LONG in (left, right) else Type.INTEGER


def checked(expr: Expr, kind: Type) -> Expr:
    """A computed number that does not fit its type is null (a warning in Elasticsearch)."""
    return call("finite_or_null", expr) if kind is Type.DOUBLE else SqlCast(expr, SQL_TYPE[kind])


def null_unless(condition: Expr, value: Expr) -> Expr:
    return Case(((condition, value),))


def parse_date(text: str) -> int | None:
    """Milliseconds of a `strict_date_optional_time` text; None where it is not one."""
    bounds = date_bounds(text)
    return None if bounds is None else bounds[0]


_UNITS: dict[str, TimeSpan] = {
    "millisecond": TimeSpan(milliseconds=1),
    "second": TimeSpan(milliseconds=1000),
    "minute": TimeSpan(milliseconds=60_000),
    "hour": TimeSpan(milliseconds=3_600_000),
    "day": TimeSpan(days=1),
    "week": TimeSpan(days=7),
    "month": TimeSpan(months=1),
    "quarter": TimeSpan(months=3),
    "year": TimeSpan(months=12),
}
_ABBREVIATIONS = {
    "ms": "millisecond", "s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week",
    "mo": "month", "q": "quarter", "y": "year", "yr": "year",
}  # fmt: skip


def time_span(amount: int, unit: str) -> tuple[TimeSpan, Type] | None:
    """A span literal (Elasticsearch reference, "ES|QL time spans"); None for an unknown unit."""
    name = _ABBREVIATIONS.get(unit, unit.removesuffix("s"))
    one = _UNITS.get(name)
    if one is None:
        return None
    span = TimeSpan(one.months * amount, one.days * amount, one.milliseconds * amount)
    return span, Type.TIME_DURATION if one.milliseconds else Type.DATE_PERIOD
