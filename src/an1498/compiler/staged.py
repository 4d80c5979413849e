"""Correlations over what event rules have written (a target with variant = "staged"): which fields are written, and how a stage reads them.

Elastic keeps the whole event in a building block's alert; Splunk keeps what the event search writes, which is what the target's
correlations read: `written`. A stage then selects by the id under which its rule writes (`staged_as`), and its keys and values are
the written fields. Everything else about a correlation is the same, since its emitters know stages, keys and values only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from sigma.types import SigmaCasedString, SigmaString

from an1498.compiler import alerts_index
from an1498.compiler.conditions import Context, EventCondition
from an1498.compiler.correlation import Inner, Plan, Stage, raw_plan
from an1498.compiler.entity import HostField
from an1498.compiler.logic import Leaf
from an1498.compiler.refusal import Refusal
from an1498.content.kibana import ORIGINAL_TIME, RULE_ID
from an1498.errors import ContentError
from an1498.model import STAGED_MACRO, Correlation, EventRule, LayoutField, LayoutSource, Target

FIELD_PREFIX = "an1498_field_"
SOURCE = "source"
READ: Mapping[str, tuple[str, ...]] = {
    "splunk": ("an1498_orig_event", "an1498_orig_time"),
    "elastic": (ORIGINAL_TIME,),
}
"""Fields that every correlation over written events reads besides the id, its keys and values; ES|QL's counts read the event's id too."""


def plan(context: Context, correlation: Correlation) -> Plan:
    """The correlation as the target runs it. Raises Refusal, ContentError."""
    found = raw_plan(context, correlation)
    if context.target.staging is None:
        return found
    return _over_written(context, found)


def _over_written(context: Context, found: Plan) -> Plan:
    return replace(
        found,
        stages=tuple(
            replace(stage, plan=_over_written(context, stage.plan)) if isinstance(stage, Inner) else _staged(context, stage)
            for stage in found.stages
        ),
    )


def staged_as(target: Target, rule: EventRule) -> str:
    """The id under which a rule's events are written: Kibana's `rule_id`; Splunk's `source`, as Enterprise Security names risk events by
    their search."""
    return alerts_index.rule_id(target, rule) if target.backend == "elastic" else saved_search_name(rule.name)


def saved_search_name(rule: str) -> str:
    """Splunk's saved search of a rule: `an1498_launchd_service` → `AN1498 - launchd service - Rule`."""
    return f"AN1498 - {rule.removeprefix('an1498_').replace('_', ' ')} - Rule"


def written(context: Context) -> Mapping[str, tuple[LayoutField, ...]]:
    """Per event rule that a correlation of the target has as a stage, the indexed fields that correlations read, sorted. A correlation
    that is skipped or refused reads nothing."""
    if context.written is None:
        found: dict[str, dict[str, LayoutField]] = {}
        skipped = context.target.options.get("skip") or {}
        for correlation in context.pack.correlations.values():
            if correlation.name in skipped:
                continue
            try:
                stages = [stage for _, stage in raw_plan(context, correlation).evidence()]
            except (Refusal, ContentError):
                continue
            for stage in stages:
                found.setdefault(stage.name, {}).update({row.indexed: row for row in (*stage.keys, *stage.values)})
        context.written = {rule: tuple(row for _, row in sorted(rows.items())) for rule, rows in found.items()}
    return context.written


def written_name(row: LayoutField) -> str:
    """The name under which Splunk's staged event has a field: letters, digits and _ only, which need no quotes anywhere."""
    return FIELD_PREFIX + re.sub(r"[^A-Za-z0-9]", "_", row.indexed)


def _staged(context: Context, stage: Stage) -> Stage:
    _check_written(context, stage.rule)
    stored = partial(alerts_index.alert_field, stage.source) if context.target.backend == "elastic" else _written_row
    keys, values = (tuple(stored(row) for row in rows) for rows in (stage.keys, stage.values))
    source = _source(context.target, stage.source, (*keys, *values))
    return replace(stage, condition=_selection(context.target, stage.rule, source), keys=keys, values=values, staged=True)


def _written_row(row: LayoutField) -> LayoutField:
    if isinstance(row, HostField):
        return HostField(row.native, written_name(row), by_address=row.by_address)
    return LayoutField(row.native, written_name(row))


def _source(target: Target, source: LayoutSource, rows: tuple[LayoutField, ...]) -> LayoutSource:
    """The store of the written events, for one log source."""
    return LayoutSource(
        product=source.product,
        service=source.service,
        fields=tuple(dict.fromkeys(rows)),
        constants={},
        entity_field=source.entity_field,
        index=alerts_index.index(target),
        macro=STAGED_MACRO if target.backend == "splunk" else "",
        macro_definition=target.macros.get(STAGED_MACRO, ""),
        time_field=source.time_field if target.backend == "splunk" else ORIGINAL_TIME,
    )


def _selection(target: Target, rule: EventRule, source: LayoutSource) -> EventCondition:
    if target.backend == "splunk":
        field, value = SOURCE, SigmaString.from_str(staged_as(target, rule))
    else:
        field, value = RULE_ID, SigmaCasedString.from_sigma_string(SigmaString.from_str(staged_as(target, rule)))
    return EventCondition(rule, source, Leaf(field, value), (field,))


def _check_written(context: Context, rule: EventRule) -> None:
    """A stage whose rule writes nothing, or two fields of Splunk's under one name, would silently never match."""
    if rule.name in (context.target.options.get("skip") or {}):
        raise Refusal(f"the stage '{rule.name}', which target '{context.target.name}' skips", "skip the correlation too", rule.name)
    names: dict[str, str] = {}
    for row in written(context).get(rule.name, ()):
        other = names.setdefault(written_name(row), row.indexed)
        if other != row.indexed:
            raise Refusal(
                f"the fields '{other}' and '{row.indexed}' of '{rule.name}', which would be written under one name",
                "rename one of them",
            )
