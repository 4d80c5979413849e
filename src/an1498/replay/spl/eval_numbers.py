"""Mathematical functions (Search Reference, "Mathematical functions", "Statistical eval functions")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Cast, Expr, ListOf, Lit, call
from an1498.replay.spl.eval_common import MANY, Lowering, Nodes, Rows, constant, whole
from an1498.replay.spl.values import (
    NUMBER_TYPE,
    TEXT_TYPE,
    Kind,
    Value,
    as_number,
    let,
    looks_numeric,
    number,
    parse_number,
    refuse,
)

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions


def _number_function(function: str, domain: Callable[[Expr], Expr] | None = None) -> Lowering:
    """`domain` says where the function is defined; elsewhere the result is null."""

    def lowering(scope: Expressions, nodes: Nodes, at: int) -> Value:
        def applied(argument: Expr) -> Expr:
            if domain is None:
                return call(function, argument)
            return Case(((domain(argument), call(function, argument)),), Lit(None, NUMBER_TYPE))

        return Value(Kind.NUMBER, let(as_number(scope.stored(nodes[0]), at), applied))

    return lowering


def _round(scope: Expressions, nodes: Nodes, at: int) -> Value:
    value = as_number(scope.stored(nodes[0]), at)
    digits = whole(scope, nodes[1], "a number of decimals") if len(nodes) > 1 else 0
    if digits < 0:
        raise scope.source.unsupported(at, "round() to a negative number of decimals")
    if digits > 12:
        raise scope.source.unsupported(at, "round() to more than 12 decimals")

    def rounded(item: Expr) -> Expr:
        # 1.005 is 1.00 in binary and 1.01 in decimal arithmetic; the documentation shows 2.56 for round(2.555, 2), where both agree.
        binary, decimal = call("round", item, Lit(digits)), call("round_decimal", item, Lit(digits))
        return Case(((call("ne", binary, decimal), refuse(at, "round() of a number between two", NUMBER_TYPE)),), binary)

    return Value(Kind.ROUNDED if digits else Kind.NUMBER, let(value, rounded))


def _log(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """`log(x)` has base 10."""
    value = as_number(scope.stored(nodes[0]), at)
    positive = let(value, lambda n: Case(((call("gt", n, Lit(0)), call("log10", n)),), Lit(None, NUMBER_TYPE)))
    if len(nodes) == 1:
        return Value(Kind.NUMBER, positive)
    base = whole(scope, nodes[1], "a base")
    if base < 2:
        raise scope.source.unsupported(at, "log() with a base below 2")
    return Value(Kind.NUMBER, call("div", positive, call("log10", Lit(float(base)))))


def _pow(scope: Expressions, nodes: Nodes, at: int) -> Value:
    return Value(Kind.NUMBER, call("power", *(as_number(scope.stored(node), at) for node in nodes)))


def _extreme(function: str) -> Lowering:
    """max() and min(): "string values are greater than number values", strings compare lexicographically. What a null among them does is
    not documented: refused."""

    def lowering(scope: Expressions, nodes: Nodes, at: int) -> Value:
        values = [scope.stored(node) for node in nodes]
        if any(value.kind is Kind.LIST for value in values):
            raise scope.source.unsupported(at, "min() or max() of a multivalue")
        if any(isinstance(value.literal, str) and not looks_numeric(value.literal) for value in values):
            return _mixed(function, values, at)
        numbers = [as_number(value, at) for value in values]
        missing = call("or", *(call("is_null", item) for item in numbers))
        refused = refuse(at, "min() or max() of a null or of text that is no number", NUMBER_TYPE)
        return Value(Kind.NUMBER, Case(((missing, refused),), call(function, *numbers)))

    return lowering


def _mixed(function: str, values: list[Value], at: int) -> Value:
    """At least one value is a string for certain."""
    if any(value.is_null or not (value.kind.numeric or value.kind is Kind.TEXT) for value in values):
        return Value(Kind.NUMBER, refuse(at, "min() or max() of a null", NUMBER_TYPE))
    missing = call("or", *(call("is_null", value.expr) for value in values))
    refused = refuse(at, "min() or max() of a null", TEXT_TYPE)
    numbers = ListOf(tuple(as_number(value, at) for value in values))
    if function == "least" and any(value.kind.numeric for value in values):
        return Value(Kind.NUMBER, Case(((missing, Cast(refused, NUMBER_TYPE)),), call("list_min", numbers)))
    words = [value.expr for value in values if value.kind is Kind.TEXT]
    worded = [Case(((call("is_null", parse_number(word)), word),), Lit(None, TEXT_TYPE)) for word in words]
    if function == "greatest":
        return Value(Kind.TEXT, Case(((missing, refused),), call("list_max", ListOf(tuple(worded)))))
    anything = call("is_not_null", call("list_min", numbers))
    mixed = refuse(at, "min() of strings and of text that looks like a number", TEXT_TYPE)
    return Value(Kind.TEXT, Case(((missing, refused), (anything, mixed)), call("list_min", ListOf(tuple(worded)))))


def _two(function: str) -> Lowering:
    def lowering(scope: Expressions, nodes: Nodes, at: int) -> Value:
        return Value(Kind.NUMBER, call(function, *(as_number(scope.stored(node), at) for node in nodes)))

    return lowering


def _hypot(scope: Expressions, nodes: Nodes, at: int) -> Value:
    squares = [call("power", as_number(scope.stored(node), at), Lit(2.0)) for node in nodes]
    return Value(Kind.NUMBER, call("sqrt", call("add", *squares)))


_POSITIVE: Callable[[Expr], Expr] = lambda n: call("gt", n, Lit(0))  # noqa: E731
_NOT_NEGATIVE: Callable[[Expr], Expr] = lambda n: call("ge", n, Lit(0))  # noqa: E731
_UNIT: Callable[[Expr], Expr] = lambda n: call("le", call("abs", n), Lit(1))  # noqa: E731
_OPEN_UNIT: Callable[[Expr], Expr] = lambda n: call("lt", call("abs", n), Lit(1))  # noqa: E731
_FROM_ONE: Callable[[Expr], Expr] = lambda n: call("ge", n, Lit(1))  # noqa: E731

NUMBERS: Rows = {
    "abs": (_number_function("abs"), 1, 1),
    "floor": (_number_function("floor"), 1, 1),
    "ceiling": (_number_function("ceil"), 1, 1),
    "ceil": (_number_function("ceil"), 1, 1),
    "sqrt": (_number_function("sqrt", _NOT_NEGATIVE), 1, 1),
    "exp": (_number_function("exp"), 1, 1),
    "ln": (_number_function("ln", _POSITIVE), 1, 1),
    "log": (_log, 1, 2),
    "pow": (_pow, 2, 2),
    **{name: (_number_function(name), 1, 1) for name in ("sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "asinh")},
    "asin": (_number_function("asin", _UNIT), 1, 1),
    "acos": (_number_function("acos", _UNIT), 1, 1),
    "atanh": (_number_function("atanh", _OPEN_UNIT), 1, 1),
    "acosh": (_number_function("acosh", _FROM_ONE), 1, 1),
    "atan2": (_two("atan2"), 2, 2),
    "hypot": (_hypot, 2, 2),
    "pi": (constant(number(3.141592653589793)), 0, 0),
    "round": (_round, 1, 2),
    "max": (_extreme("greatest"), 1, MANY),
    "min": (_extreme("least"), 1, MANY),
}
