"""Long expressions that a condition uses more than once, computed once beforehand.

An address's sort key is a page of SQL. A condition that tests an address against ten networks would repeat that page ten times, and
DuckDB would parse, bind and optimise it ten times: that, not the events, is where a search's time goes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterator

from an1498.replay.algebra import Call, Case, Cast, Col, Expr, Lambda, ListOf, Lit

LONG = frozenset({"ip_key", "ipv4_number", "ipv6_digits"})
"""Functions of `functions.SQL_FUNCTIONS` that are worth a column: long, and without an error for any input, because the column is
computed also where the condition would not have looked."""


def share(condition: Expr, columns: Collection[str], functions: Collection[str] = LONG) -> tuple[tuple[tuple[str, Expr], ...], Expr]:
    """The columns to compute beforehand, under names that are not in `columns`, and the condition over them. Calls of `functions` over
    columns count, where there is more than one of a kind."""
    counts = Counter(_long_calls(condition, functions))
    repeated = [expr for expr, count in counts.items() if count > 1 and _over(columns, expr)]
    free = (name for number in itertools.count() if (name := f"#shared{number}") not in columns)
    names = dict(zip(repeated, free, strict=False))
    if not names:
        return (), condition
    return tuple((name, expr) for expr, name in names.items()), _replaced(condition, names)


def children(expr: Expr) -> Iterator[Expr]:
    """The expressions that an expression is made of."""
    match expr:
        case Call(_, args) | ListOf(args):
            yield from args
        case Case(branches, default):
            for when, then in branches:
                yield from (when, then)
            yield default
        case Lambda(_, body) | Cast(body):
            yield body
        case _:
            return


def _over(columns: Collection[str], expr: Expr) -> bool:
    names = list(columns_of(expr))
    return bool(names) and all(name in columns for name in names)


def _long_calls(expr: Expr, functions: Collection[str]) -> Iterator[Expr]:
    """Not inside lambdas, whose parameters are no columns, and not those that may fail."""
    if isinstance(expr, Lambda):
        return
    if isinstance(expr, Call) and expr.function in functions and not may_fail(expr):
        yield expr
        return
    for child in children(expr):
        yield from _long_calls(child, functions)


def may_fail(expr: Expr) -> bool:
    """Whether computing the expression can raise an error for some input."""
    if isinstance(expr, Call) and expr.function == "fail":
        return True
    return (isinstance(expr, Cast) and not expr.safe) or any(may_fail(child) for child in children(expr))


def columns_of(expr: Expr) -> Iterator[str]:
    """The names of the columns (and lambdas' parameters) that an expression uses, once for each use."""
    if isinstance(expr, Col):
        yield expr.name
    for child in children(expr):
        yield from columns_of(child)


def _replaced(expr: Expr, names: dict[Expr, str]) -> Expr:
    if expr in names:
        return Col(names[expr])
    match expr:
        case Call(function, args):
            return Call(function, tuple(_replaced(arg, names) for arg in args))
        case ListOf(items):
            return ListOf(tuple(_replaced(item, names) for item in items))
        case Case(branches, default):
            replaced = tuple((_replaced(when, names), _replaced(then, names)) for when, then in branches)
            return Case(replaced, _replaced(default, names))
        case Cast(value, sql_type, safe):
            return Cast(_replaced(value, names), sql_type, safe)
        case Col() | Lit() | Lambda():
            return expr
