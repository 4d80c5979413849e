"""SPL: what happens in the stages of a chain (`chains.py`): bursts and plain events, each at its time."""

from __future__ import annotations

from an1498.compiler.chains import burst_condition_text
from an1498.compiler.correlation import Plan
from an1498.compiler.spl_parts import COMPARISONS, TIME_FIELD, by, staged_edges


def happenings(plan: Plan) -> list[str]:
    """One row per group, stage and time, `_time`: the count of every stage's events in its window, and the rising edges of bursts."""
    stage = "an1498_stage"
    windows = ", ".join(f"{stage}={found.number}, {found.burst.timespan_s}" for found in plan.stages if found.burst is not None)
    hits = [burst_condition_text(found.number, found.burst, "an1498_count", COMPARISONS) for found in plan.stages]
    edges = ["coalesce(an1498_was, 0)=0", *(f"{stage}={found.number}" for found in plan.stages if found.burst is None)]
    edge = edges[0] if len(edges) == 1 else f"({' OR '.join(edges)})"
    return [
        *staged_edges(plan),
        # An event leaves just after the end of its window: at that very time it is still inside.
        f"| eval an1498_time=round(_time+if(an1498_edge=1, case({windows}), 0), 6)",
        "| stats sum(eval(if(an1498_edge=0, 1, 0))) as an1498_in, sum(eval(if(an1498_edge=1, 1, 0))) as an1498_out "
        + by(plan, stage, "an1498_time"),
        "| sort 0 an1498_time",
        f"| streamstats sum(an1498_in) as an1498_entered {by(plan, stage)}",
        f"| streamstats current=f sum(an1498_out) as an1498_left {by(plan, stage)}",
        "| where an1498_in>0",
        "| eval an1498_count=an1498_entered-coalesce(an1498_left, 0)",
        f"| eval an1498_hit=if({' OR '.join(hits)}, 1, 0)",
        f"| streamstats current=f last(an1498_hit) as an1498_was {by(plan, stage)}",
        f"| where an1498_hit=1 AND {edge}",
        f"| eval {TIME_FIELD}=an1498_time",
        "| fields " + ", ".join((TIME_FIELD, stage, *plan.keys)),
    ]
