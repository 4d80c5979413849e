"""SPL: counts over a sliding window (`event_count`, `value_count`, `temporal`): what has entered the window less what has left it.

Each takes rows that are there twice, entering and leaving, and leaves those at which its condition begins to hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from an1498.compiler.correlation import Stage
from an1498.compiler.spl_parts import COMPARISONS, TIMES, Scope, leaving, rising, stored_value
from an1498.compiler.thresholds import bounds, presence


def value_text(stage: Stage) -> str:
    """The counted value, or combination of values, prefixed by its length so that combinations stay apart; "" for none."""
    names = [stored_value(stage, row) for row in stage.values]
    present = " AND ".join(f"isnotnull({name})" for name in names)
    return f'if({present}, {joined(names)}, "")'


def joined(names: Sequence[str]) -> str:
    """The text of present values, one or more."""
    return '.":".'.join(f'len({name}).":".{name}' for name in names) if len(names) > 1 else f'"=".{names[0]}'


def event_count(scope: Scope) -> list[str]:
    one = TIMES if scope.plan.inner or scope.inner else "1"
    return [
        leaving(scope),
        f"| stats sum(eval(if(an1498_edge=0, {one}, 0))) as an1498_in, sum(eval(if(an1498_edge=1, {one}, 0))) as an1498_out"
        f"{scope.grouped('an1498_time')}",
        "| sort 0 an1498_time",
        f"| streamstats sum(an1498_in) as an1498_entered {scope.by()}",
        f"| streamstats current=f sum(an1498_out) as an1498_left {scope.by()}",
        scope.where("an1498_in>0"),
        "| eval event_count=an1498_entered-coalesce(an1498_left, 0)",
        *rising(scope, bounds(scope.plan, "event_count", COMPARISONS)),
    ]


def value_count(scope: Scope) -> list[str]:
    """A value is in the window from its first event until W after the last one before a gap of more than W."""
    before, after = "round(an1498_time-an1498_before, 6)", "round(an1498_after-an1498_time, 6)"
    window_s = scope.plan.window_s
    return [
        "| eval an1498_time=round(_time, 6)",
        "| sort 0 an1498_time",
        f"| streamstats current=f last(an1498_time) as an1498_before {scope.by('an1498_edge', 'an1498_value')}",
        "| sort 0 -an1498_time",
        f"| streamstats current=f last(an1498_time) as an1498_after {scope.by('an1498_edge', 'an1498_value')}",
        "| eval an1498_point=if(an1498_edge=0, 1, 0), "
        f'an1498_in=if(an1498_edge=0 AND an1498_value!="" AND (isnull(an1498_before) OR {before}>{window_s}), 1, 0), '
        f'an1498_out=if(an1498_edge=1 AND an1498_value!="" AND (isnull(an1498_after) OR {after}>{window_s}), 1, 0)',
        leaving(scope),
        "| stats sum(an1498_point) as an1498_points, sum(an1498_in) as an1498_in, sum(an1498_out) as an1498_out"
        f"{scope.grouped('an1498_time')}",
        "| sort 0 an1498_time",
        f"| streamstats sum(an1498_in) as an1498_entered {scope.by()}",
        f"| streamstats current=f sum(an1498_out) as an1498_left {scope.by()}",
        scope.where("an1498_points>0"),
        "| eval value_count=an1498_entered-coalesce(an1498_left, 0)",
        *rising(scope, bounds(scope.plan, "value_count", COMPARISONS)),
    ]


def temporal(scope: Scope) -> list[str]:
    """A count per rule; a rule is present where its count is not zero."""
    numbers = [stage.number for stage in scope.plan.stages]
    sums = ", ".join(
        f"sum(eval(if(an1498_edge={edge} AND an1498_stage={number}, 1, 0))) as an1498_{word}_{number}"
        for number in numbers
        for edge, word in ((0, "in"), (1, "out"))
    )
    return [
        leaving(scope),
        f"| stats sum(eval(if(an1498_edge=0, 1, 0))) as an1498_points, {sums}{scope.grouped('an1498_time')}",
        "| sort 0 an1498_time",
        "| streamstats " + ", ".join(f"sum(an1498_in_{n}) as an1498_entered_{n}" for n in numbers) + f" {scope.by()}",
        "| streamstats current=f " + ", ".join(f"sum(an1498_out_{n}) as an1498_left_{n}" for n in numbers) + f" {scope.by()}",
        scope.where("an1498_points>0"),
        "| eval " + ", ".join(f"an1498_seen_{n}=if(an1498_entered_{n}-coalesce(an1498_left_{n}, 0)>0, 1, 0)" for n in numbers),
        "| eval rule_count=" + "+".join(f"an1498_seen_{n}" for n in numbers),
        *rising(scope, presence(scope.plan, "(an1498_seen_{}=1)", "rule_count", COMPARISONS)),
    ]
