"""ES|QL: counts over a sliding window (`event_count`, `value_count`, `temporal`): each event time beside the events of its window.

Each takes rows with `an1498_time` and leaves the times at which its condition begins to hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from an1498.compiler.correlation import Stage
from an1498.compiler.esql_parts import COMPARISONS, PACK, Scope, inside, paired, per_stage, rising
from an1498.compiler.thresholds import bounds, presence

# Milliseconds since the epoch have 13 digits until the year 2286.
_TIME_DIGITS = 13


def event_count(scope: Scope) -> list[str]:
    """`an1498_n` is how many events of the group have a time."""
    return [
        *paired(scope, f"an1498_time * {PACK} + an1498_n"),
        f"| EVAL an1498_age = an1498_now - an1498_past / {PACK}",
        scope.where(inside(scope.plan)),
        f"| STATS an1498_count = SUM(an1498_past % {PACK}) {scope.by('an1498_now')}",
        *rising(scope, bounds(scope.plan, "an1498_count", COMPARISONS)),
    ]


def value_count(scope: Scope) -> list[str]:
    """Distinct by grouping, because COUNT_DISTINCT is approximate. An event without the value is an event time all the same."""
    return [
        *paired(scope, "CONCAT(TO_STRING(an1498_time), an1498_value)"),
        f"| EVAL an1498_age = an1498_now - TO_LONG(SUBSTRING(an1498_past, 1, {_TIME_DIGITS}))",
        f"| EVAL an1498_value = CASE({inside(scope.plan)}, SUBSTRING(an1498_past, {_TIME_DIGITS + 1}))",
        f"| STATS an1498_n = COUNT(*) {scope.by('an1498_now', 'an1498_value')}",
        f"| STATS an1498_count = COUNT(an1498_value) {scope.by('an1498_now')}",
        *rising(scope, bounds(scope.plan, "an1498_count", COMPARISONS)),
    ]


def temporal(scope: Scope) -> list[str]:
    """Which rules have an event in the window."""
    plan = scope.plan
    seen = [f"an1498_seen_{stage.number}" for stage in plan.stages]
    flags = ", ".join(
        f"{name} = MAX(CASE({inside(plan)} AND an1498_past % {PACK} == {stage.number}, 1, 0))"
        for name, stage in zip(seen, plan.stages, strict=True)
    )
    return [
        *paired(scope, f"an1498_time * {PACK} + {scope.stage}"),
        f"| EVAL an1498_age = an1498_now - an1498_past / {PACK}",
        f"| STATS {flags} {scope.by('an1498_now')}",
        "| EVAL an1498_count = " + " + ".join(seen),
        *rising(scope, presence(plan, "(an1498_seen_{} == 1)", "an1498_count", COMPARISONS)),
    ]


def value_text(stages: Sequence[Stage]) -> str:
    """The counted value as text; a combination with each part's length before it, so that combinations stay apart. Null for none."""
    parts = [per_stage(stages, [stage.values[index] for stage in stages], text=True) for index in range(len(stages[0].values))]
    return joined(parts)


def joined(parts: Sequence[str]) -> str:
    """The text of values that are text, one or more."""
    if len(parts) == 1:
        return parts[0]
    return "CONCAT(" + ', ":", '.join(f'TO_STRING(LENGTH({part})), ":", {part}' for part in parts) + ")"
