"""STATS and INLINE STATS (Elasticsearch reference, "STATS", "INLINE STATS")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from an1498.replay.algebra import Col as SqlCol
from an1498.replay.algebra import GroupBy, Join, Relation, Select, Unnest, call
from an1498.replay.esql import tree
from an1498.replay.esql.aggregates import Collector
from an1498.replay.esql.context import Context
from an1498.replay.esql.expressions import condition, lower
from an1498.replay.esql.pipeline import Pipeline
from an1498.replay.esql.values import SPANS, Value


def aggregate(pipeline: Pipeline, command: tree.Stats) -> None:
    """A row counts once for each value of a multivalued BY field; nulls form a group; without BY there is one row ("STATS")."""
    if command.inline and any(_group_type(pipeline, item).multi for item in command.by):
        raise pipeline.source.unsupported(command.at, "INLINE STATS by a multivalued column", "expand it with MV_EXPAND first")
    before = pipeline.relation
    inputs = pipeline.context
    groups = {item.name: _group(pipeline, item) for item in command.by}
    collector = Collector(inputs, lower, pipeline.new_name)
    outputs: dict[str, Value] = {}
    for item in command.aggregates:
        collector.where = None if item.where is None else condition(item.where, inputs)
        if item.name in outputs or item.name in groups:
            raise pipeline.source.unsupported(item.at, f"two columns named '{item.name}' in STATS", "give them different names")
        outputs[item.name] = lower(item.expression, Context(pipeline.source, groups, call, collector))
    keys = tuple(value.expr.name for value in groups.values() if isinstance(value.expr, SqlCol))
    with_keys = pipeline.relation
    pipeline.relation = GroupBy(with_keys, keys, tuple(collector.items))
    pipeline.scope = {}
    results = {name: pipeline.extend(value) for name, value in outputs.items()}
    if not command.inline:
        pipeline.scope = {**results, **groups}
        return
    _join_back(pipeline, before, inputs, with_keys, groups, results)


def _join_back(
    pipeline: Pipeline,
    before: Relation,
    inputs: Context,
    with_keys: Relation,
    groups: Mapping[str, Value],
    results: Mapping[str, Value],
) -> None:
    """INLINE STATS: every row with the aggregates of its group."""
    renamed = {name: (pipeline.new_name(), value) for name, value in results.items()}
    right_keys = {name: pipeline.new_name() for name in groups}
    right = Select(
        pipeline.relation,
        (
            *((internal, value.expr) for internal, value in renamed.values()),
            *((right_keys[name], value.expr) for name, value in groups.items()),
        ),
    )
    left = with_keys if groups else before
    same = [call("identical", value.expr, SqlCol(right_keys[name])) for name, value in groups.items()]
    pipeline.relation = Join(left, right, call("and", *same))
    kept = {name: value for name, value in inputs.scope.items() if name not in renamed and name not in groups}
    added = {name: replace(value, expr=SqlCol(internal)) for name, (internal, value) in renamed.items()}
    pipeline.scope = {**kept, **added, **groups}


def _group_type(pipeline: Pipeline, item: tree.Field) -> Value:
    return lower(item.expression, pipeline.context)


def _group(pipeline: Pipeline, item: tree.Field) -> Value:
    value = _group_type(pipeline, item)
    if value.type in SPANS:
        raise pipeline.source.wrong(item.at, f"cannot group by {value.type}")
    if not value.multi:
        return pipeline.extend(Value(value.expr, value.type))
    distinct = pipeline.extend(Value(call("list_sort", call("list_distinct", value.expr)), value.type))
    if isinstance(distinct.expr, SqlCol):
        pipeline.relation = Unnest(pipeline.relation, distinct.expr.name)
    return distinct
