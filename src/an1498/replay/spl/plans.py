"""How a statistical function is computed: primitive aggregates of the algebra, and a result from them. The same plan runs over groups and
over window frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from an1498.replay.algebra import Aggregate, Cast, Col, Expr, call
from an1498.replay.spl.values import NUMBER_TYPE, Kind, Value, as_text


@dataclass(frozen=True, slots=True)
class Plan:
    """`inputs` are columns to compute per event first, `primitives` aggregates over them (by suffix), `result` the value of
    the function from the primitives' columns. A plan with `needs_time` reads `_time`."""

    inputs: tuple[tuple[str, Expr], ...]
    primitives: tuple[tuple[str, Aggregate], ...]
    kind: Kind
    result: Callable[[Callable[[str], Expr]], Expr]


def single(aggregate: Aggregate, kind: Kind) -> Plan:
    return Plan((), (("", aggregate),), kind, lambda column: Cast(column(""), NUMBER_TYPE) if kind is Kind.NUMBER else column(""))


def over(prefix: str, expr: Expr, aggregate: Aggregate, kind: Kind = Kind.NUMBER) -> Plan:
    """One primitive over the column `<prefix>x`, which holds `expr`."""
    inner = single(aggregate, kind)
    return Plan(((f"{prefix}x", expr),), inner.primitives, kind, inner.result)


def present(prefix: str) -> Expr:
    return call("is_not_null", Col(f"{prefix}x"))


def all_texts(prefix: str, value: Value, at: int, distinct: bool = False) -> tuple[tuple[str, Expr], Aggregate, Callable[[Expr], Expr]]:
    """The values of all events as one list: an input, an aggregate and what makes a flat list of its result."""
    column = Col(f"{prefix}x")
    if value.kind is Kind.LIST:
        return (
            (f"{prefix}x", value.expr),
            Aggregate("list", (column,), where=present(prefix), ordered=True),
            lambda items: call("list_flatten", items),
        )
    aggregate = Aggregate("list", (column,), distinct=distinct, where=present(prefix), ordered=not distinct)
    return (f"{prefix}x", as_text(value, at)), aggregate, lambda items: items
