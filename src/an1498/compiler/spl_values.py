"""SPL: sums, averages, medians and percentiles over a sliding window.

A window [t - W, t] is the end of one bucket of length W and the beginning of the next: its sum is the sum from t - W to the end of the
former and from the beginning of the latter to t. So nothing is ever subtracted, and no rounding error of a large value stays behind when
it has left; least and greatest values work likewise. Splunk's own `median` and `perc<N>` are nearest ranks, approximate beyond 1,000
distinct values ("Aggregate functions"), and cannot slide: `window_values.py` says what takes their place.
"""

from __future__ import annotations

from an1498.compiler.correlation import Stage
from an1498.compiler.spl_parts import COMPARISONS, TIMES, Scope, rising, stored_value
from an1498.compiler.window_values import COUNT, SUM, VALUE, Fact, decided, facts, holds, percent, tests
from an1498.model import CorrelationType


def value_aggregate(scope: Scope) -> list[str]:
    """Takes rows that are there twice, as counts do. An event without a number is an event time all the same."""
    plan = scope.plan
    found = facts(plan, COMPARISONS)
    lines = [
        f"| eval an1498_time=round(_time, 6), an1498_bucket=floor(an1498_time/{plan.window_s})",
        "| stats "
        + ", ".join(_of_events(fact, scope.inner) for fact in found)
        + scope.grouped("an1498_edge", "an1498_bucket", "an1498_time"),
        # From each event to the end of its bucket: what an event W later, in the next bucket, still sees of it.
        "| sort 0 -an1498_time",
        "| streamstats " + _each(found, "{function}({column}) as {column}_end") + " " + scope.by("an1498_edge", "an1498_bucket"),
        f"| eval {scope.shifted('an1498_time')}, an1498_bucket=an1498_bucket+an1498_edge, "
        + _each(found, "{column}_end=if(an1498_edge=1, {column}_end, null())"),
        "| sort 0 -an1498_time, -an1498_edge",
        "| streamstats " + _each(found, "last({column}_end) as {column}_end") + " " + scope.by("an1498_bucket"),
        scope.where("an1498_edge=0"),
        # From the beginning of the event's own bucket.
        "| sort 0 an1498_time",
        "| streamstats " + _each(found, "{function}({column}) as {column}") + " " + scope.by("an1498_bucket"),
        "| eval " + ", ".join(map(_joined, found)),
    ]
    if tests(plan):
        lines += [
            f"| eval an1498_rank=floor(({COUNT}-1)*{percent(plan)}/100), an1498_part=({COUNT}-1)*{percent(plan)}/100-an1498_rank",
            "| eval " + ", ".join(f"{test.over}=if({decided(test, COMPARISONS)}, 1, 0)" for test in tests(plan)),
        ]
        return lines + rising(scope, holds(plan, "", COMPARISONS))
    name = str(plan.correlation.type)
    value = SUM if plan.correlation.type is CorrelationType.VALUE_SUM else f"{SUM}/{COUNT}"
    return [*lines, f"| eval {name}={value}", *rising(scope, holds(plan, name, COMPARISONS))]


def number(stage: Stage) -> str:
    """Null for a text that is no number ("Conversion functions", tonumber)."""
    return f"tonumber({stored_value(stage, stage.values[0])})"


def _of_events(fact: Fact, chained: bool) -> str:
    """In a chain a row may stand for several events of one value."""
    one = TIMES if chained else "1"
    if not fact.test and chained and fact.function == "sum":
        return f"sum(eval({f'if(isnotnull({VALUE}), {TIMES}, 0)' if fact.counts else f'{VALUE}*{TIMES}'})) as {fact.column}"
    if not fact.test:
        return f"{'count' if fact.counts else fact.function}({VALUE}) as {fact.column}"
    chosen = f"if({fact.test}, {one}, 0)" if fact.counts else f"if({fact.test}, {VALUE}, null())"
    return f"{fact.function}(eval({chosen})) as {fact.column}"


def _each(found: tuple[Fact, ...], text: str) -> str:
    return ", ".join(text.format(column=fact.column, function=fact.function) for fact in found)


def _joined(fact: Fact) -> str:
    """Both parts of the window; either may hold nothing."""
    here, before = fact.column, f"{fact.column}_end"
    if fact.function == "sum":
        return f"{here}=coalesce({here}, 0)+coalesce({before}, 0)"
    better = ">" if fact.function == "max" else "<"
    return f"{here}=if(isnull({before}) OR {here}{better}{before}, {here}, {before})"
