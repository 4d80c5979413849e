"""ES|QL: event searches, and correlations by buckets (`esql_parts.py` has the rules of the language)."""

from __future__ import annotations

from an1498.compiler.conditions import EventCondition
from an1498.compiler.correlation import Plan
from an1498.compiler.deviations import ROW_LIMIT
from an1498.compiler.esql_counts import event_count, temporal, value_count
from an1498.compiler.esql_ordered import ordered
from an1498.compiler.esql_parts import TIME_FIELD, stage_text
from an1498.compiler.esql_values import value_aggregate
from an1498.compiler.refusal import Refusal
from an1498.model import CorrelationType

__all__ = ["TIME_FIELD", "correlation_search", "event_search", "stage_text"]


def event_search(found: EventCondition) -> str:
    """The search of an event rule; the metadata fields let the rule type remove duplicates."""
    if not found.source.index:
        raise Refusal(f"the log source {found.source.product}/{found.source.service} without an index", "set its index in the layout")
    return f"FROM {found.source.index} METADATA _id, _index, _version\n| WHERE {stage_text(found)}\n| LIMIT {ROW_LIMIT}"


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
