"""ES|QL: event searches, and correlations by buckets (`esql_parts.py` has the rules of the language)."""

from __future__ import annotations

from an1498.compiler.conditions import EventCondition
from an1498.compiler.correlation import Plan
from an1498.compiler.deviations import ROW_LIMIT
from an1498.compiler.esql_chains import happenings
from an1498.compiler.esql_counts import event_count, temporal, value_count, value_text
from an1498.compiler.esql_ordered import ends, ordered
from an1498.compiler.esql_parts import TIME_FIELD, Scope, counted, output, rising_edge, stage_text, staged
from an1498.compiler.esql_values import number, value_aggregate
from an1498.compiler.refusal import Refusal
from an1498.compiler.window_values import VALUE
from an1498.model import CorrelationType

__all__ = ["TIME_FIELD", "correlation_search", "event_search", "stage_text"]


def event_search(found: EventCondition) -> str:
    """The search of an event rule; the metadata fields let the rule type remove duplicates."""
    if not found.source.index:
        raise Refusal(f"the log source {found.source.product}/{found.source.service} without an index", "set its index in the layout")
    return f"FROM {found.source.index} METADATA _id, _index, _version\n| WHERE {stage_text(found)}\n| LIMIT {ROW_LIMIT}"


def correlation_search(plan: Plan) -> str:
    """The search of a correlation. Raises Refusal."""
    scope = Scope(plan)
    time = "| EVAL an1498_time = TO_LONG(@timestamp)"
    match plan.correlation.type:
        case CorrelationType.TEMPORAL_ORDERED:
            start = happenings(plan) if plan.inner else staged(plan)
            lines = [*start, *ordered(scope, "TO_LONG(@timestamp)"), *output(plan, *ends(plan))]
        case CorrelationType.EVENT_COUNT:
            total = "SUM(an1498_n)" if plan.inner else "COUNT(*)"
            start = happenings(plan) if plan.inner else [*counted(plan), time]
            start.append(f"| STATS an1498_n = {total} {scope.by('an1498_time')}")
            lines = [*start, *event_count(scope), *rising_edge(plan)]
        case CorrelationType.TEMPORAL:
            start = happenings(plan) if plan.inner else [*staged(plan), time]
            lines = [*start, *temporal(scope), *rising_edge(plan)]
        case CorrelationType.VALUE_COUNT:
            start = happenings(plan) if plan.inner else [*counted(plan, value_text), time]
            lines = [*start, *value_count(scope), *rising_edge(plan)]
        case _:
            start = [*counted(plan, number), time, f"| STATS an1498_n = COUNT(*) {scope.by('an1498_time', VALUE)}"]
            lines = [*start, *value_aggregate(scope), *rising_edge(plan)]
    return "\n".join(lines)
