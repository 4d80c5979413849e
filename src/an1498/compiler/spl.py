"""SPL: event searches, and correlations as one streaming pipeline (`spl_parts.py` has the rules of the language)."""

from __future__ import annotations

from an1498.compiler.conditions import EventCondition
from an1498.compiler.correlation import Plan
from an1498.compiler.spl_chains import happenings
from an1498.compiler.spl_counts import event_count, temporal, value_count, value_text
from an1498.compiler.spl_ordered import order, ordered, staged
from an1498.compiler.spl_parts import TIME_FIELD, Scope, both_edges, edges, output, rising_edge, selection, staged_edges
from an1498.compiler.spl_values import number, value_aggregate
from an1498.model import CorrelationType

__all__ = ["TIME_FIELD", "correlation_search", "event_search", "stage_text"]


def event_search(found: EventCondition) -> str:
    """The search of an event rule."""
    return selection(found)


def stage_text(found: EventCondition) -> str:
    """The condition alone, for `Search.stages`."""
    return selection(found)


def correlation_search(plan: Plan) -> str:
    """The search of a correlation. Raises Refusal."""
    scope = Scope(plan)
    match plan.correlation.type:
        case CorrelationType.TEMPORAL_ORDERED:
            start = [*happenings(plan), order(plan)] if plan.inner else staged(plan)
            lines = [*start, *ordered(scope), "| eval first_time=an1498_first", *output(plan, "first_time")]
        case CorrelationType.EVENT_COUNT:
            start = [*happenings(plan), *both_edges()] if plan.inner else edges(plan)
            lines = [*start, *event_count(scope), *rising_edge(plan, "event_count")]
        case CorrelationType.TEMPORAL:
            start = [*happenings(plan), *both_edges()] if plan.inner else staged_edges(plan)
            lines = [*start, *temporal(scope), *rising_edge(plan, "rule_count")]
        case CorrelationType.VALUE_COUNT:
            start = [*happenings(plan), *both_edges()] if plan.inner else edges(plan, value_text)
            lines = [*start, *value_count(scope), *rising_edge(plan, "value_count")]
        case CorrelationType.VALUE_SUM | CorrelationType.VALUE_AVG:
            lines = [*edges(plan, number), *value_aggregate(scope), *rising_edge(plan, str(plan.correlation.type))]
        case _:
            lines = [*edges(plan, number), *value_aggregate(scope), *rising_edge(plan)]
    return "\n".join(lines)
