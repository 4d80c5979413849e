"""ES|QL: sums, averages, medians and percentiles over a sliding window: each event time beside the values of its window.

PERCENTILE and MEDIAN are approximate ("ES|QL aggregation functions": TDigest), so the values are counted against the bound instead:
`window_values.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from an1498.compiler.correlation import Stage
from an1498.compiler.esql_parts import COMPARISONS, Scope, inside, paired, per_stage, rising
from an1498.compiler.refusal import Refusal
from an1498.compiler.window_values import COUNT, SUM, VALUE, Fact, decided, facts, holds, percent, tests
from an1498.model import CorrelationType, FieldType

_NUMBERS = (FieldType.LONG, FieldType.DOUBLE)


def value_aggregate(scope: Scope) -> list[str]:
    """Takes rows with a time, a value and how many events have both: the three travel through VALUES (which drops duplicates) as one
    text; an event without the value is an event time all the same."""
    plan = scope.plan
    lines = [
        *paired(scope, f'CONCAT(TO_STRING(an1498_time), ":", TO_STRING(an1498_n), ":", TO_STRING({VALUE}))'),
        '| EVAL an1498_past = SPLIT(an1498_past, ":")',
        "| EVAL an1498_age = an1498_now - TO_LONG(MV_FIRST(an1498_past))",
        f"| EVAL an1498_n = CASE({inside(plan)}, TO_LONG(MV_SLICE(an1498_past, 1))), "
        f"{VALUE} = CASE({inside(plan)}, TO_DOUBLE(MV_LAST(an1498_past)))",
        "| STATS " + ", ".join(f"{fact.column} = {_of_window(fact)}" for fact in facts(plan, COMPARISONS)) + f" {scope.by('an1498_now')}",
    ]
    if tests(plan):
        position = f"({COUNT} - 1) * {percent(plan)} / 100.0"
        over = ", ".join(f"{test.over} = CASE({decided(test, COMPARISONS)}, 1, 0)" for test in tests(plan))
        lines += [f"| EVAL an1498_rank = FLOOR({position}), an1498_part = {position} - FLOOR({position})", f"| EVAL {over}"]
        return lines + rising(scope, holds(plan, "", COMPARISONS))
    if plan.correlation.type is CorrelationType.VALUE_SUM:
        return lines + rising(scope, holds(plan, SUM, COMPARISONS))
    return [*lines, f"| EVAL an1498_average = {SUM} / {COUNT}", *rising(scope, holds(plan, "an1498_average", COMPARISONS))]


def number(stages: Sequence[Stage]) -> str:
    """The value as a double, whatever numeric types the sources have. Raises Refusal for a field that is not numeric."""
    for stage in stages:
        row = stage.values[0]
        if row.type not in _NUMBERS:
            raise Refusal(
                f"a calculation with '{row.native}', which {stage.source.product}/{stage.source.service} stores as {row.type}",
                "store the field as long or double and say so in the layout's `types`",
                row.native,
            )
    return f"TO_DOUBLE({per_stage(stages, [stage.values[0] for stage in stages])})"


def _of_window(fact: Fact) -> str:
    chosen = "an1498_n" if fact.counts else VALUE if fact.function != "sum" else f"an1498_n * {VALUE}"
    if not fact.test:
        return f"{fact.function.upper()}({chosen})"
    other = ", TO_LONG(0)" if fact.counts else ""
    return f"{fact.function.upper()}(CASE({fact.test}, {chosen}{other}))"
