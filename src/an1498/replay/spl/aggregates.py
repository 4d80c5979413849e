"""Statistical functions of stats, eventstats and streamstats (Search Reference, "Statistical and charting functions").

A function is a plan: primitive aggregates of the algebra, and a result computed from them. The same plan runs over groups and
over window frames. Events without the field do not count; every value of a multivalue counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from an1498.replay.algebra import Aggregate, Case, Cast, Col, Expr, Lambda, Lit, call
from an1498.replay.spl import syntax
from an1498.replay.spl.expressions import Expressions
from an1498.replay.spl.values import (
    LIST_TYPE,
    NUMBER_TYPE,
    TEXT_TYPE,
    Kind,
    Value,
    as_number,
    as_text,
    let,
    non_empty,
    parse_number,
    refuse,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`inputs` are columns to compute per event first, `primitives` aggregates over them (by suffix), `result` the value of
    the function from the primitives' columns. A plan with `needs_time` reads `_time`."""

    inputs: tuple[tuple[str, Expr], ...]
    primitives: tuple[tuple[str, Aggregate], ...]
    kind: Kind
    result: Callable[[Callable[[str], Expr]], Expr]


_PERCENTILE = re.compile(r"(?:perc|exactperc|upperperc|p)(\d{1,2}(?:\.\d+)?|100)")
_LIST_LIMIT = 100
_EXACT_DISTINCT = 1_000


def plan(scope: Expressions, term: syntax.AggregateTerm, prefix: str) -> Plan:
    """`prefix` makes the names of the plan's columns unique. Raises UnsupportedConstruct."""
    source = scope.source
    if term.argument is None:
        if term.function not in ("count",):
            raise source.unsupported(term.at, f"{term.function} without a field")
        return _single(Aggregate("count_rows"), Kind.NUMBER)
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
            return _over(prefix, value.expr, Aggregate("count_rows", where=Col(f"{prefix}x")))
    percentile = _PERCENTILE.fullmatch(term.function)
    if percentile is not None:
        return _percentile(prefix, value, float(percentile[1]), term.at)
    function = FUNCTIONS.get(term.function)
    if function is None:
        raise source.unsupported(term.at, f"the statistical function {term.function}()")
    return function(prefix, value, term.at, scope)


def _single(aggregate: Aggregate, kind: Kind) -> Plan:
    return Plan((), (("", aggregate),), kind, lambda column: Cast(column(""), NUMBER_TYPE) if kind is Kind.NUMBER else column(""))


def _over(prefix: str, expr: Expr, aggregate: Aggregate, kind: Kind = Kind.NUMBER) -> Plan:
    """One primitive over the column `<prefix>x`, which holds `expr`."""
    inner = _single(aggregate, kind)
    return Plan(((f"{prefix}x", expr),), inner.primitives, kind, inner.result)


def _present(prefix: str) -> Expr:
    return call("is_not_null", Col(f"{prefix}x"))


def _all_texts(prefix: str, value: Value, at: int, distinct: bool = False) -> tuple[tuple[str, Expr], Aggregate, Callable[[Expr], Expr]]:
    """The values of all events as one list: an input, an aggregate and what makes a flat list of its result."""
    column = Col(f"{prefix}x")
    if value.kind is Kind.LIST:
        return (
            (f"{prefix}x", value.expr),
            Aggregate("list", (column,), where=_present(prefix), ordered=True),
            lambda items: call("list_flatten", items),
        )
    aggregate = Aggregate("list", (column,), distinct=distinct, where=_present(prefix), ordered=not distinct)
    return (f"{prefix}x", as_text(value, at)), aggregate, lambda items: items


def _count(prefix: str, value: Value, _at: int, _scope: Expressions) -> Plan:
    column = Col(f"{prefix}x")
    if value.kind is Kind.LIST:
        inner = Aggregate("sum", (call("list_length", column),))
        return Plan(
            ((f"{prefix}x", value.expr),), (("", inner),), Kind.NUMBER, lambda c: Cast(call("coalesce", c(""), Lit(0)), NUMBER_TYPE)
        )
    return _over(prefix, value.expr, Aggregate("count", (column,)))


def _distinct_count(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
    if value.kind is not Kind.LIST:
        return _over(prefix, value.expr, Aggregate("count", (Col(f"{prefix}x"),), distinct=True))
    item, aggregate, flat = _all_texts(prefix, value, at)
    result = Lit(0.0)
    return Plan(
        (item,),
        (("", aggregate),),
        Kind.NUMBER,
        lambda c: call("coalesce", Cast(call("list_length", call("list_distinct", flat(c("")))), NUMBER_TYPE), result),
    )


def _values(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
    """The distinct values in lexicographical order."""
    item, aggregate, flat = _all_texts(prefix, value, at, distinct=True)

    def result(column: Callable[[str], Expr]) -> Expr:
        return non_empty(call("list_sort", call("list_distinct", flat(column("")))))

    return Plan((item,), (("", aggregate),), Kind.LIST, result)


def _list(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
    """All values in the order of the events, the first 100 of them."""
    item, aggregate, flat = _all_texts(prefix, value, at)

    def result(column: Callable[[str], Expr]) -> Expr:
        return non_empty(call("list_slice", flat(column("")), Lit(1), Lit(_LIST_LIMIT)))

    return Plan((item,), (("", aggregate),), Kind.LIST, result)


def _numeric(function: str) -> Callable[[str, Value, int, Expressions], Plan]:
    """sum, avg: values that are not numbers are ignored (`allnum` is false)."""

    def make(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
        if value.kind is Kind.LIST:
            raise scope.source.unsupported(at, f"{function}() of a multivalue field", "use mvexpand first")
        return _over(prefix, as_number(value, at), Aggregate(function, (Col(f"{prefix}x"),)))

    return make


def _extreme(function: str) -> Callable[[str, Value, int, Expressions], Plan]:
    """min, max: numbers compare as numbers, text lexicographically, "with all numbers before non-numeric items" ("Aggregate functions",
    max)."""

    def make(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
        if value.kind.numeric:
            return _over(prefix, value.expr, Aggregate(function, (Col(f"{prefix}x"),)))
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


def _deviation(function: str) -> Callable[[str, Value, int, Expressions], Plan]:
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


def _sum_of_squares(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
    if value.kind is Kind.LIST:
        raise scope.source.unsupported(at, "sumsq() of a multivalue field", "use mvexpand first")
    column = Col(f"{prefix}x")
    return _over(prefix, as_number(value, at), Aggregate("sum", (call("mul", column, column),)))


def _mode(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
    """The most frequent value; where two are equally frequent, which one is not documented: refused."""
    item, aggregate, flat = _all_texts(prefix, value, at)

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


def _time_of(function: str) -> Callable[[str, Value, int, Expressions], Plan]:
    """earliest_time, latest_time: the `_time` of the first or last event, in time, that has the field."""

    def make(prefix: str, value: Value, at: int, scope: Expressions) -> Plan:
        time = scope.frame.value("_time", at)
        if not time.kind.numeric:
            raise scope.source.unsupported(at, f"{function}_time() without _time")
        held = Case(((call("is_not_null", value.expr), time.expr),), Lit(None, NUMBER_TYPE))
        return _over(prefix, held, Aggregate("min" if function == "earliest" else "max", (Col(f"{prefix}x"),)))

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
        aggregate = Aggregate(function, (Col(f"{prefix}x"),), where=_present(prefix), ordered=True)

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
            ("times", Aggregate("list", (Col(f"{prefix}t"),), where=_present(prefix), ordered=True)),
            ("values", Aggregate("list", (Col(f"{prefix}x"),), where=_present(prefix), ordered=True)),
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


def _percentile(prefix: str, value: Value, percent: float, at: int) -> Plan:
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


def _median(prefix: str, value: Value, at: int, _scope: Expressions) -> Plan:
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
    aggregate = Aggregate("list", (Col(f"{prefix}x"),), where=_present(prefix))
    return Plan(((f"{prefix}x", as_number(value, at)),), (("", aggregate),), Kind.NUMBER, result)


def _element(items: Expr, position: Expr) -> Expr:
    """The element at a 1-based position, limited to the list."""
    length = call("list_length", items)
    limited = call("greatest", Lit(1), call("least", Cast(position, "BIGINT"), length))
    return call("list_element", items, limited)


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
    "median": _median,
    "mode": _mode,
    "stdev": _deviation("stdev"),
    "stdevp": _deviation("stdevp"),
    "var": _deviation("var"),
    "varp": _deviation("varp"),
    "sumsq": _sum_of_squares,
    "earliest_time": _time_of("earliest"),
    "latest_time": _time_of("latest"),
}
