"""How a search's relation is put together: the parts that look at one event at a time, and what stands above them."""

from __future__ import annotations

from collections.abc import Iterator

from an1498.replay.algebra import Call, Case, Expr, Extend, Filter, Lambda, Relation, Scan, Select, Sort, Union, Unnest, inputs, with_inputs
from an1498.replay.sharing import children

_BY_EVENT = (Scan, Filter, Extend, Select, Sort, Union, Unnest)
_LOGIC = frozenset({"and", "or", "not"})


def by_event(relation: Relation) -> bool:
    """Whether it looks at one event at a time (and at the order of a stream), so that no event's rows depend on another event."""
    return isinstance(relation, _BY_EVENT) and all(map(by_event, inputs(relation)))


def cuts(relation: Relation) -> Iterator[Relation]:
    """The largest parts that look at one event at a time, left to right."""
    if by_event(relation):
        yield relation
        return
    for source in inputs(relation):
        yield from cuts(source)


def with_cuts(relation: Relation, replacements: Iterator[Relation]) -> Relation:
    """The relation with other relations in the places of its cuts."""
    if by_event(relation):
        return next(replacements)
    return with_inputs(relation, [with_cuts(source, replacements) for source in inputs(relation)])


def outline(relation: Relation) -> Relation:
    """What stands above the cuts."""
    return with_cuts(relation, (Scan("", cut.columns) for cut in cuts(relation)))


def nodes(relation: Relation) -> Iterator[Relation]:
    """Every operator, from the last one down."""
    yield relation
    for source in inputs(relation):
        yield from nodes(source)


def has_logic(expr: Expr) -> bool:
    """Whether an expression puts conditions together, or chooses by one."""
    if isinstance(expr, Lambda):
        return False
    return isinstance(expr, Case) or (isinstance(expr, Call) and expr.function in _LOGIC) or any(map(has_logic, children(expr)))
