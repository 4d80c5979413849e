"""ES|QL: what happens in the stages of a correlation: events, and in a chain (`chains.py`) bursts too, each at its time."""

from __future__ import annotations

from an1498.compiler.chains import burst_condition_text
from an1498.compiler.correlation import Plan
from an1498.compiler.esql_parts import COMPARISONS, PACK, by, last_misses, paired, staged


def happenings(plan: Plan) -> list[str]:
    """One row per group, stage and time, `@timestamp`. Without a chain these are the events."""
    if not plan.bursts_s:
        return staged(plan)
    stage = "an1498_stage"
    plain = [found.number for found in plan.stages if found.burst is None]
    ages = ", ".join(
        f"{stage} == {found.number}, an1498_age <= {found.burst.timespan_s * 1000}" for found in plan.stages if found.burst is not None
    )
    hits = [burst_condition_text(found.number, found.burst, "an1498_count", COMPARISONS) for found in plan.stages]
    lines = [
        *staged(plan),
        "| EVAL an1498_time = TO_LONG(@timestamp)",
        f"| STATS an1498_n = COUNT(*) {by(plan, stage, 'an1498_time')}",
        *paired(plan, f"an1498_time * {PACK} + an1498_n", stage, window_s=plan.bursts_s),
        f"| EVAL an1498_age = an1498_now - an1498_past / {PACK}",
        f"| WHERE an1498_age >= 0 AND CASE({ages}, an1498_age == 0)",
        f"| STATS an1498_count = SUM(an1498_past % {PACK}) {by(plan, stage, 'an1498_now')}",
        *last_misses(plan, " OR ".join(hits), stage),
    ]
    if plain:
        # Each plain event is a stretch of its own.
        lines.append(f"| EVAL an1498_miss = CASE({' OR '.join(f'{stage} == {number}' for number in plain)}, an1498_hit, an1498_miss)")
    return [
        *lines,
        f"| STATS an1498_hit = MIN(an1498_hit) {by(plan, stage, 'an1498_miss')}",
        "| EVAL @timestamp = TO_DATETIME(an1498_hit)",
    ]
