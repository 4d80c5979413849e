"""SPL: event searches, and correlations as one streaming pipeline (`spl_parts.py` has the rules of the language)."""

from __future__ import annotations

from an1498.compiler.conditions import EventCondition
from an1498.compiler.correlation import Plan
from an1498.compiler.spl_counts import event_count, temporal, value_count
from an1498.compiler.spl_ordered import ordered
from an1498.compiler.spl_parts import TIME_FIELD, selection
from an1498.compiler.spl_values import value_aggregate
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
    match plan.correlation.type:
        case CorrelationType.TEMPORAL_ORDERED:
            lines = ordered(plan)
        case CorrelationType.EVENT_COUNT:
            lines = event_count(plan)
        case CorrelationType.VALUE_COUNT:
            lines = value_count(plan)
        case CorrelationType.TEMPORAL:
            lines = temporal(plan)
        case _:
            lines = value_aggregate(plan)
    return "\n".join(lines)
