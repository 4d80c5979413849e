"""Statistical functions of stats, eventstats and streamstats (Search Reference, "Statistical and charting functions").

A function is a plan: primitive aggregates of the algebra, and a result computed from them. The same plan runs over groups and
over window frames. Events without the field do not count; every value of a multivalue counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from an1498.replay.algebra import Aggregate, Case, Cast, Col, Expr, Lambda, Lit, call
from an1498.replay.spl import distributions, syntax
from an1498.replay.spl.expressions import Expressions
from an1498.replay.spl.plans import Plan, all_texts, over, present, single
from an1498.replay.spl.values import (
    LIST_TYPE,
    NUMBER_TYPE,
    Kind,
    Value,
    as_number,
    as_text,
    let,
    non_empty,
    parse_number,
    refuse,
)

_PERCENTILE = re.compile(r"(?:perc|exactperc|upperperc|p)(\d{1,2}(?:\.\d+)?|100)")
_LIST_LIMIT = 100


def plan(scope: Expressions, term: syntax.AggregateTerm, prefix: str) -> Plan:
    """`prefix` makes the names of the plan's columns unique. Raises UnsupportedConstruct."""
    source = scope.source
    if term.argument is None:
        if term.function not in ("count",):
            raise source.unsupported(term.at, f"{term.function} without a field")
        return single(Aggregate("count_rows"), Kind.NUMBER)
    if isinstance(term.argument, str):
        if "*" in term.argument:
            raise source.unsupported(term.at, "wildcards in a statistical function")
        value = scope.frame.value(term.argument, term.at)
    else:
        value = scope.value(term.argument)
        if value.kind is Kind.BOOLEAN:
            if term.function not in ("count", "c"):
                raise source.unsupported(term.at, f"{term.function}() of a condition")
            # count(eval(condition)) counts the events for which the condition is true.
            return over(prefix, value.expr, Aggregate("count_rows", where=Col(f"{prefix}x")))
    percentile = _PERCENTILE.fullmatch(term.function)
    if percentile is not None:
        return distributions.percentile(prefix, value, float(percentile[1]), term.at)
    function = FUNCTIONS.get(term.function)
    if function is None:
        raise source.unsupported(term.at, f"the statistical function {term.function}()")
    return function(prefix, value, term.at, scope)


def is_aggregation(name: str) -> bool:
    """Whether a function of this name is a statistical one."""
    return name in FUNCTIONS or _PERCENTILE.fullmatch(name) is not None


def _count(prefix: str, value: Value, _at: int, _scope: Expressions) -> Plan:
    column = Col(f"{prefix}x")
    if value.kind is Kind.LIST:
        inner = Aggregate("sum", (call("list_length", column),))
        return Plan(
            ((f"{prefix}x", value.expr),), (("", inner),), Kind.NUMBER, lambda c: Cast(call("coalesce", c(""), Lit(0)), NUMBER_TYPE)
        )
    return over(prefix, value.expr, Aggregate("count", (column,)))


def _distinct_count(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
    if value.kind is not Kind.LIST:
        return over(prefix, value.expr, Aggregate("count", (Col(f"{prefix}x"),), distinct=True))
    item, aggregate, flat = all_texts(prefix, value, at)
    result = Lit(0.0)
    return Plan(
        (item,),
        (("", aggregate),),
        Kind.NUMBER,
        lambda c: call("coalesce", Cast(call("list_length", call("list_distinct", flat(c("")))), NUMBER_TYPE), result),
    )


def _values(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
    """The distinct values in lexicographical order."""
    item, aggregate, flat = all_texts(prefix, value, at, distinct=True)

    def result(column: Callable[[str], Expr]) -> Expr:
        return non_empty(call("list_sort", call("list_distinct", flat(column("")))))

    return Plan((item,), (("", aggregate),), Kind.LIST, result)


def _list(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
    """All values in the order of the events, the first 100 of them."""
    item, aggregate, flat = all_texts(prefix, value, at)

    def result(column: Callable[[str], Expr]) -> Expr:
        return non_empty(call("list_slice", flat(column("")), Lit(1), Lit(_LIST_LIMIT)))

    return Plan((item,), (("", aggregate),), Kind.LIST, result)


def _numeric(function: str) -> Callable[[str, Value, int, Expressions], Plan]:
    """sum, avg: values that are not numbers are ignored (`allnum` is false)."""

    def make(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
        if value.kind is Kind.LIST:
            raise scope.source.unsupported(at, f"{function}() of a multivalue field", "use mvexpand first")
        return over(prefix, as_number(value, at), Aggregate(function, (Col(f"{prefix}x"),)))

    return make


def _extreme(function: str) -> Callable[[str, Value, int, Expressions], Plan]:
    """min, max: numbers compare as numbers, text lexicographically, "with all numbers before non-numeric items" ("Aggregate functions",
    max)."""

    def make(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
        if value.kind.numeric:
            return over(prefix, value.expr, Aggregate(function, (Col(f"{prefix}x"),)))
        if value.kind is Kind.LIST:
            raise scope.source.unsupported(at, f"{function}() of a multivalue field", "use mvexpand first")
        column, parsed = Col(f"{prefix}x"), Col(f"{prefix}n")
        primitives = (
            ("words", Aggregate(function, (column,), where=call("is_null", parsed))),
            ("number", Aggregate("arg_min" if function == "min" else "arg_max", (column, parsed))),
        )
        first, second = ("number", "words") if function == "min" else ("words", "number")
        return Plan(
            ((f"{prefix}x", value.expr), (f"{prefix}n", let(value.expr, parse_number))),
            primitives,
            Kind.TEXT,
            lambda c: call("coalesce", c(first), c(second)),
        )

    return make


def _time_of(function: str) -> Callable[[str, Value, int, Expressions], Plan]:
    """earliest_time, latest_time: the `_time` of the first or last event, in time, that has the field."""

    def make(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
        time = scope.frame.value("_time", at)
        if not time.kind.numeric:
            raise scope.source.unsupported(at, f"{function}_time() without _time")
        held = Case(((call("is_not_null", value.expr), time.expr),), Lit(None, NUMBER_TYPE))
        return over(prefix, held, Aggregate("min" if function == "earliest" else "max", (Col(f"{prefix}x"),)))

    return make


def _range(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
    if value.kind is Kind.LIST:
        raise scope.source.unsupported(at, "range() of a multivalue field", "use mvexpand first")
    column = Col(f"{prefix}x")
    primitives = (("low", Aggregate("min", (column,))), ("high", Aggregate("max", (column,))))
    return Plan(((f"{prefix}x", as_number(value, at)),), primitives, Kind.NUMBER, lambda c: call("sub", c("high"), c("low")))


def _seen(function: str) -> Callable[[str, Value, int, Expressions], Plan]:
    """first, last: the first or last value in the order in which the command sees the events."""

    def make(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
        aggregate = Aggregate(function, (Col(f"{prefix}x"),), where=present(prefix), ordered=True)

        def result(column: Callable[[str], Expr]) -> Expr:
            if value.kind is not Kind.LIST:
                return column("")
            many = call("gt", call("list_length", column("")), Lit(1))
            return Case(((many, refuse(at, f"{function}() of a multivalue", LIST_TYPE)),), column(""))

        return Plan(((f"{prefix}x", value.expr),), (("", aggregate),), value.kind, result)

    return make


def _chronological(function: str) -> Callable[[str, Value, int, Expressions], Plan]:
    """earliest, latest: the value of the event with the smallest or greatest `_time`; different values at that time are refused."""
    extreme = "min" if function == "earliest" else "max"

    def make(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
        time = scope.frame.value("_time", at)
        if value.kind is Kind.LIST or not time.kind.numeric:
            raise scope.source.unsupported(at, f"{function}() of a multivalue or without _time")
        inputs = ((f"{prefix}x", as_text(value, at) if value.kind is Kind.ROUNDED else value.expr), (f"{prefix}t", time.expr))
        primitives = (
            ("times", Aggregate("list", (Col(f"{prefix}t"),), where=present(prefix), ordered=True)),
            ("values", Aggregate("list", (Col(f"{prefix}x"),), where=present(prefix), ordered=True)),
        )

        def result(c: Callable[[str], Expr]) -> Expr:
            return let(call("list_" + extreme, c("times")), lambda when: _at_time(c("times"), c("values"), when))

        def _at_time(times: Expr, values: Expr, when: Expr) -> Expr:
            index = Col("#i")
            places = call(
                "list_filter",
                call("list_range", call("list_length", times)),
                Lambda("#i", call("eq", call("list_element", times, index), when)),
            )
            distinct = call("list_distinct", call("list_transform", places, Lambda("#i", call("list_element", values, index))))
            refused = refuse(at, f"{function}() of events with one time and different values", value.kind.sql_type)
            return let(
                distinct,
                lambda it: Case(((call("gt", call("list_length", it), Lit(1)), refused),), call("list_element", it, Lit(1))),
                "e",
            )

        return Plan(inputs, primitives, value.kind, result)

    return make


FUNCTIONS: dict[str, Callable[[str, Value, int, Expressions], Plan]] = {
    "count": _count,
    "c": _count,
    "dc": _distinct_count,
    "distinct_count": _distinct_count,
    "values": _values,
    "list": _list,
    "sum": _numeric("sum"),
    "avg": _numeric("avg"),
    "mean": _numeric("avg"),
    "min": _extreme("min"),
    "max": _extreme("max"),
    "range": _range,
    "first": _seen("first"),
    "last": _seen("last"),
    "earliest": _chronological("earliest"),
    "latest": _chronological("latest"),
    "median": distributions.median,
    "mode": distributions.mode,
    "stdev": distributions.deviation("stdev"),
    "stdevp": distributions.deviation("stdevp"),
    "var": distributions.deviation("var"),
    "varp": distributions.deviation("varp"),
    "sumsq": distributions.sum_of_squares,
    "earliest_time": _time_of("earliest"),
    "latest_time": _time_of("latest"),
}
