"""Functions of how values are distributed: percentiles, median, mode, deviation and variance (Search Reference, "Aggregate functions")."""

from __future__ import annotations

from collections.abc import Callable

from an1498.replay.algebra import Aggregate, Case, Cast, Col, Expr, Lambda, Lit, call
from an1498.replay.spl.expressions import Expressions
from an1498.replay.spl.plans import Plan, all_texts, over, present
from an1498.replay.spl.values import NUMBER_TYPE, TEXT_TYPE, Kind, Value, as_number, let, refuse

_EXACT_DISTINCT = 1_000


def deviation(function: str) -> Callable[[str, Value, int, Expressions], Plan]:
    """stdev, var (sample) and stdevp, varp (population); of one value they are 0, as the documentation's tables show."""

    def make(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
        if value.kind is Kind.LIST:
            raise scope.source.unsupported(at, f"{function}() of a multivalue field", "use mvexpand first")
        column = Col(f"{prefix}x")
        primitives = (("", Aggregate(function, (column,))), ("count", Aggregate("count", (column,))))
        single = Lit(0.0)
        return Plan(
            ((f"{prefix}x", as_number(value, at)),),
            primitives,
            Kind.NUMBER,
            lambda c: Case(((call("eq", c("count"), Lit(1)), single),), c("")),
        )

    return make


def sum_of_squares(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
    if value.kind is Kind.LIST:
        raise scope.source.unsupported(at, "sumsq() of a multivalue field", "use mvexpand first")
    column = Col(f"{prefix}x")
    return over(prefix, as_number(value, at), Aggregate("sum", (call("mul", column, column),)))


def mode(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
    """The most frequent value; where two are equally frequent, which one is not documented: refused."""
    item, aggregate, flat = all_texts(prefix, value, at)

    def result(c: Callable[[str], Expr]) -> Expr:
        def most(items: Expr) -> Expr:
            one = Col("#one")

            def times(value: Expr) -> Expr:
                return call("list_length", call("list_filter", items, Lambda("#same", call("eq", Col("#same"), value))))

            def chosen(greatest: Expr) -> Expr:
                best = call("list_filter", call("list_distinct", items), Lambda("#one", call("eq", times(one), greatest)))
                refused = refuse(at, "mode() of values of which two are equally frequent", TEXT_TYPE)
                return let(
                    best, lambda it: Case(((call("gt", call("list_length", it), Lit(1)), refused),), call("list_element", it, Lit(1))), "o"
                )

            return let(call("list_max", call("list_transform", items, Lambda("#one", times(one)))), chosen, "g")

        return let(flat(c("")), most, "m")

    return Plan((item,), (("", aggregate),), Kind.TEXT, result)


def percentile(prefix: str, value: Value, percent: float, at: int) -> Plan:
    """perc<N>. The documentation says nearest rank ("Aggregate functions", perc; limits.conf, perc_method) and prints interpolated
    results (5.5 for perc50 of 1 to 10): refused where the two differ. Beyond 1,000 distinct values Splunk approximates: refused."""

    def result(c: Callable[[str], Expr]) -> Expr:
        def ranked(items: Expr) -> Expr:
            position = call("mul", Cast(call("list_length", items), NUMBER_TYPE), Lit(percent / 100))
            upper = _element(items, call("add", call("floor", position), Lit(1)))
            lower = _element(items, call("ceil", position))
            place = call("mul", call("sub", Cast(call("list_length", items), NUMBER_TYPE), Lit(1.0)), Lit(percent / 100))
            left = _element(items, call("add", call("floor", place), Lit(1)))
            right = _element(items, call("add", call("ceil", place), Lit(1)))
            many = call("gt", call("list_length", call("list_distinct", items)), Lit(_EXACT_DISTINCT))
            differ = call("or", *(call("ne", upper, other) for other in (lower, left, right)))
            return Case(
                (
                    (many, refuse(at, "a percentile of more than 1,000 distinct values", NUMBER_TYPE)),
                    (differ, refuse(at, "a percentile that falls between two values", NUMBER_TYPE)),
                ),
                upper,
            )

        return let(call("list_sort", c("")), ranked, "p")

    return _numbers(prefix, value, at, result)


def median(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
    """The middle value; of an even number of values the higher of the two middle ones ("Aggregate functions", median)."""

    def result(c: Callable[[str], Expr]) -> Expr:
        def middle(items: Expr) -> Expr:
            many = call("gt", call("list_length", call("list_distinct", items)), Lit(_EXACT_DISTINCT))
            half = call("div", Cast(call("list_length", items), NUMBER_TYPE), Lit(2.0))
            chosen = _element(items, call("add", call("floor", half), Lit(1)))
            return Case(((many, refuse(at, "a median of more than 1,000 distinct values", NUMBER_TYPE)),), chosen)

        return let(call("list_sort", c("")), middle, "p")

    return _numbers(prefix, value, at, result)


def _numbers(prefix: str, value: Value, at: int, result: Callable[[Callable[[str], Expr]], Expr]) -> Plan:
    aggregate = Aggregate("list", (Col(f"{prefix}x"),), where=present(prefix))
    return Plan(((f"{prefix}x", as_number(value, at)),), (("", aggregate),), Kind.NUMBER, result)


def _element(items: Expr, position: Expr) -> Expr:
    """The element at a 1-based position, limited to the list."""
    length = call("list_length", items)
    limited = call("greatest", Lit(1), call("least", Cast(position, "BIGINT"), length))
    return call("list_element", items, limited)
