"""A correlation as every emitter needs it: stages with their conditions, keys and clock offsets, the window, the condition.

Semantics: design.md section 4. `temporal_ordered` is a list of stages in order; every other type is an evaluation of a trailing
window [t - W, t] at each distinct event time of a group, with one alert per rising edge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from an1498.compiler.chains import burst_condition, burst_keys, check_chain
from an1498.compiler.conditions import Context, EventCondition
from an1498.compiler.entity import check_entity, entity_key, is_entity
from an1498.compiler.refusal import Refusal
from an1498.content.durations import seconds
from an1498.errors import ContentError
from an1498.model import Correlation, CorrelationType, EventRule, FieldType, LayoutField, LayoutSource, Pack, Target

_OUTPUT = frozenset({"_time", "first_time", "event_count", "value_count", "value_sum", "value_avg", "rule_count"})
OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "==", "neq": "!="}


@dataclass(frozen=True, slots=True)
class Stage:
    """One referenced rule. `keys` are the indexed fields of the group, in the order of the rule's group-by; `values` those of the
    condition's fields; `offset_s` is added to the event's time before ordering (clock skew). Where the rule is a correlation, `burst`
    is it, and `condition` selects the events that it counts. With `staged` they are events that the rule's search has written."""

    number: int
    condition: EventCondition
    keys: tuple[LayoutField, ...]
    values: tuple[LayoutField, ...]
    offset_s: int
    burst: Correlation | None = None
    staged: bool = False

    @property
    def rules(self) -> tuple[str, ...]:
        """The event rules whose events these are."""
        return (self.condition.rule.name,) if self.burst is None else self.burst.rules

    @property
    def name(self) -> str:
        return self.condition.rule.name if self.burst is None else self.burst.name

    @property
    def rule(self) -> EventRule:
        return self.condition.rule

    @property
    def source(self) -> LayoutSource:
        return self.condition.source


@dataclass(frozen=True, slots=True)
class Branch:
    """Stages whose events come from one log source under the same keys, so that one event is one row."""

    stages: tuple[Stage, ...]

    @property
    def first(self) -> Stage:
        return self.stages[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """A correlation for one target. Times in seconds; `skew_s` is the clock skew, `reach_s` = window + the last stage's offset."""

    correlation: Correlation
    stages: tuple[Stage, ...]
    skew_s: int

    @property
    def window_s(self) -> int:
        return self.correlation.timespan_s

    @property
    def reach_s(self) -> int:
        return self.window_s + self.stages[-1].offset_s

    @property
    def bursts_s(self) -> int:
        """The longest window of a correlation among the stages, 0 where there is none."""
        return max((stage.burst.timespan_s for stage in self.stages if stage.burst is not None), default=0)

    @property
    def groups(self) -> tuple[str, ...]:
        return self.correlation.group_by

    @property
    def keys(self) -> tuple[str, ...]:
        """Working columns of the group, safe from the events' own names."""
        return tuple(f"an1498_key_{number}" for number in range(1, len(self.groups) + 1))

    @property
    def staged(self) -> bool:
        return self.stages[0].staged

    @property
    def ordered(self) -> bool:
        return self.correlation.type is CorrelationType.TEMPORAL_ORDERED

    def branches(self) -> tuple[Branch, ...]:
        """The stages by log source. Raises Refusal where one event could fall into two groups of the same count."""
        by_source: dict[tuple[str, str], list[Stage]] = {}
        for stage in self.stages:
            by_source.setdefault((stage.source.product, stage.source.service), []).append(stage)
        for stages in by_source.values():
            if len({(stage.keys, stage.values) for stage in stages}) > 1:
                raise Refusal(
                    f"a count over rules of one log source with different group fields ({', '.join(s.rule.name for s in stages)})",
                    "give the rules of one log source the same alias fields",
                )
        return tuple(Branch(tuple(stages)) for stages in by_source.values())


def raw_plan(context: Context, correlation: Correlation) -> Plan:
    """Resolve rules, keys and offsets over the raw events; `staged.plan` makes of it what a target runs. Raises Refusal, ContentError."""
    _check_shape(correlation)
    bursts = {name: context.pack.correlations[name] for name in correlation.rules if name in context.pack.correlations}
    check_chain(correlation, bursts)
    check_entity(context.target, correlation)
    skew = clock_skew(context.pack)
    stages: list[Stage] = []
    offset = 0
    for number, name in enumerate(correlation.rules, start=1):
        burst = bursts.get(name)
        condition = context.condition(context.pack.rules[name]) if burst is None else burst_condition(context, correlation, burst)
        if stages and stages[-1].source.product != condition.source.product:
            offset += skew
        if burst is None:
            keys = tuple(_key(context.target, correlation, name, group, condition.source) for group in correlation.group_by)
        else:
            keys = burst_keys(correlation, burst, condition.source, partial(_key, context.target))
        values = tuple(_value(correlation, name, named, condition.source) for named in correlation.condition.fields)
        stages.append(Stage(number, condition, keys, values, offset if correlation.type is CorrelationType.TEMPORAL_ORDERED else 0, burst))
    return Plan(correlation, tuple(stages), skew)


def clock_skew(pack: Pack) -> int:
    """The parameter `clock_skew` in seconds, 0 where there is none."""
    parameter = pack.parameters.get("clock_skew")
    if parameter is None:
        return 0
    span = seconds(str(parameter.value))
    if span is None:
        raise ContentError(
            parameter.location, f"'clock_skew' is '{parameter.value}', which is not a span of time", "write a number and s, m or h"
        )
    return span


def _check_shape(correlation: Correlation) -> None:
    if not correlation.group_by:
        raise Refusal("a correlation without group-by, which would join unrelated machines", "group by a field or an alias")
    for group in correlation.group_by:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*", group) or group in _OUTPUT or group.startswith("an1498_"):
            raise Refusal(f"the group-by name '{group[:40]}', which is no name for a result column", "rename the alias")
    if len(set(correlation.group_by)) != len(correlation.group_by):
        raise Refusal("a group-by that names a field twice", "name each field once")
    if correlation.timespan_s <= 0:
        raise Refusal("a window of zero length", "give a timespan of at least 1s")
    if correlation.type is CorrelationType.TEMPORAL_ORDERED and len(correlation.rules) < 2:
        raise Refusal("an ordered correlation of one rule", "name at least two rules, or use event_count")
    if correlation.type is CorrelationType.TEMPORAL_ORDERED and (correlation.condition.bounds or correlation.condition.expression):
        raise Refusal("a condition on an ordered correlation", "remove it; all rules must match in order")


def _key(target: Target, correlation: Correlation, rule: str, group: str, source: LayoutSource) -> LayoutField:
    alias = correlation.aliases.get(group)
    if is_entity(correlation, group) and alias is not None and rule in alias:
        return entity_key(target, source)
    native = group if alias is None else alias.get(rule, "")
    row = source.by_native(native) if native else None
    if row is None:
        what = f"the alias '{group}', which has no field for rule '{rule}'" if alias is not None and not native else f"'{native or group}'"
        raise Refusal(f"group-by {what}, unknown to {source.product}/{source.service}", "add an alias, or the field to the layout", native)
    if row.array:
        raise Refusal(f"group-by '{native}', which may hold several values", "group by a field of one value", native)
    if row.type is FieldType.TEXT:
        raise Refusal(f"group-by '{native}', which is analysed text", "group by a keyword, number or address field", native)
    return row


def _value(correlation: Correlation, rule: str, named: str, source: LayoutSource) -> LayoutField:
    """The condition's field, or the field that its alias has for the rule."""
    native = correlation.aliases.get(named, {}).get(rule, named)
    row = source.by_native(native)
    if row is None:
        raise Refusal(f"the condition field '{native}', which rule '{rule}' does not have", "name a field of every rule", native)
    if row.array:
        raise Refusal(f"the condition field '{native}', which may hold several values", "count a field of one value", native)
    return row
