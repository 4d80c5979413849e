"""The meaning of a correlation, written from design.md section 4 alone: slow, plain, and sharing no code with any emitter.

An event is reduced to what a correlation can see: when it happened, which rules match it and under which group key, and the
values of the fields that conditions name. Times are milliseconds; the result is the set of (group, time) of the alerts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from an1498.model import Condition, CorrelationType

Group = tuple[str, ...]
Firing = tuple[Group, int]
Value = str | int | float


@dataclass(frozen=True, slots=True)
class Observation:
    """One event. `groups` maps each rule that matches it to its group key there, None where a part of the key is missing."""

    time_ms: int
    groups: Mapping[str, Group | None]
    values: Mapping[str, Value | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spec:
    """What to detect. `sensors` names each rule's sensor, for `skew_ms`: a later stage from another sensor may be stamped
    up to that much before the stage that it follows."""

    type: CorrelationType
    rules: tuple[str, ...]
    window_ms: int
    condition: Condition = field(default_factory=Condition)
    skew_ms: int = 0
    sensors: Mapping[str, str] = field(default_factory=dict)


def firings(spec: Spec, events: Iterable[Observation]) -> set[Firing]:
    """All alerts of a stream of events, which may come in any order."""
    by_group: dict[Group, list[tuple[Observation, frozenset[str]]]] = {}
    for event in events:
        keys: dict[Group, set[str]] = {}
        for rule, group in event.groups.items():
            if rule in spec.rules and group is not None:
                keys.setdefault(group, set()).add(rule)
        for group, rules in keys.items():
            by_group.setdefault(group, []).append((event, frozenset(rules)))
    detect = _sequences if spec.type is CorrelationType.TEMPORAL_ORDERED else _rising_edges
    return {(group, time) for group, seen in by_group.items() for time in detect(spec, seen)}


def _sequences(spec: Spec, seen: Sequence[tuple[Observation, frozenset[str]]]) -> list[int]:
    """Elastic's sequences as a state machine: one pending sequence per stage, a newer one replaces it, completion consumes it."""
    offsets = [0]
    for earlier, later in zip(spec.rules, spec.rules[1:], strict=False):
        changes_sensor = spec.sensors.get(earlier) != spec.sensors.get(later)
        offsets.append(offsets[-1] + (spec.skew_ms if changes_sensor else 0))
    arrivals = [
        (event.time_ms + offsets[stage], -stage, event.time_ms)
        for event, rules in seen
        for stage, rule in enumerate(spec.rules)
        if rule in rules
    ]
    pending: dict[int, int] = {}
    alerts = []
    for _, negative_stage, time in sorted(arrivals):
        stage = -negative_stage
        if stage == 0:
            first = time
        elif stage - 1 in pending and time - pending[stage - 1] <= spec.window_ms:
            first = pending.pop(stage - 1)
        else:
            continue
        if stage == len(spec.rules) - 1:
            alerts.append(time)
        else:
            pending[stage] = first
    return alerts


def _rising_edges(spec: Spec, seen: Sequence[tuple[Observation, frozenset[str]]]) -> list[int]:
    """The times of events at which the condition holds over [t - W, t] and did not at the event time before."""
    holds = _condition(spec)
    alerts = []
    held = False
    for now in sorted({event.time_ms for event, _ in seen}):
        window = [item for item in seen if now - spec.window_ms <= item[0].time_ms <= now]
        holding = holds(window)
        if holding and not held:
            alerts.append(now)
        held = holding
    return alerts


Window = Sequence[tuple[Observation, frozenset[str]]]


def _condition(spec: Spec) -> Callable[[Window], bool]:
    match spec.type:
        case CorrelationType.TEMPORAL:
            if spec.condition.expression:
                return _boolean(spec.condition.expression)
            if spec.condition.bounds:
                return lambda window: _within(len(_rules(window)), spec.condition)
            return lambda window: _rules(window) >= set(spec.rules)
        case CorrelationType.EVENT_COUNT:
            return lambda window: _within(len(window), spec.condition)
        case CorrelationType.VALUE_COUNT:
            return lambda window: _within(len(_combinations(window, spec.condition.fields)), spec.condition)
        case _:
            return lambda window: _aggregate_holds(spec, window)


def _aggregate_holds(spec: Spec, window: Window) -> bool:
    numbers = sorted(float(value) for event, _ in window for name in spec.condition.fields if (value := event.values.get(name)) is not None)
    if not numbers:
        return False
    match spec.type:
        case CorrelationType.VALUE_SUM:
            return _within(math.fsum(numbers), spec.condition)
        case CorrelationType.VALUE_AVG:
            return _within(math.fsum(numbers) / len(numbers), spec.condition)
        case CorrelationType.VALUE_MEDIAN:
            return _within(percentile(numbers, 50), spec.condition)
        case CorrelationType.VALUE_PERCENTILE:
            return _within(percentile(numbers, spec.condition.percentile or 0), spec.condition)
        case _:
            raise ValueError(f"{spec.type} does not aggregate values")


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The percentile with linear interpolation between closest ranks (SQL's PERCENTILE_CONT); `ordered` is ascending."""
    position = (len(ordered) - 1) * percent / 100
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _rules(window: Window) -> set[str]:
    return {rule for _, rules in window for rule in rules}


def _combinations(window: Window, fields: Sequence[str]) -> set[tuple[Value, ...]]:
    combinations = (tuple(event.values.get(name) for name in fields) for event, _ in window)
    return {combination for combination in combinations if None not in combination}  # type: ignore[misc]


def _within(number: float, condition: Condition) -> bool:
    compare: dict[str, Callable[[float, float], bool]] = {
        "gt": lambda a, b: a > b,
        "gte": lambda a, b: a >= b,
        "lt": lambda a, b: a < b,
        "lte": lambda a, b: a <= b,
        "eq": lambda a, b: a == b,
        "neq": lambda a, b: a != b,
    }
    return all(compare[operator](number, bound) for operator, bound in condition.bounds)


def _boolean(expression: str) -> Callable[[Window], bool]:
    """`a and not (b or c)` over which rules occur in the window; precedence not, and, or."""
    tokens = expression.replace("(", " ( ").replace(")", " ) ").split()

    def parse_or(position: int) -> tuple[Callable[[set[str]], bool], int]:
        terms, position = _operands(parse_and, position, "or")
        return (lambda rules: any(term(rules) for term in terms)), position

    def parse_and(position: int) -> tuple[Callable[[set[str]], bool], int]:
        terms, position = _operands(parse_not, position, "and")
        return (lambda rules: all(term(rules) for term in terms)), position

    def parse_not(position: int) -> tuple[Callable[[set[str]], bool], int]:
        token = tokens[position]
        if token == "not":
            term, position = parse_not(position + 1)
            return (lambda rules: not term(rules)), position
        if token == "(":
            term, position = parse_or(position + 1)
            return term, position + 1
        return (lambda rules: token in rules), position + 1

    def _operands(
        parse: Callable[[int], tuple[Callable[[set[str]], bool], int]], position: int, word: str
    ) -> tuple[list[Callable[[set[str]], bool]], int]:
        term, position = parse(position)
        terms = [term]
        while position < len(tokens) and tokens[position] == word:
            term, position = parse(position + 1)
            terms.append(term)
        return terms, position

    whole, _ = parse_or(0)
    return lambda window: whole(_rules(window))
