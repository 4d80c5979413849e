"""ES|QL: what happens in the stages of a chain (`chains.py`): events, and alerts of inner correlations, each at its time."""

from __future__ import annotations

from collections.abc import Sequence

from an1498.compiler.chains import all_columns
from an1498.compiler.correlation import Plan, Stage
from an1498.compiler.esql_counts import joined, value_text
from an1498.compiler.esql_ordered import ends, ordered
from an1498.compiler.esql_parts import PACK, PASSING, Scope, numbered, once, per_stage, present
from an1498.compiler.esql_values import number
from an1498.compiler.esql_windows import window
from an1498.compiler.window_values import CALCULATED
from an1498.model import CorrelationType, LayoutField

_STAGE, _TIME, _TIMES, _VALUE, _KEPT = "an1498_stage", "an1498_time", "an1498_n", "an1498_value", "an1498_kept"


def happenings(plan: Plan) -> list[str]:
    """One row per time of the events and alerts of a stage: `@timestamp` and `an1498_time`, how many (`an1498_n`), `an1498_stage`, the
    group's columns."""
    columns = all_columns(member.keys for member in plan.family())
    inner = [member for member in plan.family() if member.number]
    extra = (_VALUE,) if any(member.correlation.condition.fields for member in plan.family()) else ()
    lines = _events(plan, columns, extra)
    for member in inner:
        lines += _alerts(member, columns, extra)
    return [*lines, f"| EVAL @timestamp = TO_DATETIME({_TIME})"]


def _events(plan: Plan, columns: tuple[str, ...], extra: tuple[str, ...]) -> list[str]:
    leaves = list(plan.leaves())
    assigned = [f"{name} = {_key(leaves, name, text=name not in plan.keys)}" for name in columns]
    more = [f"{_VALUE} = {_value(leaves)}"] if extra else []
    return [
        *numbered([stage for _, stage in leaves]),
        "| EVAL " + ", ".join(assigned),
        present(columns),
        "| EVAL " + ", ".join([f"{_TIME} = TO_LONG(@timestamp)", *more]),
        *once(plan, (*columns, _STAGE, _TIME, *extra)),
        f"| STATS {_TIMES} = COUNT(*) BY " + ", ".join((*columns, _STAGE, _TIME, *extra)),
    ]


def _key(leaves: Sequence[tuple[Plan, Stage]], name: str, *, text: bool) -> str:
    """The column's field per stage, as text where it is not of the outermost group: it is empty in stages that do not have it."""
    rows: list[tuple[Stage, LayoutField]] = [
        (stage, dict(zip(owner.keys, stage.keys, strict=True))[name]) for owner, stage in leaves if name in owner.keys
    ]
    without = [stage for owner, stage in leaves if name not in owner.keys]
    found = per_stage([stage for stage, _ in rows], [row for _, row in rows], text=text)
    if not without:
        return found
    return f'CASE({" OR ".join(f"{_STAGE} == {stage.number}" for stage in without)}, "", {found})'


def _value(leaves: Sequence[tuple[Plan, Stage]]) -> str:
    """The value as text, null for none."""
    cases = []
    for owner, stage in leaves:
        if stage.values:
            counted = owner.correlation.type is CorrelationType.VALUE_COUNT
            cases.append(f"{_STAGE} == {stage.number}, {value_text([stage]) if counted else f'TO_STRING({number([stage])})'}")
    # Alerts alone are counted: no event has a value, which is what CASE gives where nothing holds.
    return f"CASE({', '.join(cases)})" if cases else f'CASE({_STAGE} < 0, "")'


def _alerts(plan: Plan, columns: tuple[str, ...], extra: tuple[str, ...]) -> list[str]:
    """Put the alerts of an inner correlation into the place of its events."""
    scope = Scope(plan, columns, (_STAGE, PASSING, *((_KEPT,) if extra else ())))
    first, last = plan.stages[0].number, plan.stages[-1].number
    among = f"{_STAGE} == {first}" if first == last else f"{_STAGE} >= {first} AND {_STAGE} <= {last}"
    foreign = f"{scope.stage} IS NULL"
    entered = [
        f"{PASSING} = CASE({foreign}, {_TIME} * {PACK} + {_TIMES})",
        *([f"{_KEPT} = CASE({foreign}, {_VALUE})"] if extra else []),
        f"{_STAGE} = CASE({foreign}, {_STAGE}, {plan.number})",
        f"{_TIME} = CASE({foreign}, NULL, {_TIME})",
    ]
    lines = [f"| EVAL {scope.stage} = CASE({among}, {_STAGE})", "| EVAL " + ", ".join(entered)]
    if plan.ordered:
        alert, _ = ends(plan)
        lines += ordered(scope, _TIME)
    else:
        alert = "an1498_hit"
        lines += [*_counted_rows(scope), *window(scope)]
    counted = (
        f"CASE({_STAGE} == {plan.number}, {joined([f'TO_STRING({name})' for name in plan.counted])}, {_KEPT})" if plan.counted else _KEPT
    )
    left = [
        f"{_TIME} = COALESCE({alert}, {PASSING} / {PACK})",
        f"{_TIMES} = COALESCE({PASSING} % {PACK}, TO_LONG(1))",
        *([f"{_VALUE} = {counted}"] if extra else []),
    ]
    lines.append("| EVAL " + ", ".join(left))
    more = [name for name in columns if name in plan.keys and name not in plan.outer]
    if more:
        lines += [
            "| EVAL " + ", ".join(f'{name} = CASE({_STAGE} == {plan.number}, "", {name})' for name in more),
            f"| STATS {_TIMES} = SUM({_TIMES}) BY " + ", ".join((*columns, _STAGE, _TIME, *extra)),
        ]
    return lines


def _counted_rows(scope: Scope) -> list[str]:
    """Rows as the windows take them: values as numbers where they calculate, events of one time as one number where they count."""
    kind = scope.plan.correlation.type
    if kind in CALCULATED:
        return [f"| EVAL {_VALUE} = TO_DOUBLE({_VALUE})", *_added_up(scope, _VALUE)]
    return _added_up(scope) if kind is CorrelationType.EVENT_COUNT else []


def _added_up(scope: Scope, *more: str) -> list[str]:
    """Events of one time from several stages as one number: VALUES would drop equal ones."""
    several = len(scope.plan.inner) + len(scope.plan.branches()) > 1
    return [f"| STATS {_TIMES} = SUM({_TIMES}) {scope.by(_TIME, *more)}"] if several else []
