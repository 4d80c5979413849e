"""EQL: event queries and sequences.

Language rules, from the Elasticsearch reference, "EQL syntax reference" (`sequence with maxspan`, inclusive; `by` per item; an event
without a key matches no sequence) and "EQL search" (`tiebreaker_field`; events of equal timestamp and tiebreaker go by arrival).
Elastic's sequence state machine is the definition of `temporal_ordered` (design.md section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from an1498.compiler import alerts_index
from an1498.compiler.chains import place_of
from an1498.compiler.conditions import EventCondition, with_dataset
from an1498.compiler.correlation import Plan, Stage
from an1498.compiler.entity import ENTITY_ALIAS, HostField
from an1498.compiler.eql_conditions import EqlConditions, field_name
from an1498.compiler.logic import negation_normal
from an1498.compiler.refusal import Refusal
from an1498.content.kibana import ORIGINAL_TIME, RULE_ID
from an1498.model import RANK_FIELD, CorrelationType

TIME_FIELD = "@timestamp"
_REMEDY = {CorrelationType.EVENT_COUNT: "use ES|QL for this rule: `with runs=n` alerts at every nth event, not once when the count rises"}


def event_search(found: EventCondition) -> str:
    """The query of an event rule."""
    return f"any where {stage_text(found)}"


def stage_text(found: EventCondition) -> str:
    """The condition alone, for `Search.stages`."""
    return found.text("eql", _render)


def _render(found: EventCondition) -> str:
    restricted = with_dataset(found)
    return EqlConditions(restricted.source).text_of(negation_normal(restricted.tree))


def correlation_search(plan: Plan) -> str:
    """The sequence of an ordered correlation. Raises Refusal for every other type. `sample` has no time span. `with runs=n` is a sequence
    of n events that it then consumes: it alerts again at every nth event of one burst, where `event_count` alerts once per rising edge;
    it counts events of one time one by one; and it cannot say lt, lte, eq or neq."""
    for inner in plan.inner:
        kind = inner.plan.correlation.type
        raise Refusal(
            f"a chain over '{inner.name}' ({kind}): its alert is no event of a sequence, and has a window of its own",
            "use ES|QL for this rule",
            location=place_of(plan.correlation, inner.name),
        )
    if any(isinstance(key, HostField) for stage in plan.events for key in stage.keys):
        raise Refusal(
            "a host that is looked up: EQL joins by stored fields only, and one that is stored on arrival would be of the table of that "
            "time, in which an address that has just changed hands is still the former host's",
            "use ES|QL for this rule, which looks up when it runs",
            ENTITY_ALIAS,
        )
    if plan.correlation.type is not CorrelationType.TEMPORAL_ORDERED:
        raise Refusal(f"{plan.correlation.type} over a sliding window", _REMEDY.get(plan.correlation.type, "use ES|QL for this rule"))
    return _sequence(plan.events, _span(plan.window_s))


def reversed_search(plan: Plan) -> str | None:
    """The companion for a clock skew: two stages of different sensors, the second stamped before or with the first.

    Shifted by s, the second stage follows where t1 < t2 + s, that is t1 - t2 < s: a maxspan of s less a millisecond. None where
    there is nothing to add, or where EQL cannot bound it (more than two stages)."""
    if len(plan.events) != 2 or not plan.events[1].offset_s:
        return None
    return _sequence(tuple(reversed(plan.events)), f"{plan.stages[1].offset_s * 1000 - 1}ms")


def tiebreaker(plan: Plan) -> str:
    """The field that sorts later stages first within a millisecond, or "": the stages' ranks must strictly decrease. In alerts it is the
    rule's id, which begins with the rank."""
    ranks = [alerts_index.rank(stage.rule) if plan.staged else stage.rule.document.get("rank") for stage in plan.events]
    if not all(isinstance(rank, int) for rank in ranks):
        return ""
    field = RULE_ID if plan.staged else RANK_FIELD
    return field if all(a > b for a, b in pairwise(ranks)) else ""  # type: ignore[operator]


def timestamp(plan: Plan) -> str:
    """The field by which the sequence is ordered: EQL's `timestamp_field`."""
    return ORIGINAL_TIME if plan.staged else TIME_FIELD


def _sequence(stages: Sequence[Stage], maxspan: str) -> str:
    lines = [f"sequence with maxspan={maxspan}"]
    for stage in stages:
        keys = ", ".join(field_name(key.indexed) for key in stage.keys)
        lines.append(f"  [any where {stage_text(stage.condition)}] by {keys}")
    return "\n".join(lines)


def _span(span_s: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if span_s % length == 0:
            return f"{span_s // length}{unit}"
    return f"{span_s}s"
