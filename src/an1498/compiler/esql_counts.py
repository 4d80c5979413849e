"""ES|QL: counts over a sliding window (`event_count`, `value_count`, `temporal`): each event time beside the events of its window."""

from __future__ import annotations

from collections.abc import Sequence

from an1498.compiler.correlation import Plan, Stage
from an1498.compiler.esql_chains import happenings
from an1498.compiler.esql_parts import COMPARISONS, PACK, by, counted, inside, paired, per_stage, rising_edge
from an1498.compiler.thresholds import bounds, presence

# Milliseconds since the epoch have 13 digits until the year 2286.
_TIME_DIGITS = 13


def event_count(plan: Plan) -> list[str]:
    plan.branches()
    lines = [
        *(happenings(plan) if plan.bursts_s else counted(plan)),
        "| EVAL an1498_time = TO_LONG(@timestamp)",
        f"| STATS an1498_n = COUNT(*) {by(plan, 'an1498_time')}",
        *paired(plan, f"an1498_time * {PACK} + an1498_n"),
        f"| EVAL an1498_age = an1498_now - an1498_past / {PACK}",
        f"| WHERE {inside(plan)}",
        f"| STATS an1498_count = SUM(an1498_past % {PACK}) {by(plan, 'an1498_now')}",
    ]
    return lines + rising_edge(plan, bounds(plan, "an1498_count", COMPARISONS))


def value_count(plan: Plan) -> list[str]:
    """Distinct by grouping, because COUNT_DISTINCT is approximate. An event without the value is an event time all the same."""
    plan.branches()
    lines = [
        *counted(plan, _value),
        "| EVAL an1498_time = TO_LONG(@timestamp)",
        *paired(plan, "CONCAT(TO_STRING(an1498_time), an1498_value)"),
        f"| EVAL an1498_age = an1498_now - TO_LONG(SUBSTRING(an1498_past, 1, {_TIME_DIGITS}))",
        f"| EVAL an1498_value = CASE({inside(plan)}, SUBSTRING(an1498_past, {_TIME_DIGITS + 1}))",
        f"| STATS an1498_n = COUNT(*) {by(plan, 'an1498_now', 'an1498_value')}",
        f"| STATS an1498_count = COUNT(an1498_value) {by(plan, 'an1498_now')}",
    ]
    return lines + rising_edge(plan, bounds(plan, "an1498_count", COMPARISONS))


def temporal(plan: Plan) -> list[str]:
    """Which rules have an event in the window."""
    seen = [f"an1498_seen_{stage.number}" for stage in plan.stages]
    flags = ", ".join(
        f"{name} = MAX(CASE({inside(plan)} AND an1498_past % {PACK} == {stage.number}, 1, 0))"
        for name, stage in zip(seen, plan.stages, strict=True)
    )
    lines = [
        *happenings(plan),
        "| EVAL an1498_time = TO_LONG(@timestamp)",
        *paired(plan, f"an1498_time * {PACK} + an1498_stage"),
        f"| EVAL an1498_age = an1498_now - an1498_past / {PACK}",
        f"| STATS {flags} {by(plan, 'an1498_now')}",
        "| EVAL an1498_count = " + " + ".join(seen),
    ]
    return lines + rising_edge(plan, presence(plan, "(an1498_seen_{} == 1)", "an1498_count", COMPARISONS))


def _value(stages: Sequence[Stage]) -> str:
    """The counted value as text; a combination with each part's length before it, so that combinations stay apart. Null for none."""
    parts = [per_stage(stages, [stage.values[index] for stage in stages], text=True) for index in range(len(stages[0].values))]
    if len(parts) == 1:
        return parts[0]
    return "CONCAT(" + ', ":", '.join(f'TO_STRING(LENGTH({part})), ":", {part}' for part in parts) + ")"
