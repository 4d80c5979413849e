"""SPL: `temporal_ordered`, as one pass over the sorted events per stage."""

from __future__ import annotations

from itertools import pairwise

from an1498.compiler.correlation import Plan
from an1498.compiler.spl_parts import TIME_FIELD, Scope, branch, key_assignments, keyed


def ordered(scope: Scope) -> list[str]:
    """Stage by stage: an event of stage r completes if the event before it, among stage r and the completed sequences of stage
    r - 1, is such a sequence whose first event is within the window. At equal times later stages come first, so that they do not
    follow. `an1498_first` is the first event's time of the sequence that a row completes. Takes rows with `an1498_order`."""
    plan = scope.plan
    numbers = [stage.number for stage in plan.stages]
    lines = ["| sort 0 an1498_order, -an1498_stage", f"| eval an1498_first=if(an1498_stage={numbers[0]}, _time, null())"]
    for before, number in pairwise(numbers):
        lines += [
            f"| eval an1498_link_{number}=case(an1498_stage={before}, an1498_first, an1498_stage={number}, -1)",
            f"| streamstats current=f last(an1498_link_{number}) as an1498_start_{number} {scope.by()}",
            f"| eval an1498_first=if(an1498_stage={number}, "
            f"if(an1498_start_{number}>=0 AND round(_time-an1498_start_{number}, 6)<={plan.window_s}, an1498_start_{number}, null()), "
            "an1498_first)",
        ]
    return [*lines, scope.where(f"an1498_stage={numbers[-1]} AND isnotnull(an1498_first)")]


def staged(plan: Plan) -> list[str]:
    """The events of every stage."""
    lines = ["| multisearch"]
    for stage in plan.events:
        assigned = [f"an1498_stage={stage.number}", f"an1498_order={_shifted(stage.offset_s)}", *key_assignments(plan, stage)]
        lines.append(branch(stage, stage.condition, assigned))
    return [*lines, *keyed(plan, "an1498_stage"), "| fields " + ", ".join((TIME_FIELD, "an1498_stage", "an1498_order", *plan.keys))]


def order(plan: Plan) -> str:
    """The column `an1498_order` for rows of a chain."""
    offsets = ", ".join(f"an1498_stage={stage.number}, {stage.offset_s}" for stage in plan.stages if stage.offset_s)
    return f"| eval an1498_order=round(_time{f'+case({offsets}, true(), 0)' if offsets else ''}, 6)"


def _shifted(offset_s: int) -> str:
    return f"round(_time+{offset_s}, 6)" if offset_s else "round(_time, 6)"
