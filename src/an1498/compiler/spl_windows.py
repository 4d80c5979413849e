"""SPL: which window a correlation has, by its type."""

from __future__ import annotations

from an1498.compiler.spl_counts import event_count, temporal, value_count
from an1498.compiler.spl_parts import MINE, Scope
from an1498.compiler.spl_values import value_aggregate
from an1498.compiler.window_values import VALUE
from an1498.model import CorrelationType


def window(scope: Scope) -> list[str]:
    """From rows that are there twice, entering and leaving, to those at which the condition begins to hold."""
    match scope.plan.correlation.type:
        case CorrelationType.EVENT_COUNT:
            return event_count(scope)
        case CorrelationType.TEMPORAL:
            return temporal(scope)
        case CorrelationType.VALUE_COUNT:
            return value_count(scope)
        case _:
            # In a chain every value is a text.
            read = [f"| eval {VALUE}=if({MINE}={scope.plan.number}, tonumber({VALUE}), null())"] if scope.inner else []
            return [*read, *value_aggregate(scope)]
