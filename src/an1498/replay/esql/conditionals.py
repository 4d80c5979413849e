"""CASE, COALESCE, GREATEST, LEAST (Elasticsearch reference, "ES|QL conditional functions and expressions")."""

from __future__ import annotations

from collections.abc import Sequence

from an1498.replay.algebra import Case, Expr, call
from an1498.replay.esql import tree
from an1498.replay.esql.context import Context, Function
from an1498.replay.esql.values import NULL, SPANS, Type, Value, as_list, single, widened


def _case(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """The value of the first true condition; null and several values are not true; without a default, null."""
    values = [*args[1::2], *([args[-1]] if len(args) % 2 else [])]
    kind = context.same_type(node, values, promote=True)
    if kind in SPANS:
        raise context.source.unsupported(node.at, "CASE of time spans")
    if kind is Type.NULL:
        return NULL
    multi = any(value.multi for value in values)
    results = [_as(value, kind, multi) for value in values]
    tests = args[: len(args) // 2 * 2 : 2]
    conditions = [single(context.typed(node, test, (Type.BOOLEAN,), 2 * number + 1)) for number, test in enumerate(tests)]
    default = results.pop() if len(args) % 2 else _as(NULL, kind, multi)
    return Value(Case(tuple(zip(conditions, results, strict=True)), default), kind, multi)


def _coalesce(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """The first argument that is not null, all its values."""
    kind = context.same_type(node, args, promote=True)
    if kind is Type.NULL:
        return NULL
    multi = any(value.multi for value in args)
    return Value(call("coalesce", *(_as(value, kind, multi) for value in args)), kind, multi)


def _extreme(name: str, list_name: str) -> Function:
    """The greatest or least of all values of all arguments; null if an argument is null."""

    def build(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
        kind = context.same_type(node, args, promote=True)
        if kind is Type.NULL:
            return NULL
        if kind is Type.IP:
            raise context.source.unsupported(node.at, f"{node.name.upper()} of addresses")
        items: list[Expr] = []
        for value in args:
            typed = widened(value, kind)
            items.append(call(list_name, typed.expr) if typed.multi else typed.expr)
        some_null = call("or", *(call("is_null", item) for item in items))
        return Value(Case(((call("not", some_null), call(name, *items)),)), kind)

    return Function(build, 1, None)


def _as(value: Value, kind: Type, multi: bool) -> Expr:
    typed = widened(value, kind)
    return as_list(typed) if multi else typed.expr


FUNCTIONS = {
    "case": Function(_case, 2, None),
    "coalesce": Function(_coalesce, 1, None),
    "greatest": _extreme("greatest", "list_max"),
    "least": _extreme("least", "list_min"),
}
