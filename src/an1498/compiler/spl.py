"""SPL: event searches, and correlations as one streaming pipeline.

Language rules, from the Splunk Search Reference: events come newest first ("search"), so order is always made by `sort 0` (without 0,
sort keeps 10,000); `multisearch` needs streaming subsearches, two or more, and has no subsearch limits; `streamstats` without window
looks at all earlier results of its `by` group, `current=f` leaves out the present one, `last` skips null; rows with a null by-field are
left out of stats, hence the `where isnotnull` before; a macro in backticks stands first, outside any OR.
`_time` has microseconds: times are rounded to six decimals wherever they are compared, because binary fractions are not exact.
"""

from __future__ import annotations

from collections.abc import Sequence

from sigma.conditions import ConditionOR

from an1498.compiler.conditions import EventCondition
from an1498.compiler.correlation import OPERATORS, Plan, Stage
from an1498.compiler.refusal import Refusal
from an1498.compiler.spl_conditions import condition, field
from an1498.compiler.thresholds import bounds, presence
from an1498.model import CorrelationType

TIME_FIELD = "_time"
# No value holds a line feed as it is (`spl_conditions.py`), so this stands only where it was put.
_DEFERRED = "\n| where "
_OPERATORS = {**OPERATORS, "eq": "="}


def event_search(found: EventCondition) -> str:
    """The search of an event rule."""
    return _selection(found)


def stage_text(found: EventCondition) -> str:
    """The condition alone, for `Search.stages`."""
    return _selection(found)


def correlation_search(plan: Plan) -> str:
    """The search of a correlation. Raises Refusal."""
    match plan.correlation.type:
        case CorrelationType.TEMPORAL_ORDERED:
            lines = _ordered(plan)
        case CorrelationType.EVENT_COUNT:
            lines = _event_count(plan)
        case CorrelationType.VALUE_COUNT:
            lines = _value_count(plan)
        case CorrelationType.TEMPORAL:
            lines = _temporal(plan)
        case kind:
            raise Refusal(f"the correlation type {kind}", "use temporal_ordered, temporal, event_count or value_count")
    return "\n".join(lines)


# --- selection -----------------------------------------------------------------------------------------------------------------


def _selection(found: EventCondition) -> str:
    """The macro first, where nothing can OR it away, then the terms, then the deferred condition on a line of its own."""
    return found.text("spl", _render)


def _render(found: EventCondition) -> str:
    parts = condition(found.source, found.tree)
    macro = f"`{found.source.macro}`" if found.source.macro else ""
    terms = f"({parts.search})" if parts.search else ""
    text = " ".join(filter(None, (macro, terms))) or "*"
    return text + (f"{_DEFERRED}{parts.where}" if parts.where else "")


def _any_of(stages: Sequence[Stage]) -> EventCondition:
    """The events of any of the stages, which share a source: an event that matches two rules is one event."""
    first = stages[0].condition
    if len(stages) == 1:
        return first
    return EventCondition(first.rule, first.source, ConditionOR([stage.condition.tree for stage in stages]), first.fields)


def _branch(found: EventCondition, assignments: Sequence[str]) -> str:
    return f"    [ search {_selection(found).replace(_DEFERRED, ' | where ')} | eval {', '.join(assignments)} ]"


def _key_assignments(plan: Plan, stage: Stage) -> list[str]:
    return [f"{column}={field(key.indexed)}" for column, key in zip(plan.keys, stage.keys, strict=True)]


def _keyed(plan: Plan) -> str:
    return "| where " + " AND ".join(f"isnotnull({column})" for column in plan.keys)


def _by(plan: Plan, *more: str) -> str:
    return "by " + ", ".join((*plan.keys, *more))


def _output(plan: Plan, *columns: str) -> list[str]:
    renames = ", ".join(f"{column} as {_name(group)}" for column, group in zip(plan.keys, plan.groups, strict=True))
    return [f"| rename {renames}", "| table " + ", ".join((TIME_FIELD, *map(_name, plan.groups), *columns))]


def _name(group: str) -> str:
    return group if group.replace("_", "a").isalnum() else f'"{group}"'


# --- temporal_ordered ------------------------------------------------------------------------------------------------------------


def _ordered(plan: Plan) -> list[str]:
    """Stage by stage: an event of stage r completes if the event before it, among stage r and the completed sequences of stage
    r - 1, is such a sequence whose first event is within the window. At equal times later stages come first, so that they do not
    follow. `an1498_first` is the first event's time of the sequence that a row completes."""
    last = len(plan.stages)
    lines = ["| multisearch"]
    for stage in plan.stages:
        assigned = [f"an1498_stage={stage.number}", f"an1498_order={_shifted(stage.offset_s)}", *_key_assignments(plan, stage)]
        lines.append(_branch(stage.condition, assigned))
    lines += [
        _keyed(plan),
        "| fields " + ", ".join((TIME_FIELD, "an1498_stage", "an1498_order", *plan.keys)),
        "| sort 0 an1498_order, -an1498_stage",
        "| eval an1498_first=if(an1498_stage=1, _time, null())",
    ]
    for number in range(2, last + 1):
        lines += [
            f"| eval an1498_link_{number}=case(an1498_stage={number - 1}, an1498_first, an1498_stage={number}, -1)",
            f"| streamstats current=f last(an1498_link_{number}) as an1498_start_{number} {_by(plan)}",
            f"| eval an1498_first=if(an1498_stage={number}, "
            f"if(an1498_start_{number}>=0 AND round(_time-an1498_start_{number}, 6)<={plan.window_s}, an1498_start_{number}, null()), "
            "an1498_first)",
        ]
    lines += [f"| where an1498_stage={last} AND isnotnull(an1498_first)", "| eval first_time=an1498_first"]
    return lines + _output(plan, "first_time")


def _shifted(offset_s: int) -> str:
    return f"round(_time+{offset_s}, 6)" if offset_s else "round(_time, 6)"


# --- sliding windows -------------------------------------------------------------------------------------------------------------


def _edges(plan: Plan, value: bool = False) -> list[str]:
    """Every event twice: entering the window (edge 0) and, W later, leaving it (edge 1)."""
    lines = ["| multisearch"]
    for edge in (0, 1):
        for branch in plan.branches():
            assigned = [f"an1498_edge={edge}", *_key_assignments(plan, branch.first)]
            if value:
                assigned.append(f"an1498_value={_value(branch.first)}")
            lines.append(_branch(_any_of(branch.stages), assigned))
    columns = (TIME_FIELD, "an1498_edge", *(["an1498_value"] if value else []), *plan.keys)
    return [*lines, _keyed(plan), "| fields " + ", ".join(columns)]


def _value(stage: Stage) -> str:
    """The counted value, or combination of values, prefixed by its length so that combinations stay apart; "" for none."""
    names = [field(row.indexed) for row in stage.values]
    present = " AND ".join(f"isnotnull({name})" for name in names)
    joined = '.":".'.join(f'len({name}).":".{name}' for name in names) if len(names) > 1 else f'"=".{names[0]}'
    return f'if({present}, {joined}, "")'


def _leaving(plan: Plan) -> str:
    """An event leaves just after t + W: at that very time it is still inside."""
    return f"| eval an1498_time=round(_time+if(an1498_edge=1, {plan.window_s}, 0), 6)"


def _event_count(plan: Plan) -> list[str]:
    lines = [
        *_edges(plan),
        _leaving(plan),
        "| stats sum(eval(if(an1498_edge=0, 1, 0))) as an1498_in, sum(eval(if(an1498_edge=1, 1, 0))) as an1498_out "
        + _by(plan, "an1498_time"),
        "| sort 0 an1498_time",
        f"| streamstats sum(an1498_in) as an1498_entered {_by(plan)}",
        f"| streamstats current=f sum(an1498_out) as an1498_left {_by(plan)}",
        "| where an1498_in>0",
        "| eval event_count=an1498_entered-coalesce(an1498_left, 0)",
    ]
    return lines + _rising_edge(plan, bounds(plan, "event_count", _OPERATORS), "event_count")


def _value_count(plan: Plan) -> list[str]:
    """A value is in the window from its first event until W after the last one before a gap of more than W."""
    before, after = "round(an1498_time-an1498_before, 6)", "round(an1498_after-an1498_time, 6)"
    lines = [
        *_edges(plan, value=True),
        "| eval an1498_time=round(_time, 6)",
        "| sort 0 an1498_time",
        f"| streamstats current=f last(an1498_time) as an1498_before {_by(plan, 'an1498_edge', 'an1498_value')}",
        "| sort 0 -an1498_time",
        f"| streamstats current=f last(an1498_time) as an1498_after {_by(plan, 'an1498_edge', 'an1498_value')}",
        "| eval an1498_point=if(an1498_edge=0, 1, 0), "
        f'an1498_in=if(an1498_edge=0 AND an1498_value!="" AND (isnull(an1498_before) OR {before}>{plan.window_s}), 1, 0), '
        f'an1498_out=if(an1498_edge=1 AND an1498_value!="" AND (isnull(an1498_after) OR {after}>{plan.window_s}), 1, 0)',
        _leaving(plan),
        "| stats sum(an1498_point) as an1498_points, sum(an1498_in) as an1498_in, sum(an1498_out) as an1498_out "
        + _by(plan, "an1498_time"),
        "| sort 0 an1498_time",
        f"| streamstats sum(an1498_in) as an1498_entered {_by(plan)}",
        f"| streamstats current=f sum(an1498_out) as an1498_left {_by(plan)}",
        "| where an1498_points>0",
        "| eval value_count=an1498_entered-coalesce(an1498_left, 0)",
    ]
    return lines + _rising_edge(plan, bounds(plan, "value_count", _OPERATORS), "value_count")


def _temporal(plan: Plan) -> list[str]:
    """A count per rule; a rule is present where its count is not zero."""
    lines = ["| multisearch"]
    for edge in (0, 1):
        for stage in plan.stages:
            lines.append(_branch(stage.condition, [f"an1498_edge={edge}", f"an1498_stage={stage.number}", *_key_assignments(plan, stage)]))
    numbers = [stage.number for stage in plan.stages]
    sums = ", ".join(
        f"sum(eval(if(an1498_edge={edge} AND an1498_stage={number}, 1, 0))) as an1498_{word}_{number}"
        for number in numbers
        for edge, word in ((0, "in"), (1, "out"))
    )
    lines += [
        _keyed(plan),
        "| fields " + ", ".join((TIME_FIELD, "an1498_edge", "an1498_stage", *plan.keys)),
        _leaving(plan),
        f"| stats sum(eval(if(an1498_edge=0, 1, 0))) as an1498_points, {sums} {_by(plan, 'an1498_time')}",
        "| sort 0 an1498_time",
        "| streamstats " + ", ".join(f"sum(an1498_in_{n}) as an1498_entered_{n}" for n in numbers) + f" {_by(plan)}",
        "| streamstats current=f " + ", ".join(f"sum(an1498_out_{n}) as an1498_left_{n}" for n in numbers) + f" {_by(plan)}",
        "| where an1498_points>0",
        "| eval " + ", ".join(f"an1498_seen_{n}=if(an1498_entered_{n}-coalesce(an1498_left_{n}, 0)>0, 1, 0)" for n in numbers),
        "| eval rule_count=" + "+".join(f"an1498_seen_{n}" for n in numbers),
    ]
    return lines + _rising_edge(plan, presence(plan, "(an1498_seen_{}=1)", "rule_count", _OPERATORS), "rule_count")


def _rising_edge(plan: Plan, condition_text: str, *columns: str) -> list[str]:
    """One alert where the condition holds and did not at the group's event time before."""
    return [
        f"| eval an1498_hit=if({condition_text}, 1, 0)",
        f"| streamstats current=f last(an1498_hit) as an1498_was {_by(plan)}",
        "| where an1498_hit=1 AND coalesce(an1498_was, 0)=0",
        f"| eval _time=an1498_time, first_time=round(an1498_time-{plan.window_s}, 6)",
        *_output(plan, "first_time", *columns),
    ]
