"""A correlation as a stage of another: a chain.

What can be a stage is an `event_count` over one log source with the same group: a burst, which happens at its rising edge. Its events and
the plain events of the other stages go through one pipeline together, with the stage number as one more group key: a plain event is
then a burst of at least one event in a window of no length, whose every time counts. What comes out are rows (group, stage, time), the
same as the events of a correlation without chains, and the outer correlation takes them on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from an1498.compiler.conditions import Context, EventCondition, any_of
from an1498.compiler.refusal import Refusal
from an1498.compiler.thresholds import limits
from an1498.errors import Location
from an1498.model import Correlation, CorrelationType, LayoutField, LayoutSource

_REMEDY = "let '{}' run on its own and correlate its alerts, or write both as one correlation"
Key = Callable[[Correlation, str, str, LayoutSource], LayoutField]


def check_chain(outer: Correlation, bursts: Mapping[str, Correlation]) -> None:
    """Raises Refusal where the outer correlation needs more than the time of a burst."""
    for name in bursts:
        place = _place(outer, name)
        if outer.type not in (CorrelationType.TEMPORAL_ORDERED, CorrelationType.TEMPORAL, CorrelationType.EVENT_COUNT):
            raise Refusal(f"a chain: {outer.type} over the correlation '{name}', which has no values", _REMEDY.format(name), location=place)
        if outer.type is CorrelationType.EVENT_COUNT and len(outer.rules) > 1:
            raise Refusal(
                f"a chain: event_count over the correlation '{name}' and other rules", "count the correlation alone", location=place
            )


def burst_condition(context: Context, outer: Correlation, burst: Correlation) -> EventCondition:
    """The events that the burst counts. Raises Refusal."""
    place = _place(outer, burst.name)
    if burst.type is not CorrelationType.EVENT_COUNT:
        raise Refusal(f"a chain over the {burst.type} correlation '{burst.name}'", _REMEDY.format(burst.name), location=place)
    for name in burst.rules:
        if name in context.pack.correlations:
            raise Refusal(f"a chain of three: '{burst.name}' refers to the correlation '{name}'", _REMEDY.format(name), location=place)
    found = [context.condition(context.pack.rules[name]) for name in burst.rules]
    if len({(condition.source.product, condition.source.service) for condition in found}) > 1:
        raise Refusal(
            f"a chain over '{burst.name}', which counts events of several log sources", _REMEDY.format(burst.name), location=place
        )
    return any_of(found)


def burst_keys(outer: Correlation, burst: Correlation, source: LayoutSource, key: Key) -> tuple[LayoutField, ...]:
    """The group's fields in the burst's events, in the order of the outer group-by; `key` resolves a group-by name of a correlation
    for one of its rules. Raises Refusal unless the burst has the same group."""
    names = [outer.aliases.get(group, {}).get(burst.name, group) for group in outer.group_by]
    if sorted(names) != sorted(burst.group_by):
        raise Refusal(
            f"a chain over '{burst.name}', which groups by {', '.join(burst.group_by)}, not by {', '.join(names)}",
            "give both correlations the same group-by",
            location=_place(outer, burst.name),
        )
    found = []
    for name in names:
        rows = {key(burst, rule, name, source) for rule in burst.rules}
        if len(rows) > 1:
            raise Refusal(
                f"a chain over '{burst.name}', whose rules have different fields for '{name}'",
                "give its rules the same alias fields",
                location=_place(outer, burst.name),
            )
        found.append(rows.pop())
    return tuple(found)


def burst_condition_text(number: int, burst: Correlation | None, column: str, operators: Mapping[str, str]) -> str:
    """When a row of the stage is a happening: the burst's bounds on the count hold; a plain event always is one."""
    stage = f"an1498_stage{operators['eq']}{number}"
    return stage if burst is None else f"({stage} AND {limits(burst.condition, column, operators)})"


def _place(outer: Correlation, name: str) -> Location:
    places = (("correlation", "rules", position) for position, rule in enumerate(outer.rules) if rule == name)
    return next((outer.key_locations[place] for place in places if place in outer.key_locations), outer.location)
