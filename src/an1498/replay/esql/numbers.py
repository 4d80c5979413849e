"""Mathematical functions (Elasticsearch reference, "ES|QL mathematical functions"); what is not a finite number is null."""

from __future__ import annotations

import math
from collections.abc import Sequence

from an1498.replay.algebra import Case, Cast, Lit, call
from an1498.replay.esql import tree
from an1498.replay.esql.context import Context, Function
from an1498.replay.esql.values import WHOLE, Type, Value, checked, constant, widened


def _same(name: str, *, whole: bool) -> Function:
    """A function that keeps its argument's type; with `whole` false it leaves whole numbers as they are."""

    def build(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
        value = context.number(node, args, 0)
        if value.type in WHOLE and not whole:
            return value
        return Value(checked(call(name, value.expr), value.type), value.type)

    return Function(build)


def _double(name: str) -> Function:
    def build(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
        value = widened(context.number(node, args, 0), Type.DOUBLE)
        return Value(checked(call(name, value.expr), Type.DOUBLE), Type.DOUBLE)

    return Function(build)


def _power(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    base, exponent = (widened(context.number(node, args, position), Type.DOUBLE) for position in (0, 1))
    return Value(checked(call("power", base.expr, exponent.expr), Type.DOUBLE), Type.DOUBLE)


def _round(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """Half away from zero; whole numbers stay as they are."""
    value = context.number(node, args, 0)
    digits = context.whole_literal(node, args, 1) if len(args) == 2 else 0
    if digits < 0:
        raise context.source.unsupported(node.at, "ROUND to a negative number of digits")
    if value.type in WHOLE:
        return value
    return Value(checked(call("round", value.expr, Lit(digits)), Type.DOUBLE), Type.DOUBLE)


def _sign(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    value = context.number(node, args, 0)
    return Value(Cast(call("sign", value.expr), "DOUBLE"), Type.DOUBLE)


def _log(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    if len(args) == 2:
        raise context.source.unsupported(node.at, "LOG with a base", "divide two LOGs")
    return _double("ln_or_null").build(context, node, args)


def _inverse(name: str) -> Function:
    """ASIN, ACOS: null outside -1 … 1."""

    def build(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
        number = widened(context.number(node, args, 0), Type.DOUBLE).expr
        return Value(Case(((call("le", call("abs", number), Lit(1.0)), call(name, number)),), Lit(None, "DOUBLE")), Type.DOUBLE)

    return Function(build)


def _atan2(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    y, x = (widened(context.number(node, args, position), Type.DOUBLE).expr for position in (0, 1))
    return Value(checked(call("atan2", y, x), Type.DOUBLE), Type.DOUBLE)


def _hypot(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    squares = [call("power", widened(context.number(node, args, position), Type.DOUBLE).expr, Lit(2.0)) for position in (0, 1)]
    return Value(checked(call("sqrt", call("add", *squares)), Type.DOUBLE), Type.DOUBLE)


def _constant(number: float) -> Function:
    return Function(lambda _context, _node, _args: constant(number, Type.DOUBLE), 0, 0)


FUNCTIONS = {
    "abs": _same("abs", whole=True),
    "ceil": _same("ceil", whole=False),
    "floor": _same("floor", whole=False),
    "e": _constant(math.e),
    "pi": _constant(math.pi),
    "exp": _double("exp"),
    "log": Function(_log, 1, 2),
    "log10": _double("log10_or_null"),
    "sqrt": _double("sqrt_or_null"),
    "pow": Function(_power, 2, 2),
    "round": Function(_round, 1, 2),
    "signum": Function(_sign),
    "tau": _constant(math.tau),
    **{name: _double(name) for name in ("sin", "cos", "tan", "atan", "sinh", "cosh", "tanh")},
    "asin": _inverse("asin"),
    "acos": _inverse("acos"),
    "atan2": Function(_atan2, 2, 2),
    "hypot": Function(_hypot, 2, 2),
}
