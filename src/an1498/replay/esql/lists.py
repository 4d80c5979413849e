"""MV_… functions (Elasticsearch reference, "ES|QL multivalue functions").

The order of values in a multivalued field is not defined there; here it is the column's."""

from __future__ import annotations

from collections.abc import Sequence

from an1498.replay.algebra import Case, Cast, Expr, Lambda, ListOf, Lit, call
from an1498.replay.algebra import Col as SqlCol
from an1498.replay.esql import tree
from an1498.replay.esql.context import Context, Function
from an1498.replay.esql.values import (
    NULL,
    SQL_TYPE,
    WHOLE,
    Type,
    Value,
    as_list,
    checked,
    null_unless,
    widened,
)


def _count(_context: Context, _node: tree.Function, args: Sequence[Value]) -> Value:
    return Value(Cast(call("list_length", as_list(args[0])), "INTEGER"), Type.INTEGER)


def _reduced(name: str, *, ordered: bool) -> Function:
    """One value of the list; `ordered` needs values that compare."""

    def build(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
        value = args[0]
        if not value.multi or value.type is Type.NULL:
            return value
        if ordered and value.type is Type.IP:
            raise context.source.unsupported(node.at, f"{node.name.upper()} of addresses")
        return Value(call(name, value.expr), _keyword(value.type))

    return Function(build)


def _at(position: int) -> Function:
    def build(_context: Context, _node: tree.Function, args: Sequence[Value]) -> Value:
        value = args[0]
        return Value(call("list_element", value.expr, Lit(position)), _keyword(value.type)) if value.multi else value

    return Function(build)


def _sum(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    value = context.typed(node, args[0], (Type.INTEGER, Type.LONG, Type.DOUBLE), 1)
    return Value(checked(call("list_sum", value.expr), value.type), value.type) if value.multi else value


def _average(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    value = context.typed(node, args[0], (Type.INTEGER, Type.LONG, Type.DOUBLE), 1)
    if not value.multi:
        return widened(value, Type.DOUBLE)
    total = Cast(call("list_sum", value.expr), "DOUBLE", safe=False)
    return Value(checked(call("div", total, call("list_length", value.expr)), Type.DOUBLE), Type.DOUBLE)


def _dedupe(_context: Context, _node: tree.Function, args: Sequence[Value]) -> Value:
    value = args[0]
    return Value(call("list_sort", call("list_distinct", value.expr)), value.type, multi=True) if value.multi else value


def _sort(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    value = args[0]
    direction = context.text_literal(node, args, 1).upper() if len(args) == 2 else "ASC"
    if direction not in ("ASC", "DESC"):
        raise context.source.wrong(node.at, f"Invalid order value [{direction}], expected one of [ASC, DESC]")
    if not value.multi:
        return value
    if value.type is Type.IP:
        raise context.source.unsupported(node.at, "MV_SORT of addresses")
    return Value(call("list_sort" if direction == "ASC" else "list_sort_descending", value.expr), value.type, multi=True)


def _append(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """All values of both arguments; null if either is null."""
    kind = context.same_type(node, args)
    if kind is Type.NULL or any(value.type is Type.NULL for value in args):
        return NULL if kind is Type.NULL else Value(Lit(None, SQL_TYPE[kind] + "[]"), kind, multi=True)
    left, right = (as_list(widened(value, kind)) for value in args)
    present = call("and", call("is_not_null", left), call("is_not_null", right))
    return Value(null_unless(present, call("list_concat", left, right)), kind, multi=True)


def _concat(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    value = context.typed(node, args[0], (Type.KEYWORD, Type.TEXT), 1)
    delimiter = context.text(node, args, 1)
    return Value(null_unless(call("is_not_null", delimiter), call("list_join", as_list(value), delimiter)), Type.KEYWORD)


def _contains(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """Whether the first argument holds every value of the second; null holds nothing and is held by everything."""
    kind = context.same_type(node, args)
    if kind is Type.NULL:
        return Value(Lit(True), Type.BOOLEAN)
    whole, part = (call("coalesce", as_list(widened(value, kind)), Cast(ListOf(()), SQL_TYPE[kind] + "[]")) for value in args)
    return Value(call("list_has_all", whole, part), Type.BOOLEAN)


def _slice(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """From `start` to `end`, both counted from 0 and included; negative ones count from the end."""
    value = args[0]
    start = context.whole_literal(node, args, 1)
    end = context.whole_literal(node, args, 2) if len(args) == 3 else start
    if start > end and (start < 0) == (end < 0):
        raise context.source.wrong(node.at, "Start offset is greater than end offset")
    if (start < 0) != (end < 0) and start != end:
        raise context.source.unsupported(node.at, "MV_SLICE with bounds of different sign")
    items = as_list(value)
    size = call("list_length", items)
    first: Expr = Lit(start + 1) if start >= 0 else call("greatest", call("add", size, Lit(start + 1)), Lit(1))
    last: Expr = Lit(end + 1) if end >= 0 else call("add", size, Lit(end + 1))
    return Value(call("list_or_null", call("list_slice", items, first, call("greatest", last, Lit(0)))), value.type, multi=True)


def _zip(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """Values joined pairwise; what the longer list has left over stands alone."""
    left, right = (as_list(widened(context.typed(node, value, (Type.KEYWORD, Type.TEXT)), Type.KEYWORD)) for value in args[:2])
    delimiter = context.text_literal(node, args, 2) if len(args) == 3 else ","
    place = SqlCol("place in a list")
    first, second = call("list_element", left, place), call("list_element", right, place)
    pair = Case(
        (
            (call("is_null", first), second),
            (call("is_null", second), first),
        ),
        call("concat", first, Lit(delimiter), second),
    )
    size = call("greatest", call("coalesce", call("list_length", left), Lit(0)), call("coalesce", call("list_length", right), Lit(0)))
    zipped = call("list_transform", call("list_range", size), Lambda("place in a list", pair))
    return Value(call("list_or_null", zipped), Type.KEYWORD, multi=True)


def _median(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """The middle value, for whole numbers the mean of the middle two rounded down."""
    value = context.typed(node, args[0], (Type.INTEGER, Type.LONG, Type.DOUBLE), 1)
    if not value.multi:
        return value
    if value.type in WHOLE:
        raise context.source.unsupported(node.at, "MV_MEDIAN of whole numbers", "convert them with TO_DOUBLE")
    return Value(Cast(call("list_quantile", value.expr, Lit(0.5)), "DOUBLE"), Type.DOUBLE)


def _keyword(kind: Type) -> Type:
    return Type.KEYWORD if kind is Type.TEXT else kind


FUNCTIONS = {
    "mv_append": Function(_append, 2, 2),
    "mv_avg": Function(_average),
    "mv_concat": Function(_concat, 2, 2),
    "mv_contains": Function(_contains, 2, 2),
    "mv_count": Function(_count),
    "mv_dedupe": Function(_dedupe),
    "mv_first": _at(1),
    "mv_last": _at(-1),
    "mv_max": _reduced("list_max", ordered=True),
    "mv_median": Function(_median),
    "mv_min": _reduced("list_min", ordered=True),
    "mv_slice": Function(_slice, 2, 3),
    "mv_sort": Function(_sort, 1, 2),
    "mv_sum": Function(_sum),
    "mv_zip": Function(_zip, 2, 3),
}
