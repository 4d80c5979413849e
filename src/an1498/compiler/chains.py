"""A correlation as a stage of another: a chain, of any depth.

The inner correlation's alerts are events of the outer one, at their times, with their group. No language can join two pipelines without
limits, so the events of all stages go through one: each has the number of its stage, and the inner correlations take their turn, innermost
first. Each looks at the events of its own stages and leaves those at which it alerts, with its own number; all other events pass
through unchanged. What remains are the events of the outer correlation, which takes them on as if there were no chain.

The outer group must be a part of the inner one, so that every alert has it; keys of the inner group alone have working columns that are
empty in all other events.
"""

from __future__ import annotations

from collections.abc import Iterable

from an1498.compiler.refusal import Refusal
from an1498.errors import Location
from an1498.model import Correlation, CorrelationType, Pack

_REMEDY = "let '{}' run on its own and correlate its alerts, or write both as one correlation"


def check_chain(outer: Correlation, pack: Pack) -> None:
    """Raises Refusal where the outer correlation needs more than the time and the group of an alert."""
    for name in outer.rules:
        inner = pack.correlations.get(name)
        if inner is None or outer.type in (CorrelationType.TEMPORAL_ORDERED, CorrelationType.TEMPORAL, CorrelationType.EVENT_COUNT):
            continue
        missing = [named for named in counted_names(outer, inner) if named not in inner.group_by]
        if outer.type is not CorrelationType.VALUE_COUNT or missing:
            raise Refusal(
                f"a chain: {outer.type} over the correlation '{name}', whose alerts have no values but their group",
                f"count different values of what '{name}' groups by, or " + _REMEDY.format(name),
                location=place_of(outer, name),
            )


def counted_names(outer: Correlation, inner: Correlation) -> tuple[str, ...]:
    """The names in the inner group of the values that the outer correlation counts."""
    return tuple(outer.aliases.get(named, {}).get(inner.name, named) for named in outer.condition.fields)


def inner_columns(outer: Correlation, inner: Correlation, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The inner group's working columns, in the order of its group-by: those of the outer group (`keys`), and more for what the inner
    one groups by besides. Raises Refusal unless the inner correlation has the outer group."""
    names = [outer.aliases.get(group, {}).get(inner.name, group) for group in outer.group_by]
    if not set(names) <= set(inner.group_by) or len(set(names)) < len(names):
        raise Refusal(
            f"a chain over '{inner.name}', which groups by {', '.join(inner.group_by)}, not by {', '.join(names)}",
            "let the inner correlation group by all that the outer one groups by",
            location=place_of(outer, inner.name),
        )
    shared = dict(zip(names, keys, strict=True))
    more = (f"an1498_key_{number}" for number in range(len(keys) + 1, len(keys) + len(inner.group_by) + 1))
    return tuple(shared[name] if name in shared else next(more) for name in inner.group_by)


def all_columns(members: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The working columns of every correlation of a chain, in order of their numbers."""
    return tuple(sorted({column for keys in members for column in keys}, key=lambda column: (len(column), column)))


def place_of(outer: Correlation, name: str) -> Location:
    """Where the outer correlation refers to a rule."""
    places = (("correlation", "rules", position) for position, rule in enumerate(outer.rules) if rule == name)
    return next((outer.key_locations[place] for place in places if place in outer.key_locations), outer.location)
