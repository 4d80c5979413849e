"""SPL: what happens in the stages of a chain (`chains.py`): events, and alerts of inner correlations, each at its time."""

from __future__ import annotations

from an1498.compiler.chains import all_columns
from an1498.compiler.correlation import Plan, Stage
from an1498.compiler.spl_counts import joined, value_text
from an1498.compiler.spl_ordered import order, ordered
from an1498.compiler.spl_parts import MINE, TIME_FIELD, TIMES, Scope, branch, key_assignments, keyed, stored_value
from an1498.compiler.spl_windows import window
from an1498.model import CorrelationType

_STAGE, _EDGE, _VALUE = "an1498_stage", "an1498_edge", "an1498_value"


def happenings(plan: Plan) -> list[str]:
    """One row per event and alert of the outermost correlation's stages: `_time`, `an1498_stage`, the group's columns."""
    columns = all_columns(member.keys for member in plan.family())
    extra = _extra(plan)
    lines = _events(plan, columns, extra)
    for member in plan.family():
        if member.number:
            lines += _alerts(member, columns, extra)
    return lines


def _extra(plan: Plan) -> tuple[str, ...]:
    """The further columns that the chain's rows need: edges where an inner window slides, values where any correlation is over values."""
    edges = any(member.number and not member.ordered for member in plan.family())
    values = any(member.correlation.condition.fields for member in plan.family())
    return (*((_EDGE,) if edges else ()), *((_VALUE,) if values else ()))


def _events(plan: Plan, columns: tuple[str, ...], extra: tuple[str, ...]) -> list[str]:
    """Every event; those that an inner window counts a second time, for when they leave it."""
    lines = ["| multisearch"]
    for edge in (0, 1):
        for owner, stage in plan.leaves():
            if edge and (owner.ordered or not owner.number):
                continue
            own = dict(zip(owner.keys, key_assignments(owner, stage), strict=True))
            assigned = [f"{_STAGE}={stage.number}", f"{TIMES}=1", *(own.get(column, f'{column}="-"') for column in columns)]
            assigned += [f"{_EDGE}={edge}"] if _EDGE in extra else []
            assigned += [f"{_VALUE}={_value(owner, stage)}"] if _VALUE in extra else []
            lines.append(branch(stage, stage.condition, assigned))
    distinct = keyed(plan, _STAGE, *((_EDGE,) if _EDGE in extra else ()), keys=columns)
    return [*lines, *distinct, "| fields " + ", ".join((TIME_FIELD, _STAGE, TIMES, *columns, *extra))]


def _value(owner: Plan, stage: Stage) -> str:
    """The value as text, "" for none."""
    if not stage.values:
        return '""'
    if owner.correlation.type is CorrelationType.VALUE_COUNT:
        return value_text(stage)
    return f'coalesce({stored_value(stage, stage.values[0])}, "")'


def _alerts(plan: Plan, columns: tuple[str, ...], extra: tuple[str, ...]) -> list[str]:
    """Put the alerts of an inner correlation into the place of its events."""
    scope = Scope(plan, columns, tuple(f"{name}_kept" for name in extra))
    first, last, own = plan.stages[0].number, plan.stages[-1].number, plan.number
    among = f"{_STAGE}={first}" if first == last else f"{_STAGE}>={first} AND {_STAGE}<={last}"
    kept = {_EDGE: f"{_EDGE}_kept=if({MINE}={own}, 0, {_EDGE})", _VALUE: f'{_VALUE}_kept=if({MINE}={own}, "", {_VALUE})'}
    lines = [f"| eval {', '.join([f'{MINE}=if({among}, {own}, {_STAGE})', *(kept[name] for name in extra)])}"]
    if plan.ordered:
        time = TIME_FIELD
        lines += [order(plan), *ordered(scope)]
    else:
        time = "an1498_time"
        lines += [*_leave_later(plan), *window(scope)]
    more = [column for column in columns if column not in plan.outer]
    restored = [f"{TIME_FIELD}={time}"] if time != TIME_FIELD else []
    restored += [f"{_STAGE}={MINE}", f"{TIMES}=if({MINE}={own}, 1, {TIMES})", *(f"{name}={name}_kept" for name in extra)]
    if plan.counted:
        restored.append(f"{_VALUE}=if({MINE}={own}, {joined(plan.counted)}, {_VALUE})")
    restored += [f'{column}=if({MINE}={own}, "-", {column})' for column in more]
    return [*lines, f"| eval {', '.join(restored)}"]


def _leave_later(plan: Plan) -> list[str]:
    """Alerts that an inner window counts leave it too; events are there twice from the start."""
    if not plan.inner:
        return []
    alerts = " OR ".join(f"{_STAGE}={stage.number}" for stage in plan.inner)
    return [
        f'| eval {_EDGE}=if({alerts}, mvappend("0", "1"), tostring({_EDGE}))',
        f"| mvexpand {_EDGE}",
        f"| eval {_EDGE}=tonumber({_EDGE})",
    ]
