"""Multivalue functions (Search Reference, "Multivalue eval functions")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Cast, Col, Expr, Lambda, ListOf, Lit, call
from an1498.replay.spl import eval_syntax
from an1498.replay.spl.eval_common import MANY, Nodes, Rows, regex_of, subject, whole
from an1498.replay.spl.times import span_seconds
from an1498.replay.spl.values import (
    LIST_TYPE,
    NUMBER_TYPE,
    Kind,
    Value,
    as_list,
    as_number,
    as_text,
    let,
    non_empty,
    refuse,
)

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions


def _mvcount(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Null for no value, 1 for a single value."""
    return Value(Kind.NUMBER, Cast(call("list_length", as_list(scope.stored(nodes[0]), at)), NUMBER_TYPE))


def _mvindex(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Indexes count from 0, negative ones from the end; both ends are included; out of range is null."""
    items = as_list(scope.stored(nodes[0]), at)
    if len(nodes) == 2:
        index = Cast(as_number(scope.stored(nodes[1]), at), "BIGINT")
        place = let(index, lambda i: Case(((call("ge", i, Lit(0)), call("add", i, Lit(1))),), i))
        return Value(Kind.TEXT, call("list_element", items, place))
    start = whole(scope, nodes[1], "an index")
    first = Lit(start + 1 if start >= 0 else start)
    end = whole(scope, nodes[2], "an index")
    last = Lit(end + 1 if end >= 0 else end)
    needed = max(start + 1 if start >= 0 else -start, end + 1 if end >= 0 else -end)

    def sliced(it: Expr) -> Expr:
        beyond = refuse(at, "mvindex() with a range beyond the values", LIST_TYPE)
        return Case(((call("lt", call("list_length", it), Lit(needed)), beyond),), non_empty(call("list_slice", it, first, last)))

    return Value(Kind.LIST, let(items, sliced))


def _mvappend(scope: Expressions, nodes: Nodes, at: int) -> Value:
    empty = Lit(None, LIST_TYPE)
    lists = [as_list(scope.stored(node), at) for node in nodes]
    padded = [call("coalesce", items, call("list_filter", ListOf((Lit(""),)), Lambda("#none", Lit(False)))) for items in lists]
    joined: Expr = padded[0]
    for items in padded[1:]:
        joined = call("list_concat", joined, items)
    return Value(Kind.LIST, non_empty(joined)) if lists else Value(Kind.LIST, empty)


def _mvjoin(scope: Expressions, nodes: Nodes, at: int) -> Value:
    delimiter = scope.stored(nodes[1]).literal
    if not isinstance(delimiter, str):
        raise scope.source.unsupported(at, "a delimiter that is not a quoted string")
    return Value(Kind.TEXT, call("list_join", as_list(scope.stored(nodes[0]), at), Lit(delimiter)))


def _mvsort(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Lexicographical."""
    return Value(Kind.LIST, call("list_sort", as_list(scope.stored(nodes[0]), at)))


def _mvdedup(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Each value once, in the order of its first occurrence."""

    def distinct(items: Expr) -> Expr:
        places = call("list_transform", items, Lambda("#place", call("list_position", items, Col("#place"))))
        ordered = call("list_sort", call("list_distinct", places))
        return call("list_transform", ordered, Lambda("#index", call("list_element", items, Col("#index"))))

    return Value(Kind.LIST, let(as_list(scope.stored(nodes[0]), at), distinct, "d"))


def _mvfilter(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The values for which the condition holds; it may refer to one field only."""
    names = eval_syntax.fields_of(nodes[0])
    if len(names) != 1:
        raise scope.source.syntax_error(at, "the condition of mvfilter() must refer to exactly one field")
    (name,) = names
    items = as_list(scope.value(eval_syntax.Field(name, at)), at)
    variable = f"#f{at}"
    inner = scope.binding(name, Value(Kind.TEXT, Col(variable)))
    return Value(Kind.LIST, non_empty(call("list_filter", items, Lambda(variable, inner.condition(nodes[0])))))


def _mvmap(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The expression for each value of the field."""
    if not isinstance(nodes[0], eval_syntax.Field):
        raise scope.source.unsupported(at, "mvmap() over anything but a field")
    items = as_list(scope.value(nodes[0]), at)
    variable = f"#m{at}"
    inner = scope.binding(nodes[0].name, Value(Kind.TEXT, Col(variable)))
    mapped = call("list_transform", items, Lambda(variable, as_text(inner.stored(nodes[1]), at)))
    return Value(Kind.LIST, non_empty(call("list_filter", mapped, Lambda("#kept", call("is_not_null", Col("#kept"))))))


def _mvfind(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The index of the first value that matches the regular expression."""
    regex = regex_of(scope, scope.stored(nodes[1]).literal, at)
    variable = f"#s{at}"
    found = call(
        "list_transform",
        as_list(scope.stored(nodes[0]), at),
        Lambda(variable, call("perl_search", subject(Col(variable), regex, at), Lit(regex.re2))),
    )
    place = call("list_position", found, Lit(True))
    return Value(
        Kind.NUMBER,
        let(place, lambda p: Case(((call("gt", p, Lit(0)), Cast(call("sub", p, Lit(1)), NUMBER_TYPE)),), Lit(None, NUMBER_TYPE))),
    )


def _split(scope: Expressions, nodes: Nodes, at: int) -> Value:
    delimiter = scope.stored(nodes[1]).literal
    if not isinstance(delimiter, str):
        raise scope.source.unsupported(at, "a delimiter that is not a quoted string")
    refused = refuse(at, "split() of the empty text", LIST_TYPE)
    value = as_text(scope.stored(nodes[0]), at)
    return Value(Kind.LIST, let(value, lambda item: Case(((call("eq", item, Lit("")), refused),), call("split", item, Lit(delimiter)))))


def _mvzip(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The first value of one field with the first of the other, and so on, as Python's zip; the delimiter is a comma by default."""
    delimiter = scope.stored(nodes[2]).literal if len(nodes) > 2 else ","
    if not isinstance(delimiter, str):
        raise scope.source.unsupported(at, "a delimiter that is not a quoted string")
    left, right = (as_list(scope.stored(node), at) for node in nodes[:2])

    def zipped(first: Expr) -> Expr:
        def both(second: Expr) -> Expr:
            places = call("list_range", call("least", call("list_length", first), call("list_length", second)))
            place = Col("#zip")
            pair = call("concat", call("list_element", first, place), Lit(delimiter), call("list_element", second, place))
            missing = call("or", call("is_null", first), call("is_null", second))
            return Case(((missing, Lit(None, LIST_TYPE)),), call("list_transform", places, Lambda("#zip", pair)))

        return let(right, both, "z")

    return Value(Kind.LIST, let(left, zipped, "y"))


_LONGEST_RANGE = 10_000


def _mvrange(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Numbers from the first argument up to, without, the second, in steps of the third (default 1), which may be a time span such as
    "7d"."""
    start, end = (as_number(scope.stored(node), at) for node in nodes[:2])
    step: Expr = Lit(1.0)
    if len(nodes) > 2:
        written = scope.stored(nodes[2])
        span = span_seconds(written.literal) if isinstance(written.literal, str) else None
        if isinstance(written.literal, str) and span is None:
            raise scope.source.unsupported(at, f"the step '{written.literal}' of mvrange()")
        step = Lit(float(span)) if span is not None else as_number(written, at)
    arguments = (start, end, step)
    odd = call("or", *(call("ne", item, call("trunc", item)) for item in arguments), call("le", step, Lit(0)))
    long = call("gt", call("sub", end, start), call("mul", step, Lit(float(_LONGEST_RANGE))))
    missing = call("or", *(call("is_null", item) for item in arguments))
    numbers = call("list_steps", *(Cast(item, "BIGINT") for item in arguments))
    items = call("list_transform", numbers, Lambda("#step", Cast(Col("#step"), "VARCHAR")))
    refused = refuse(at, "mvrange() with fractions, with a step that is not above 0, or of more than 10,000 values", LIST_TYPE)
    return Value(Kind.LIST, Case(((missing, Lit(None, LIST_TYPE)), (call("or", odd, long), refused)), non_empty(items)))


MULTIVALUES: Rows = {
    "mvzip": (_mvzip, 2, 3),
    "mvrange": (_mvrange, 2, 3),
    "mvcount": (_mvcount, 1, 1),
    "mvindex": (_mvindex, 2, 3),
    "mvappend": (_mvappend, 1, MANY),
    "mvjoin": (_mvjoin, 2, 2),
    "mvsort": (_mvsort, 1, 1),
    "mvdedup": (_mvdedup, 1, 1),
    "mvfilter": (_mvfilter, 1, 1),
    "mvmap": (_mvmap, 2, 2),
    "mvfind": (_mvfind, 2, 2),
    "split": (_split, 2, 2),
}
