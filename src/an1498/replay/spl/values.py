"""Typed values inside lowering, and conversions between them.

Splunk stores text; what a value is, is decided when it is used: text that looks like a number compares and adds as a number
(Search Reference, "eval", "Usage"; Search Manual, "Types of expressions"). So every value here has a kind, and each use says
which kind it needs. Where Splunk's documentation does not decide between two readings, both are computed and the search fails
(`refuse`) for the events for which they differ: replay never guesses.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from an1498.replay.algebra import Call, Case, Cast, Col, Expr, Lambda, ListOf, Lit, call

TEXT_TYPE = "VARCHAR"
NUMBER_TYPE = "DOUBLE"
LIST_TYPE = "VARCHAR[]"

REFUSAL = "replay-refuses"
"""Begins the message of a refusal that only the events can cause: `replay-refuses@<offset>: <construct>`."""

_variables = itertools.count()
_NUMERIC = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Kind(Enum):
    """What a column or an expression holds.

    ROUNDED is a number whose text has a fixed number of decimals (`round(x, 2)`), TIME is `_time`, whose text has as many
    decimals as the event's source gave it, CLOCK a value that depends on the time of the run; LIST is a multivalue, which is
    never empty (null instead)."""

    TEXT = "text"
    NUMBER = "number"
    ROUNDED = "rounded number"
    TIME = "time"
    LIST = "multivalue"
    BOOLEAN = "Boolean"
    CLOCK = "time of the search"

    @property
    def sql_type(self) -> str:
        return {Kind.TEXT: TEXT_TYPE, Kind.LIST: LIST_TYPE, Kind.BOOLEAN: "BOOLEAN"}.get(self, NUMBER_TYPE)

    @property
    def numeric(self) -> bool:
        return self in (Kind.NUMBER, Kind.ROUNDED, Kind.TIME)


@dataclass(frozen=True, slots=True)
class Value:
    """`literal` is the value of a quoted string or a number written in the search; None for anything computed."""

    kind: Kind
    expr: Expr
    literal: str | float | None = None

    @property
    def is_null(self) -> bool:
        return isinstance(self.expr, Lit) and self.expr.value is None


NULL = Value(Kind.TEXT, Lit(None, TEXT_TYPE))


def text(value: str) -> Value:
    return Value(Kind.TEXT, Lit(value), value)


def number(value: float) -> Value:
    return Value(Kind.NUMBER, Lit(float(value)), float(value))


def boolean(expr: Expr) -> Value:
    return Value(Kind.BOOLEAN, expr)


def looks_numeric(value: str) -> bool:
    return _NUMERIC.fullmatch(value) is not None


def refuse(at: int, construct: str, sql_type: str) -> Expr:
    """An expression that makes the whole search fail as UnsupportedConstruct if it is evaluated."""
    return Cast(call("fail", Lit(f"{REFUSAL}@{at}: {construct}")), sql_type, safe=False)


def logic(operator: str, operands: list[Expr]) -> Expr:
    """`and` or `or` of conditions. A condition that may refuse is looked at only if the others do not decide: DuckDB itself
    gives no order of evaluation."""
    sure = [operand for operand in operands if not _may_refuse(operand)]
    result: Expr | None = call(operator, *sure) if sure else None
    for operand in operands:
        if not _may_refuse(operand):
            continue
        if result is None:
            result = operand
            continue
        decided = result if operator == "or" else call("not", result)
        result = Case(((decided, Lit(operator == "or")),), call(operator, result, operand))
    return result if result is not None else Lit(operator == "and")


def _may_refuse(expr: Expr) -> bool:
    match expr:
        case Call(function, args):
            return function == "fail" or any(map(_may_refuse, args))
        case ListOf(items):
            return any(map(_may_refuse, items))
        case Case(branches, default):
            return _may_refuse(default) or any(_may_refuse(part) for branch in branches for part in branch)
        case Lambda(_, body):
            return _may_refuse(body)
        case Cast(value):
            return _may_refuse(value)
        case _:
            return False


def let(expr: Expr, body: Callable[[Expr], Expr], name: str = "v") -> Expr:
    """`body` over `expr` evaluated once. Plain columns and literals are passed as they are."""
    if isinstance(expr, Col | Lit):
        return body(expr)
    variable = f"#{name}{next(_variables)}"
    return call("list_element", call("list_transform", ListOf((expr,)), Lambda(variable, body(Col(variable)))), Lit(1))


def parse_number(expr: Expr) -> Expr:
    """Text → DOUBLE, null where it does not look like a number."""
    return Case(((call("regex_full", expr, Lit(_NUMERIC.pattern)), Cast(expr, NUMBER_TYPE)),), Lit(None, NUMBER_TYPE))


def number_text(expr: Expr, at: int) -> Expr:
    """The text of a number. Whole numbers have no decimal point; a fraction is written out while 15 digits suffice, beyond
    that Splunk's rounding is not documented and the search is refused."""

    def written(value: Expr) -> Expr:
        whole = call("and", call("eq", value, call("trunc", value)), call("lt", call("abs", value), Lit(1e15)))
        digits = Cast(value, TEXT_TYPE, safe=False)
        short = call("and", call("ge", call("abs", value), Lit(1e-4)), call("le", call("length", digits), Lit(16)))
        return Case(
            (
                (call("is_null", value), Lit(None, TEXT_TYPE)),
                (whole, Cast(Cast(value, "BIGINT"), TEXT_TYPE)),
                (call("and", short, call("lt", call("abs", value), Lit(1e15))), digits),
            ),
            refuse(at, "the text of a number with many digits", TEXT_TYPE),
        )

    return let(expr, written)


def plain_text(value: object) -> str:
    """The text of a result's value in Python, as `number_text` writes it."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def scalar(value: Value, at: int) -> Value:
    """A multivalue with one element as that element; with more, what an operator does is not documented: refused."""
    if value.kind is not Kind.LIST:
        return value

    def single(items: Expr) -> Expr:
        return Case(
            ((call("gt", call("list_length", items), Lit(1)), refuse(at, "a multivalue where one value is needed", TEXT_TYPE)),),
            call("list_element", items, Lit(1)),
        )

    return Value(Kind.TEXT, let(value.expr, single))


def as_text(value: Value, at: int) -> Expr:
    """VARCHAR of a single value."""
    value = scalar(value, at)
    if value.kind is Kind.NUMBER:
        return number_text(value.expr, at)
    if value.kind is Kind.TIME:
        refused = refuse(at, "the text of a time with a fraction of a second", TEXT_TYPE)
        fraction = call("ne", value.expr, call("trunc", value.expr))
        return Case(((fraction, refused),), number_text(value.expr, at))
    if value.kind is Kind.ROUNDED:
        return Case(((call("is_null", value.expr), Lit(None, TEXT_TYPE)),), refuse(at, "the text of a rounded number", TEXT_TYPE))
    return value.expr


def as_number(value: Value, at: int) -> Expr:
    """DOUBLE of a single value; null where the text is not a number."""
    value = scalar(value, at)
    if value.kind.numeric:
        return value.expr
    return let(value.expr, parse_number)


def as_list(value: Value, at: int) -> Expr:
    """VARCHAR[], null where the value is null."""
    if value.kind is Kind.LIST:
        return value.expr
    return let(as_text(value, at), lambda item: Case(((call("is_null", item), Lit(None, LIST_TYPE)),), ListOf((item,))))


def non_empty(items: Expr) -> Expr:
    """A list, or null where it is empty: a field without a value does not exist."""
    return let(items, lambda it: Case(((call("gt", call("list_length", it), Lit(0)), it),), Lit(None, LIST_TYPE)), "l")


def convert(value: Value, kind: Kind, at: int) -> Expr:
    """The value as a column of `kind` (TEXT, NUMBER or LIST), for branches and unions that hold different kinds."""
    if value.is_null:
        return Lit(None, kind.sql_type)
    if kind is Kind.LIST:
        return as_list(value, at)
    if kind is Kind.TEXT:
        return as_text(value, at)
    return value.expr


def common_kind(values: list[Value]) -> Kind:
    """The kind that holds all values; nulls fit any."""
    kinds = {value.kind for value in values if not value.is_null}
    if not kinds:
        return Kind.TEXT
    if len(kinds) == 1:
        return kinds.pop()
    if Kind.LIST in kinds:
        return Kind.LIST
    if all(kind.numeric for kind in kinds):
        return Kind.ROUNDED if Kind.ROUNDED in kinds else Kind.TIME
    return Kind.TEXT
