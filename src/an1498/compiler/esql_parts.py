"""ES|QL: the pieces that every correlation is made of: buckets, because the language has no window functions.

Language rules, from Elastic's "ES|QL reference": a division of integers truncates; CASE without a default gives null; VALUES drops
nulls and duplicates; MV_APPEND is null if either side is; MV_EXPAND of null keeps one row with null; STATS … BY makes a group of
null keys (hence IS NOT NULL before); a query without LIMIT returns 1,000 rows; TO_LONG of a date is milliseconds.

An event at t has bucket t / M. Put the earlier event of a pair into its own bucket and the next, and the later one into its own: then
each pair no further apart than M meets in exactly one bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from an1498.compiler.conditions import EventCondition, dataset_of, with_dataset
from an1498.compiler.correlation import OPERATORS, Plan, Stage
from an1498.compiler.deviations import ROW_LIMIT
from an1498.compiler.entity import FIRST_LABEL, HostField, by_address
from an1498.compiler.esql_conditions import EsqlConditions, column, string
from an1498.compiler.logic import negation_normal
from an1498.compiler.refusal import Refusal
from an1498.model import ELASTIC_ASSETS, LayoutField

TIME_FIELD = "@timestamp"
# Two numbers in one: a time in milliseconds (41 bits) and a count or stage number below 2^20 fit into a long.
PACK = 1 << 20
COMPARISONS = {name: f" {operator} " for name, operator in OPERATORS.items()}


def stage_text(found: EventCondition) -> str:
    """The condition alone, for `Search.stages`."""
    return found.text("esql", _render)


def _render(found: EventCondition) -> str:
    restricted = with_dataset(found)
    return EsqlConditions(restricted.source).text_of(negation_normal(restricted.tree))


def _from(plan: Plan) -> str:
    indices: list[str] = []
    for stage in plan.stages:
        if not stage.source.index:
            raise Refusal(f"the log source {stage.source.product}/{stage.source.service} without an index", "set its index in the layout")
        if stage.source.index not in indices:
            indices.append(stage.source.index)
    return f"FROM {','.join(indices)}"


def selection(plan: Plan) -> list[str]:
    """The events of any stage, with the group's columns."""
    texts = list(dict.fromkeys(stage_text(stage.condition) for stage in plan.stages))
    where = texts[0] if len(texts) == 1 else "\n    OR ".join(f"({text})" for text in texts)
    return [_from(plan), f"| WHERE {where}", *_host_lookup(plan)]


def _host_lookup(plan: Plan) -> list[str]:
    """Every host that ever had the event's address, one row each (LOOKUP JOIN is a left join); the key says which one had it then, and
    rows without a key go. The joined field must have the same name on both sides."""
    looked_up: dict[str, list[Stage]] = {}
    for stage in plan.stages:
        if (key := by_address(stage.keys)) is not None:
            looked_up.setdefault(key.indexed, []).append(stage)
    if not looked_up:
        return []
    if len(looked_up) > 1:
        raise Refusal(f"a lookup of addresses in several fields ({', '.join(looked_up)})", "give the layouts one entity field")
    ((address, stages),) = looked_up.items()
    text = column(address)
    if len(stages) < len(plan.stages):
        # An event that has a host's name stays one row, whatever addresses it has.
        tests = {f"{column(found[0])} == {string(found[1])}" for stage in stages if (found := dataset_of(stage.source)) is not None}
        if tests:
            text = f"CASE({' OR '.join(sorted(tests))}, {text})"
    return [f"| EVAL an1498_asset_ip = {text}", f"| LOOKUP JOIN {ELASTIC_ASSETS} ON an1498_asset_ip"]


def staged(plan: Plan) -> list[str]:
    """One row per event and stage."""
    sources = [(stage.source.product, stage.source.service) for stage in plan.stages]
    datasets = [dataset_of(stage.source) for stage in plan.stages]
    # A row has passed the WHERE above: where a source has one stage, its data set tells which.
    tests = [
        f"{column(found[0])} == {string(found[1])}" if found and sources.count(source) == 1 else stage_text(stage.condition)
        for stage, source, found in zip(plan.stages, sources, datasets, strict=True)
    ]
    if all(found and sources.count(source) == 1 for source, found in zip(sources, datasets, strict=True)):
        cases = ", ".join(f"{test}, {stage.number}" for test, stage in zip(tests, plan.stages, strict=True))
        return [*selection(plan), f"| EVAL an1498_stage = CASE({cases})", *_keys(plan)]
    flags = [f"CASE({test}, {stage.number}, 0)" for test, stage in zip(tests, plan.stages, strict=True)]
    stages = flags[0]
    for flag in flags[1:]:
        stages = f"MV_APPEND({stages}, {flag})"
    return [
        *selection(plan),
        f"| EVAL an1498_stage = {stages}",
        "| MV_EXPAND an1498_stage",
        "| WHERE an1498_stage > 0",
        *_keys(plan),
    ]


def _keys(plan: Plan) -> list[str]:
    """The group's columns, from each stage's own fields."""
    assignments = []
    for index, name in enumerate(plan.keys):
        rows = [stage.keys[index] for stage in plan.stages]
        assignments.append(f"{name} = {per_stage(plan.stages, rows)}")
    present = " AND ".join(f"{name} IS NOT NULL" for name in plan.keys)
    return ["| EVAL " + ", ".join(assignments), f"| WHERE {present}"]


def per_stage(stages: Sequence[Stage], rows: Sequence[LayoutField], text: bool = False) -> str:
    """The stage's own field; as text where the stages' types differ."""
    as_text = text or len({row.type for row in rows}) > 1
    names = [f"TO_STRING({column(row.indexed)})" if as_text and not isinstance(row, HostField) else _stored(row) for row in rows]
    if len(set(names)) == 1:
        return names[0]
    usual = max(names, key=names.count)
    cases = [f"an1498_stage == {stage.number}, {name}" for stage, name in zip(stages, names, strict=True) if name != usual]
    return f"CASE({', '.join([*cases, usual])})"


def _stored(row: LayoutField) -> str:
    if not isinstance(row, HostField):
        return column(row.indexed)
    if row.by_address:
        return "CASE(@timestamp >= an1498_asset_from AND @timestamp < an1498_asset_until, an1498_asset_host)"
    name = f"TO_LOWER({column(row.indexed)})"
    return f'CASE({name} RLIKE "{FIRST_LABEL}[.].*", MV_FIRST(SPLIT({name}, ".")), {name})'


def by(plan: Plan, *more: str) -> str:
    return "BY " + ", ".join((*plan.keys, *more))


def output(plan: Plan, time: str, first: str) -> list[str]:
    groups = ", ".join(f"{column(group)} = {name}" for name, group in zip(plan.keys, plan.groups, strict=True))
    return [
        f"| EVAL @timestamp = TO_DATETIME({time}), first_time = TO_DATETIME({first}), {groups}",
        f"| KEEP @timestamp, {', '.join(map(column, plan.groups))}, first_time",
        "| SORT @timestamp",
        f"| LIMIT {ROW_LIMIT}",
    ]


def counted(plan: Plan, value: Callable[[Sequence[Stage]], str] | None = None) -> list[str]:
    """The events of any rule, one row each, with group and value (`an1498_value`); a source's rules share
    their fields (`Plan.branches`)."""
    branches = plan.branches()
    lines = selection(plan)
    if len(branches) > 1:
        cases = []
        for branch in branches:
            found = dataset_of(branch.first.source)
            if found is None:
                raise Refusal(
                    f"a count over the log source {branch.first.source.product}/{branch.first.source.service}, whose events nothing marks",
                    "give the layout a constant event.dataset",
                )
            cases.append(f"{column(found[0])} == {string(found[1])}, {branch.first.number}")
        lines.append(f"| EVAL an1498_stage = CASE({', '.join(cases)})")
    firsts = [branch.first for branch in branches]
    keys = [f"{name} = {per_stage(firsts, [stage.keys[index] for stage in firsts])}" for index, name in enumerate(plan.keys)]
    present = " AND ".join(f"{name} IS NOT NULL" for name in plan.keys)
    lines += ["| EVAL " + ", ".join(keys), f"| WHERE {present}"]
    if value is not None:
        lines.append(f"| EVAL an1498_value = {value(firsts)}")
    return lines


def paired(plan: Plan, past: str, *more: str, window_s: int = 0) -> list[str]:
    """Each event time of a group (`an1498_now`) beside everything in the buckets that its window touches (`an1498_past`). `more` are
    further group columns, `window_s` another window than the rule's."""
    window = (window_s or plan.window_s) * 1000
    return [
        f"| EVAL an1498_bucket = MV_APPEND(an1498_time / {window}, an1498_time / {window} + 1), an1498_past = {past}",
        "| MV_EXPAND an1498_bucket",
        f"| EVAL an1498_now = CASE(an1498_bucket == an1498_time / {window}, an1498_time)",
        f"| STATS an1498_now = VALUES(an1498_now), an1498_past = VALUES(an1498_past) {by(plan, *more, 'an1498_bucket')}",
        "| WHERE an1498_now IS NOT NULL",
        "| MV_EXPAND an1498_now",
        "| MV_EXPAND an1498_past",
    ]


def inside(plan: Plan) -> str:
    return f"an1498_age >= 0 AND an1498_age <= {plan.window_s * 1000}"


def last_misses(plan: Plan, condition_text: str, *more: str) -> list[str]:
    """Each time at which the condition holds (`an1498_hit`) and the last one before it at which it did not (`an1498_miss`, -1 for none)."""
    return [
        f"| EVAL an1498_hit = CASE({condition_text}, an1498_now), an1498_miss = CASE({condition_text}, NULL, an1498_now)",
        f"| STATS an1498_hit = VALUES(an1498_hit), an1498_miss = VALUES(an1498_miss) {by(plan, *more)}",
        "| WHERE an1498_hit IS NOT NULL",
        "| MV_EXPAND an1498_hit",
        "| MV_EXPAND an1498_miss",
        "| EVAL an1498_miss = CASE(an1498_miss < an1498_hit, an1498_miss, TO_LONG(-1))",
        f"| STATS an1498_miss = MAX(an1498_miss) {by(plan, *more, 'an1498_hit')}",
    ]


def rising_edge(plan: Plan, condition_text: str) -> list[str]:
    """Hits with the same last miss before them are one stretch: its first hit is the alert."""
    return [
        *last_misses(plan, condition_text),
        f"| STATS an1498_hit = MIN(an1498_hit) {by(plan, 'an1498_miss')}",
        *output(plan, "an1498_hit", f"an1498_hit - {plan.window_s * 1000}"),
    ]
