"""SPL: sums, averages, medians and percentiles over a sliding window.

A window [t - W, t] is the end of one bucket of length W and the beginning of the next: its sum is the sum from t - W to the end of the
former and from the beginning of the latter to t. So nothing is ever subtracted, and no rounding error of a large value stays behind when
it has left; least and greatest values work likewise. Splunk's own `median` and `perc<N>` are nearest ranks, approximate beyond 1,000
distinct values ("Aggregate functions"), and cannot slide: `window_values.py` says what takes their place.
"""

from __future__ import annotations

from an1498.compiler.correlation import Plan, Stage
from an1498.compiler.spl_parts import COMPARISONS, by, edges, rising_edge, stored_value
from an1498.compiler.window_values import COUNT, SUM, VALUE, Fact, decided, facts, holds, percent, tests
from an1498.model import CorrelationType


def value_aggregate(plan: Plan) -> list[str]:
    """An event without a number is an event time all the same."""
    found = facts(plan, COMPARISONS)
    lines = [
        *edges(plan, _number),
        f"| eval an1498_time=round(_time, 6), an1498_bucket=floor(an1498_time/{plan.window_s})",
        "| stats " + ", ".join(map(_of_events, found)) + " " + by(plan, "an1498_edge", "an1498_bucket", "an1498_time"),
        # From each event to the end of its bucket: what an event W later, in the next bucket, still sees of it.
        "| sort 0 -an1498_time",
        "| streamstats " + _each(found, "{function}({column}) as {column}_end") + " " + by(plan, "an1498_edge", "an1498_bucket"),
        f"| eval an1498_time=round(an1498_time+if(an1498_edge=1, {plan.window_s}, 0), 6), an1498_bucket=an1498_bucket+an1498_edge, "
        + _each(found, "{column}_end=if(an1498_edge=1, {column}_end, null())"),
        "| sort 0 -an1498_time, -an1498_edge",
        "| streamstats " + _each(found, "last({column}_end) as {column}_end") + " " + by(plan, "an1498_bucket"),
        "| where an1498_edge=0",
        # From the beginning of the event's own bucket.
        "| sort 0 an1498_time",
        "| streamstats " + _each(found, "{function}({column}) as {column}") + " " + by(plan, "an1498_bucket"),
        "| eval " + ", ".join(map(_joined, found)),
    ]
    if tests(plan):
        lines += [
            f"| eval an1498_rank=floor(({COUNT}-1)*{percent(plan)}/100), an1498_part=({COUNT}-1)*{percent(plan)}/100-an1498_rank",
            "| eval " + ", ".join(f"{test.over}=if({decided(test, COMPARISONS)}, 1, 0)" for test in tests(plan)),
        ]
        return lines + rising_edge(plan, holds(plan, "", COMPARISONS))
    name = str(plan.correlation.type)
    value = SUM if plan.correlation.type is CorrelationType.VALUE_SUM else f"{SUM}/{COUNT}"
    return [*lines, f"| eval {name}={value}", *rising_edge(plan, holds(plan, name, COMPARISONS), name)]


def _number(stage: Stage) -> str:
    """Null for a text that is no number ("Conversion functions", tonumber)."""
    return f"tonumber({stored_value(stage, stage.values[0])})"


def _of_events(fact: Fact) -> str:
    if not fact.test:
        return f"{'count' if fact.counts else fact.function}({VALUE}) as {fact.column}"
    chosen = f"if({fact.test}, 1, 0)" if fact.counts else f"if({fact.test}, {VALUE}, null())"
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
