"""ES|QL: which window a correlation has, by its type."""

from __future__ import annotations

from an1498.compiler.esql_counts import event_count, temporal, value_count
from an1498.compiler.esql_parts import Scope
from an1498.compiler.esql_values import value_aggregate
from an1498.model import CorrelationType


def window(scope: Scope) -> list[str]:
    """From rows with `an1498_time` (and how many events or values they stand for) to the times at which the condition begins to hold."""
    match scope.plan.correlation.type:
        case CorrelationType.EVENT_COUNT:
            return event_count(scope)
        case CorrelationType.TEMPORAL:
            return temporal(scope)
        case CorrelationType.VALUE_COUNT:
            return value_count(scope)
        case _:
            return value_aggregate(scope)
