"""ES|QL: `temporal_ordered`, as nearest pairs of events that meet in a bucket."""

from __future__ import annotations

from an1498.compiler.correlation import Plan
from an1498.compiler.esql_parts import Scope


def ordered(scope: Scope, time: str) -> list[str]:
    """Stage by stage, nearest pairs: the last earlier event before each later one, then the first later one after each earlier one.

    With more than two stages the pairing stays inside windows of two buckets, and each event is in two of them, so that every sequence
    lies in one window whole; a completed pair's first event is the latest possible one, so MAX carries it along. `time` is an event's
    in milliseconds; `ends` says where those of a sequence's first and last event are."""
    plan = scope.plan
    last = len(plan.stages)
    reach = plan.reach_s * 1000
    columns = [f"an1498_s{stage.number}" for stage in plan.stages]
    lines = [f"| EVAL an1498_order = {_order(scope, time)}"]
    if last == 2:
        box = "an1498_bucket"
        own = f"an1498_order / {reach}"
        first_stage = f"{scope.stage} == {plan.stages[0].number}"
        lines.append(f"| EVAL {box} = CASE({first_stage}, MV_APPEND({own}, {own} + 1), {own})")
    else:
        box = "an1498_window"
        lines.append(f"| EVAL {box} = MV_APPEND(an1498_order / {reach} - 1, an1498_order / {reach})")
    split = ", ".join(
        f"{name} = CASE({scope.stage} == {stage.number}, an1498_order)" for name, stage in zip(columns, plan.stages, strict=True)
    )
    lines += [
        f"| MV_EXPAND {box}",
        f"| EVAL {split}",
        "| STATS " + ", ".join(f"{name} = VALUES({name})" for name in columns) + f" {scope.by(box)}",
        scope.where(" AND ".join(f"{name} IS NOT NULL" for name in columns)),
    ]
    first = columns[0]
    for number in range(2, last + 1):
        earlier, later = columns[number - 2], columns[number - 1]
        carried = [f"{name} = VALUES({name})" for name in columns[number:]]
        start = [f"{first} = MAX({first})"] if number > 2 else []
        pair = scope.by() if last == 2 else scope.by(box)
        # Real times: the offset of the later stage is taken off again; the first stage has none.
        span = (
            f"{later} - {first}"
            if not plan.stages[number - 1].offset_s
            else f"{later} - {plan.stages[number - 1].offset_s * 1000} - {first}"
        )
        lines += [
            f"| MV_EXPAND {later}",
            *([f"| MV_EXPAND {earlier}"] if number == 2 else []),
            scope.where(f"{earlier} < {later} AND {span} <= {plan.window_s * 1000}"),
            "| STATS " + ", ".join([f"{earlier} = MAX({earlier})", *start, *carried]) + f" {pair}, {later}",
            "| STATS " + ", ".join([f"{later} = MIN({later})", *start, *carried]) + f" {pair}, {earlier}",
        ]
    if last > 2:
        lines.append(f"| STATS {first} = MAX({first}) {scope.by(columns[-1])}")
    return lines


def ends(plan: Plan) -> tuple[str, str]:
    """The real times of the last and the first event of a sequence."""
    last = plan.stages[-1]
    offset = f" - {last.offset_s * 1000}" if last.offset_s else ""
    return f"an1498_s{last.number}{offset}", f"an1498_s{plan.stages[0].number}"


def _order(scope: Scope, time: str) -> str:
    """The time in milliseconds, shifted by the stage's clock offset."""
    stages = scope.plan.stages
    if not any(stage.offset_s for stage in stages):
        return time
    cases = ", ".join(f"{scope.stage} == {stage.number}, {stage.offset_s * 1000}" for stage in stages if stage.offset_s)
    return f"{time} + CASE({cases}, 0)"
