"""SPL: event searches, and correlations as one streaming pipeline (`spl_parts.py` has the rules of the language)."""

from __future__ import annotations

from an1498.compiler.conditions import EventCondition
from an1498.compiler.correlation import Plan
from an1498.compiler.spl_chains import happenings
from an1498.compiler.spl_counts import value_text
from an1498.compiler.spl_ordered import order, ordered, staged
from an1498.compiler.spl_parts import TIME_FIELD, Scope, both_edges, edges, output, rising_edge, selection, staged_edges
from an1498.compiler.spl_values import number
from an1498.compiler.spl_windows import window
from an1498.model import CorrelationType

__all__ = ["TIME_FIELD", "correlation_search", "event_search", "stage_text"]


_COLUMNS = {
    CorrelationType.EVENT_COUNT: ("event_count",),
    CorrelationType.TEMPORAL: ("rule_count",),
    CorrelationType.VALUE_COUNT: ("value_count",),
    CorrelationType.VALUE_SUM: ("value_sum",),
    CorrelationType.VALUE_AVG: ("value_avg",),
}
"""What an alert says besides its time and group."""


def event_search(found: EventCondition) -> str:
    """The search of an event rule."""
    return selection(found)


def stage_text(found: EventCondition) -> str:
    """The condition alone, for `Search.stages`."""
    return selection(found)


def correlation_search(plan: Plan) -> str:
    """The search of a correlation. Raises Refusal."""
    scope = Scope(plan)
    if plan.ordered:
        start = [*happenings(plan), order(plan)] if plan.inner else staged(plan)
        return "\n".join([*start, *ordered(scope), "| eval first_time=an1498_first", *output(plan, "first_time")])
    start = [*happenings(plan), *both_edges()] if plan.inner else _twice(plan)
    return "\n".join([*start, *window(scope), *rising_edge(plan, *_COLUMNS.get(plan.correlation.type, ()))])


def _twice(plan: Plan) -> list[str]:
    """The events, entering and leaving the window."""
    match plan.correlation.type:
        case CorrelationType.TEMPORAL:
            return staged_edges(plan)
        case CorrelationType.EVENT_COUNT:
            return edges(plan)
        case CorrelationType.VALUE_COUNT:
            return edges(plan, value_text)
        case _:
            return edges(plan, number)
