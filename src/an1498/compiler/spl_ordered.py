"""SPL: `temporal_ordered`, as one pass over the sorted events per stage."""

from __future__ import annotations

from an1498.compiler.correlation import Plan
from an1498.compiler.spl_chains import happenings
from an1498.compiler.spl_parts import TIME_FIELD, branch, by, key_assignments, keyed, output


def ordered(plan: Plan) -> list[str]:
    """Stage by stage: an event of stage r completes if the event before it, among stage r and the completed sequences of stage
    r - 1, is such a sequence whose first event is within the window. At equal times later stages come first, so that they do not
    follow. `an1498_first` is the first event's time of the sequence that a row completes."""
    last = len(plan.stages)
    lines = [
        *(_bursts(plan) if plan.bursts_s else _events(plan)),
        "| sort 0 an1498_order, -an1498_stage",
        "| eval an1498_first=if(an1498_stage=1, _time, null())",
    ]
    for number in range(2, last + 1):
        lines += [
            f"| eval an1498_link_{number}=case(an1498_stage={number - 1}, an1498_first, an1498_stage={number}, -1)",
            f"| streamstats current=f last(an1498_link_{number}) as an1498_start_{number} {by(plan)}",
            f"| eval an1498_first=if(an1498_stage={number}, "
            f"if(an1498_start_{number}>=0 AND round(_time-an1498_start_{number}, 6)<={plan.window_s}, an1498_start_{number}, null()), "
            "an1498_first)",
        ]
    lines += [f"| where an1498_stage={last} AND isnotnull(an1498_first)", "| eval first_time=an1498_first"]
    return lines + output(plan, "first_time")


def _events(plan: Plan) -> list[str]:
    lines = ["| multisearch"]
    for stage in plan.stages:
        assigned = [f"an1498_stage={stage.number}", f"an1498_order={_shifted(stage.offset_s)}", *key_assignments(plan, stage)]
        lines.append(branch(stage, stage.condition, assigned))
    return [*lines, *keyed(plan, "an1498_stage"), "| fields " + ", ".join((TIME_FIELD, "an1498_stage", "an1498_order", *plan.keys))]


def _bursts(plan: Plan) -> list[str]:
    offsets = ", ".join(f"an1498_stage={stage.number}, {stage.offset_s}" for stage in plan.stages if stage.offset_s)
    return [*happenings(plan), f"| eval an1498_order=round(_time{f'+case({offsets}, true(), 0)' if offsets else ''}, 6)"]


def _shifted(offset_s: int) -> str:
    return f"round(_time+{offset_s}, 6)" if offset_s else "round(_time, 6)"
