"""What the value correlations (`value_sum`, `value_avg`, `value_median`, `value_percentile`) must know about a window, in any language.

A percentile is compared with a bound, not computed, so no language's approximate percentile is needed: the number of values below the
bound says whether both closest ranks lie on one side of it; only where they lie on both sides are these two values interpolated, and
they are the greatest value below the bound and the least one not below it. Interpolation is linear between closest ranks (SQL's
PERCENTILE_CONT): position (n - 1) * p / 100, counted from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from an1498.compiler.correlation import Plan
from an1498.compiler.thresholds import bounds, number_text
from an1498.model import CorrelationType

CALCULATED = frozenset(
    {CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG, CorrelationType.VALUE_MEDIAN, CorrelationType.VALUE_PERCENTILE}
)
VALUE = "an1498_value"
COUNT = "an1498_values"
SUM = "an1498_sum"
_MEDIAN = 50.0
# "The percentile reaches the bound" decides gte and lt, "it exceeds the bound" gt and lte; eq and neq need both.
_REACHES, _EXCEEDS = "gte", "gt"
_NEEDED = {
    "gte": (_REACHES,),
    "lt": (_REACHES,),
    "gt": (_EXCEEDS,),
    "lte": (_EXCEEDS,),
    "eq": (_REACHES, _EXCEEDS),
    "neq": (_REACHES, _EXCEEDS),
}
_BELOW = {_REACHES: "lt", _EXCEEDS: "lte"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A column about the window's values: `function` (sum, max, min) over the values that pass `test`, or over 1 for each of them."""

    column: str
    function: str
    counts: bool
    test: str = ""


@dataclass(frozen=True, slots=True)
class Test:
    """Whether the percentile reaches (or exceeds) a bound, 1 or 0 in column `an1498_over_<number>`."""

    number: int
    operator: str
    bound: str

    @property
    def over(self) -> str:
        return f"an1498_over_{self.number}"

    @property
    def below(self) -> str:
        """How many values are below the bound (not above it)."""
        return f"an1498_below_{self.number}"

    @property
    def low(self) -> str:
        """The greatest of them."""
        return f"an1498_low_{self.number}"

    @property
    def high(self) -> str:
        """The least of the others."""
        return f"an1498_high_{self.number}"


def tests(plan: Plan) -> tuple[Test, ...]:
    """The tests of a percentile that its bounds need; none for sums and averages."""
    if plan.correlation.type not in (CorrelationType.VALUE_MEDIAN, CorrelationType.VALUE_PERCENTILE):
        return ()
    needed = dict.fromkeys(
        (kind, number_text(bound)) for operator, bound in plan.correlation.condition.bounds for kind in _NEEDED[operator]
    )
    return tuple(Test(number, kind, bound) for number, (kind, bound) in enumerate(needed, start=1))


def facts(plan: Plan, operators: Mapping[str, str]) -> tuple[Fact, ...]:
    """The columns, in the order in which they are read best."""
    found = [Fact(COUNT, "sum", counts=True)]
    if not tests(plan):
        found.append(Fact(SUM, "sum", counts=False))
    for test in tests(plan):
        inside, outside = (f"{VALUE}{operators[operator]}{test.bound}" for operator in (_BELOW[test.operator], test.operator))
        found += [
            Fact(test.below, "sum", counts=True, test=inside),
            Fact(test.low, "max", counts=False, test=inside),
            Fact(test.high, "min", counts=False, test=outside),
        ]
    return tuple(found)


def percent(plan: Plan) -> str:
    """The percentage as a literal."""
    found = plan.correlation.condition.percentile
    return number_text(_MEDIAN if found is None or plan.correlation.type is CorrelationType.VALUE_MEDIAN else found)


def decided(test: Test, operators: Mapping[str, str]) -> str:
    """Whether the percentile is over the bound, from `an1498_rank` (the lower of the closest ranks, from 0) and `an1498_part` (how far
    the position lies beyond it). Null, hence false, where there is no value on one of the sides."""
    between = f"{test.low}+({test.high}-{test.low})*an1498_part"
    if " " in operators["gte"]:
        between = f"{test.low} + ({test.high} - {test.low}) * an1498_part"
    above, same, plus = operators["gte"], operators["eq"], " + 1" if " " in operators["eq"] else "+1"
    return f"an1498_rank{above}{test.below} OR (an1498_rank{plus}{same}{test.below} AND {between}{operators[test.operator]}{test.bound})"


def holds(plan: Plan, column: str, operators: Mapping[str, str]) -> str:
    """The whole condition; a window without a number does not meet any. `column` is that of the sum or average."""
    some = f"{COUNT}{operators['gt']}0"
    if not tests(plan):
        return f"{some} AND {bounds(plan, column, operators)}"
    over = {(test.operator, test.bound): test.over for test in tests(plan)}
    equal = operators["eq"]
    terms = []
    for operator, number in plan.correlation.condition.bounds:
        reaches, exceeds = (over.get((kind, number_text(number)), "") for kind in (_REACHES, _EXCEEDS))
        terms.append(
            {
                "gte": f"{reaches}{equal}1",
                "lt": f"{reaches}{equal}0",
                "gt": f"{exceeds}{equal}1",
                "lte": f"{exceeds}{equal}0",
                "eq": f"{reaches}{equal}1 AND {exceeds}{equal}0",
                "neq": f"({reaches}{equal}0 OR {exceeds}{equal}1)",
            }[operator]
        )
    return " AND ".join([some, *terms])
