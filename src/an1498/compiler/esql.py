"""ES|QL: event searches, and correlations by buckets (`esql_parts.py` has the rules of the language)."""

from __future__ import annotations

from an1498.compiler.conditions import EventCondition
from an1498.compiler.correlation import Plan
from an1498.compiler.deviations import ROW_LIMIT
from an1498.compiler.esql_chains import happenings
from an1498.compiler.esql_counts import value_text
from an1498.compiler.esql_ordered import ends, ordered
from an1498.compiler.esql_parts import TIME_FIELD, Scope, counted, output, rising_edge, stage_text, staged
from an1498.compiler.esql_values import number
from an1498.compiler.esql_windows import window
from an1498.compiler.refusal import Refusal
from an1498.compiler.window_values import CALCULATED, VALUE
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
    start = happenings(plan) if plan.inner else _events(plan)
    if plan.ordered:
        return "\n".join([*start, *ordered(scope, "TO_LONG(@timestamp)"), *output(plan, *ends(plan))])
    if not plan.inner:
        start.append("| EVAL an1498_time = TO_LONG(@timestamp)")
    if plan.correlation.type is CorrelationType.EVENT_COUNT:
        start.append(f"| STATS an1498_n = {'SUM(an1498_n)' if plan.inner else 'COUNT(*)'} {scope.by('an1498_time')}")
    elif plan.correlation.type in CALCULATED:
        start.append(f"| STATS an1498_n = COUNT(*) {scope.by('an1498_time', VALUE)}")
    return "\n".join([*start, *window(scope), *rising_edge(plan)])


def _events(plan: Plan) -> list[str]:
    """The events with group and, where it has one, value."""
    match plan.correlation.type:
        case CorrelationType.TEMPORAL_ORDERED | CorrelationType.TEMPORAL:
            return staged(plan)
        case CorrelationType.EVENT_COUNT:
            return counted(plan)
        case CorrelationType.VALUE_COUNT:
            return counted(plan, value_text)
        case _:
            return counted(plan, number)
