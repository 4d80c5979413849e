"""ES|QL: `temporal_ordered`, as nearest pairs of events that meet in a bucket."""

from __future__ import annotations

from an1498.compiler.correlation import Plan
from an1498.compiler.esql_chains import happenings
from an1498.compiler.esql_parts import by, output


def ordered(plan: Plan) -> list[str]:
    """Stage by stage, nearest pairs: the last earlier event before each later one, then the first later one after each earlier one.

    With more than two stages the pairing stays inside windows of two buckets, and each event is in two of them, so that every sequence
    lies in one window whole; a completed pair's first event is the latest possible one, so MAX carries it along."""
    last = len(plan.stages)
    reach = plan.reach_s * 1000
    columns = [f"an1498_s{stage.number}" for stage in plan.stages]
    lines = [*happenings(plan), f"| EVAL an1498_order = {_order(plan)}"]
    if last == 2:
        box = "an1498_bucket"
        lines.append(
            f"| EVAL {box} = CASE(an1498_stage == 1, MV_APPEND(an1498_order / {reach}, an1498_order / {reach} + 1), an1498_order / {reach})"
        )
    else:
        box = "an1498_window"
        lines.append(f"| EVAL {box} = MV_APPEND(an1498_order / {reach} - 1, an1498_order / {reach})")
    split = ", ".join(
        f"{name} = CASE(an1498_stage == {stage.number}, an1498_order)" for name, stage in zip(columns, plan.stages, strict=True)
    )
    lines += [
        f"| MV_EXPAND {box}",
        f"| EVAL {split}",
        "| STATS " + ", ".join(f"{name} = VALUES({name})" for name in columns) + f" {by(plan, box)}",
        "| WHERE " + " AND ".join(f"{name} IS NOT NULL" for name in columns),
    ]
    first = columns[0]
    for number in range(2, last + 1):
        earlier, later = columns[number - 2], columns[number - 1]
        carried = [f"{name} = VALUES({name})" for name in columns[number:]]
        start = [f"{first} = MAX({first})"] if number > 2 else []
        pair = by(plan) if last == 2 else by(plan, box)
        # Real times: the offset of the later stage is taken off again; the first stage has none.
        span = (
            f"{later} - {first}"
            if not plan.stages[number - 1].offset_s
            else f"{later} - {plan.stages[number - 1].offset_s * 1000} - {first}"
        )
        lines += [
            f"| MV_EXPAND {later}",
            *([f"| MV_EXPAND {earlier}"] if number == 2 else []),
            f"| WHERE {earlier} < {later} AND {span} <= {plan.window_s * 1000}",
            "| STATS " + ", ".join([f"{earlier} = MAX({earlier})", *start, *carried]) + f" {pair}, {later}",
            "| STATS " + ", ".join([f"{later} = MIN({later})", *start, *carried]) + f" {pair}, {earlier}",
        ]
    if last > 2:
        lines.append(f"| STATS {first} = MAX({first}) {by(plan, columns[-1])}")
    offset = plan.stages[-1].offset_s * 1000
    return lines + output(plan, f"{columns[-1]} - {offset}" if offset else columns[-1], first)


def _order(plan: Plan) -> str:
    """The time in milliseconds, shifted by the stage's clock offset."""
    if not any(stage.offset_s for stage in plan.stages):
        return "TO_LONG(@timestamp)"
    cases = ", ".join(f"an1498_stage == {stage.number}, {stage.offset_s * 1000}" for stage in plan.stages if stage.offset_s)
    return f"TO_LONG(@timestamp) + CASE({cases}, 0)"
