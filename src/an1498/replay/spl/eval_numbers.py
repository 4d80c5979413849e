"""Mathematical functions (Search Reference, "Mathematical functions", "Statistical eval functions")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Expr, Lit, call
from an1498.replay.spl.eval_common import MANY, Lowering, Nodes, Rows, constant, whole
from an1498.replay.spl.values import (
    NUMBER_TYPE,
    Kind,
    Value,
    as_number,
    let,
    number,
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
    return Value(Kind.ROUNDED if digits else Kind.NUMBER, call("round", value, Lit(digits)))


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
    """max() and min() of numbers. Text is greater than numbers there, and nulls are not documented: both are refused."""

    def lowering(scope: Expressions, nodes: Nodes, at: int) -> Value:
        values = [scope.stored(node) for node in nodes]
        if any(value.kind is Kind.LIST for value in values):
            raise scope.source.unsupported(at, "min() or max() of a multivalue")
        numbers = [as_number(value, at) for value in values]
        missing = call("or", *(call("is_null", item) for item in numbers))
        refused = refuse(at, "min() or max() of a null or of text that is no number", NUMBER_TYPE)
        return Value(Kind.NUMBER, Case(((missing, refused),), call(function, *numbers)))

    return lowering


_POSITIVE: Callable[[Expr], Expr] = lambda n: call("gt", n, Lit(0))  # noqa: E731
_NOT_NEGATIVE: Callable[[Expr], Expr] = lambda n: call("ge", n, Lit(0))  # noqa: E731

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
    "pi": (constant(number(3.141592653589793)), 0, 0),
    "round": (_round, 1, 2),
    "max": (_extreme("greatest"), 1, MANY),
    "min": (_extreme("least"), 1, MANY),
}
