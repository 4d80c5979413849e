"""A correlation as every emitter needs it: stages with their conditions, keys and clock offsets, the window, the condition.

Semantics: design.md section 4. `temporal_ordered` is a list of stages in order; every other type is an evaluation of a trailing
window [t - W, t] at each distinct event time of a group, with one alert per rising edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from an1498.compiler.chains import check_chain, counted_names, inner_columns, place_of
from an1498.compiler.conditions import Context, EventCondition, any_of
from an1498.compiler.entity import check_entity, entity_key, is_entity
from an1498.compiler.refusal import Refusal
from an1498.content.durations import seconds
from an1498.errors import ContentError
from an1498.model import Correlation, CorrelationType, EventRule, FieldType, LayoutField, LayoutSource, Pack, Target

_OUTPUT = frozenset({"_time", "first_time", "event_count", "value_count", "value_sum", "value_avg", "rule_count"})
OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "==", "neq": "!="}


@dataclass(frozen=True, slots=True)
class Stage:
    """One referenced event rule. `keys` are the indexed fields of the group, in the order of the rule's group-by; `values` those of the
    condition's fields; `offset_s` is added to the event's time before ordering (clock skew). With `staged` they are events that the
    rule's search has written."""

    number: int
    condition: EventCondition
    keys: tuple[LayoutField, ...]
    values: tuple[LayoutField, ...]
    offset_s: int
    staged: bool = False

    @property
    def name(self) -> str:
        return self.condition.rule.name

    @property
    def rule(self) -> EventRule:
        return self.condition.rule

    @property
    def source(self) -> LayoutSource:
        return self.condition.source


@dataclass(frozen=True, slots=True)
class Inner:
    """One referenced correlation: its alerts are events of the outer one (`chains.py`)."""

    number: int
    plan: Plan
    offset_s: int

    @property
    def name(self) -> str:
        return self.plan.correlation.name


@dataclass(frozen=True, slots=True)
class Branch:
    """Stages whose events come from one log source under the same keys, so that one event is one row."""

    stages: tuple[Stage, ...]

    @property
    def first(self) -> Stage:
        return self.stages[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """A correlation for one target. Times in seconds; `skew_s` is the clock skew, `reach_s` = window + the last stage's offset.

    `keys` are working columns of the group, safe from the events' own names, in the order of `groups`. Stages have numbers that are
    unique in a chain, those of one correlation follow each other; `number` is the correlation's own as a stage, 0 for the outermost;
    `outer` are the columns of the correlation that refers to it, `counted` those of its own whose values that one counts."""

    correlation: Correlation
    stages: tuple[Stage | Inner, ...]
    skew_s: int
    keys: tuple[str, ...]
    number: int = 0
    outer: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()

    @property
    def window_s(self) -> int:
        return self.correlation.timespan_s

    @property
    def reach_s(self) -> int:
        return self.window_s + self.stages[-1].offset_s

    @property
    def groups(self) -> tuple[str, ...]:
        return self.correlation.group_by

    @property
    def staged(self) -> bool:
        return any(stage.staged for _, stage in self.evidence())

    @property
    def ordered(self) -> bool:
        return self.correlation.type is CorrelationType.TEMPORAL_ORDERED

    @property
    def inner(self) -> tuple[Inner, ...]:
        """The correlations among the stages."""
        return tuple(stage for stage in self.stages if isinstance(stage, Inner))

    @property
    def events(self) -> tuple[Stage, ...]:
        """The event rules among the stages."""
        return tuple(stage for stage in self.stages if isinstance(stage, Stage))

    def family(self) -> Iterator[Plan]:
        """The correlations that this one is made of, each after those that it refers to, itself last."""
        for stage in self.inner:
            yield from stage.plan.family()
        yield self

    def evidence(self) -> Iterator[tuple[Plan, Stage]]:
        """Every event rule of the chain in order, with the correlation that refers to it."""
        for stage in self.stages:
            if isinstance(stage, Inner):
                yield from stage.plan.evidence()
            else:
                yield self, stage

    @property
    def windows_s(self) -> int:
        """How far before an alert its events may lie: the window once (ordered) or twice (a rising edge needs the state at the event
        before), and before that the same of the correlations among the stages."""
        return self.window_s * (1 if self.ordered else 2) + max((stage.plan.windows_s for stage in self.inner), default=0)

    @property
    def shift_s(self) -> int:
        """The largest clock offset from the first event to the last."""
        return self.stages[-1].offset_s + max((stage.plan.shift_s for stage in self.inner), default=0)

    @property
    def stateful(self) -> bool:
        """Whether an alert depends on the state before its window: any correlation of the chain has rising edges."""
        return any(not member.ordered for member in self.family())

    def branches(self) -> tuple[Branch, ...]:
        """The event rules by log source. Raises Refusal where one event could fall into two groups of the same count."""
        by_source: dict[tuple[str, str], list[Stage]] = {}
        for stage in self.events:
            by_source.setdefault((stage.source.product, stage.source.service), []).append(stage)
        for stages in by_source.values():
            if len({(stage.keys, stage.values) for stage in stages}) > 1:
                raise Refusal(
                    f"a count over rules of one log source with different group fields ({', '.join(s.rule.name for s in stages)})",
                    "give the rules of one log source the same alias fields",
                )
        return tuple(Branch(tuple(stages)) for stages in by_source.values())

    def leaves(self) -> Iterator[tuple[Plan, Stage]]:
        """The events that a chain reads, each with its correlation: of one that counts, the rules of a log source are one, so that an
        event counts once. Raises Refusal."""
        for stage in self.inner:
            yield from stage.plan.leaves()
        if self.ordered or self.correlation.type is CorrelationType.TEMPORAL:
            yield from ((self, stage) for stage in self.events)
            return
        for branch in self.branches():
            first = branch.first
            merged = any_of([stage.condition for stage in branch.stages])
            yield self, replace(first, condition=merged)


def raw_plan(context: Context, correlation: Correlation) -> Plan:
    """Resolve rules, keys and offsets over the raw events; `staged.plan` makes of it what a target runs. Raises Refusal, ContentError."""
    keys = tuple(f"an1498_key_{number}" for number in range(1, len(correlation.group_by) + 1))
    return _plan(context, correlation, keys, count(1), 0)


def _plan(context: Context, correlation: Correlation, keys: tuple[str, ...], numbers: Iterator[int], own: int) -> Plan:
    _check_shape(correlation)
    check_chain(correlation, context.pack)
    check_entity(context.target, correlation)
    skew = clock_skew(context.pack)
    allotted = [next(numbers) for _ in correlation.rules]
    stages: list[Stage | Inner] = []
    offset = 0
    before: str | None = ""
    for number, name in zip(allotted, correlation.rules, strict=True):
        found: Plan | EventCondition
        if name in context.pack.correlations:
            inner = context.pack.correlations[name]
            columns = inner_columns(correlation, inner, keys)
            counted = tuple(columns[inner.group_by.index(named)] for named in counted_names(correlation, inner))
            found = replace(_inner(context, correlation, inner, columns, numbers, number), outer=keys, counted=counted)
            sensor = _sensor(found)
        else:
            found = context.condition(context.pack.rules[name])
            sensor = found.source.product
        if correlation.type is CorrelationType.TEMPORAL_ORDERED:
            if skew and None in (before, sensor):
                raise Refusal(
                    f"a clock skew in a chain over '{name}', whose alerts may have either sensor's time",
                    "set clock_skew to 0s, or let the correlation's rules be of one sensor",
                    location=place_of(correlation, name),
                )
            offset += skew if stages and before != sensor else 0
        before = sensor
        if isinstance(found, Plan):
            stages.append(Inner(number, found, offset))
            continue
        fields = tuple(_key(context.target, correlation, name, group, found.source) for group in correlation.group_by)
        values = tuple(_value(correlation, name, named, found.source) for named in correlation.condition.fields)
        stages.append(Stage(number, found, fields, values, offset))
    return Plan(correlation, tuple(stages), skew, keys, own)


def _inner(context: Context, outer: Correlation, inner: Correlation, keys: tuple[str, ...], numbers: Iterator[int], number: int) -> Plan:
    """What cannot be said of the inner correlation is refused where the outer one refers to it, unless there is a better place."""
    try:
        found = _plan(context, inner, keys, numbers, number)
        list(found.leaves())
        return found
    except Refusal as refusal:
        place = refusal.location or place_of(outer, inner.name)
        raise Refusal(f"in the chain over '{inner.name}', {refusal.construct}", refusal.remedy, refusal.field, location=place) from None


def _sensor(found: Plan) -> str | None:
    """The product whose clock an alert's time is from, None where it may be either."""
    last = found.stages[-1:] if found.ordered else found.stages
    products = {_sensor(stage.plan) if isinstance(stage, Inner) else stage.source.product for stage in last}
    return products.pop() if len(products) == 1 else None


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
