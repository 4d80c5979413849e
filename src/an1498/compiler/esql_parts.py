"""ES|QL: the pieces that every correlation is made of: buckets, because the language has no window functions.

Language rules, from Elastic's "ES|QL reference": a division of integers truncates; CASE without a default gives null; VALUES drops
nulls and duplicates; MV_APPEND is null if either side is; MV_EXPAND of null keeps one row with null; STATS … BY makes a group of
null keys (hence IS NOT NULL before); a query without LIMIT returns 1,000 rows; TO_LONG of a date is milliseconds.

An event at t has bucket t / M. Put the earlier event of a pair into its own bucket and the next, and the later one into its own: then
each pair no further apart than M meets in exactly one bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from an1498.compiler.conditions import EventCondition, dataset_of, with_dataset
from an1498.compiler.correlation import OPERATORS, Plan, Stage
from an1498.compiler.deviations import ROW_LIMIT
from an1498.compiler.entity import FIRST_LABEL, HostField, by_address
from an1498.compiler.esql_conditions import EsqlConditions, column, string
from an1498.compiler.logic import negation_normal
from an1498.compiler.refusal import Refusal
from an1498.content.kibana import ORIGINAL_EVENT, ORIGINAL_TIME
from an1498.model import ELASTIC_ASSETS, LayoutField

TIME_FIELD = "@timestamp"
# Two numbers in one: a time in milliseconds (41 bits) and a count or stage number below 2^20 fit into a long.
PACK = 1 << 20
PASSING = "an1498_passing"
COMPARISONS = {name: f" {operator} " for name, operator in OPERATORS.items()}


def stage_text(found: EventCondition) -> str:
    """The condition alone, for `Search.stages`."""
    return found.text("esql", _render)


def _render(found: EventCondition) -> str:
    restricted = with_dataset(found)
    return EsqlConditions(restricted.source).text_of(negation_normal(restricted.tree))


def _from(stages: Sequence[Stage]) -> str:
    indices: list[str] = []
    for stage in stages:
        if not stage.source.index:
            raise Refusal(f"the log source {stage.source.product}/{stage.source.service} without an index", "set its index in the layout")
        if stage.source.index not in indices:
            indices.append(stage.source.index)
    return f"FROM {','.join(indices)}"


def selection(stages: Sequence[Stage]) -> list[str]:
    """The events of any stage, with the group's columns."""
    texts = list(dict.fromkeys(stage_text(stage.condition) for stage in stages))
    where = texts[0] if len(texts) == 1 else "\n    OR ".join(f"({text})" for text in texts)
    lines = [_from(stages), f"| WHERE {where}"]
    if stages[0].staged:
        lines.append(f"| EVAL @timestamp = {ORIGINAL_TIME}")
    return [*lines, *_host_lookup(stages)]


def once(plan: Plan, columns: Sequence[str]) -> list[str]:
    """An event that two rules have written counts once: rows of one event that are alike in `columns`, all that is kept, become one."""
    if not plan.staged:
        return []
    return ["| STATS an1498_copies = COUNT(*) BY " + ", ".join((*columns, *ORIGINAL_EVENT))]


def _host_lookup(stages: Sequence[Stage]) -> list[str]:
    """Every host that ever had the event's address, one row each (LOOKUP JOIN is a left join); the key says which one had it then, and
    rows without a key go. The joined field must have the same name on both sides."""
    looked_up: dict[str, list[Stage]] = {}
    for stage in stages:
        if (key := by_address(stage.keys)) is not None:
            looked_up.setdefault(key.indexed, []).append(stage)
    if not looked_up:
        return []
    if len(looked_up) > 1:
        raise Refusal(f"a lookup of addresses in several fields ({', '.join(looked_up)})", "give the layouts one entity field")
    ((address, addressed),) = looked_up.items()
    text = column(address)
    if len(addressed) < len(stages):
        # An event that has a host's name stays one row, whatever addresses it has.
        if stages[0].staged:
            tests = {stage_text(stage.condition) for stage in addressed}
        else:
            tests = {f"{column(found[0])} == {string(found[1])}" for stage in addressed if (found := dataset_of(stage.source)) is not None}
        if tests:
            text = f"CASE({' OR '.join(sorted(tests))}, {text})"
    return [f"| EVAL an1498_asset_ip = {text}", f"| LOOKUP JOIN {ELASTIC_ASSETS} ON an1498_asset_ip"]


def numbered(stages: Sequence[Stage]) -> list[str]:
    """One row per event and stage."""
    sources = [(stage.source.product, stage.source.service) for stage in stages]
    datasets = [dataset_of(stage.source) for stage in stages]
    # A row has passed the WHERE above: where a source has one stage, its data set tells which.
    tests = [
        f"{column(found[0])} == {string(found[1])}" if found and sources.count(source) == 1 else stage_text(stage.condition)
        for stage, source, found in zip(stages, sources, datasets, strict=True)
    ]
    if all(found and sources.count(source) == 1 for source, found in zip(sources, datasets, strict=True)):
        cases = ", ".join(f"{test}, {stage.number}" for test, stage in zip(tests, stages, strict=True))
        return [*selection(stages), f"| EVAL an1498_stage = CASE({cases})"]
    flags = [f"CASE({test}, {stage.number}, 0)" for test, stage in zip(tests, stages, strict=True)]
    listed = flags[0]
    for flag in flags[1:]:
        listed = f"MV_APPEND({listed}, {flag})"
    return [
        *selection(stages),
        f"| EVAL an1498_stage = {listed}",
        "| MV_EXPAND an1498_stage",
        "| WHERE an1498_stage > 0",
    ]


def staged(plan: Plan) -> list[str]:
    """The events of every stage, with the group's columns, from each stage's own fields."""
    columns = [[stage.keys[index] for stage in plan.events] for index in range(len(plan.keys))]
    assigned = [f"{name} = {per_stage(plan.events, rows)}" for name, rows in zip(plan.keys, columns, strict=True)]
    return [*numbered(plan.events), "| EVAL " + ", ".join(assigned), present(plan.keys)]


def present(columns: Sequence[str]) -> str:
    return "| WHERE " + " AND ".join(f"{name} IS NOT NULL" for name in columns)


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


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that a correlation looks at. The outermost has them all; an inner one (`esql_chains.py`) shares the query with events of
    others, whose columns `carried` tell them apart: in PASSING, null in its own rows, these have all that must be kept."""

    plan: Plan
    columns: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()

    @property
    def inner(self) -> bool:
        return self.plan.number > 0

    @property
    def stage(self) -> str:
        """The column with the number of a row's stage."""
        return "an1498_child" if self.inner else "an1498_stage"

    def by(self, *more: str) -> str:
        return "BY " + ", ".join((*self.columns, *self.carried, *more) if self.inner else (*self.plan.keys, *more))

    def where(self, condition_text: str) -> str:
        return f"| WHERE {PASSING} IS NOT NULL OR ({condition_text})" if self.inner else f"| WHERE {condition_text}"


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
    lines = selection(plan.events)
    if len(branches) > 1:
        cases = []
        for branch in branches:
            found = dataset_of(branch.first.source)
            if plan.staged:
                texts = [stage_text(stage.condition) for stage in branch.stages]
                cases.append(f"{' OR '.join(texts)}, {branch.first.number}")
                continue
            if found is None:
                raise Refusal(
                    f"a count over the log source {branch.first.source.product}/{branch.first.source.service}, whose events nothing marks",
                    "give the layout a constant event.dataset",
                )
            cases.append(f"{column(found[0])} == {string(found[1])}, {branch.first.number}")
        lines.append(f"| EVAL an1498_stage = CASE({', '.join(cases)})")
    firsts = [branch.first for branch in branches]
    keys = [f"{name} = {per_stage(firsts, [stage.keys[index] for stage in firsts])}" for index, name in enumerate(plan.keys)]
    lines += ["| EVAL " + ", ".join(keys), present(plan.keys)]
    if value is not None:
        lines.append(f"| EVAL an1498_value = {value(firsts)}")
    return [*lines, *once(plan, (*plan.keys, TIME_FIELD, *(["an1498_value"] if value is not None else [])))]


def paired(scope: Scope, past: str) -> list[str]:
    """Each event time of a group (`an1498_now`) beside everything in the buckets that its window touches (`an1498_past`)."""
    window = scope.plan.window_s * 1000
    return [
        f"| EVAL an1498_bucket = MV_APPEND(an1498_time / {window}, an1498_time / {window} + 1), an1498_past = {past}",
        "| MV_EXPAND an1498_bucket",
        f"| EVAL an1498_now = CASE(an1498_bucket == an1498_time / {window}, an1498_time)",
        f"| STATS an1498_now = VALUES(an1498_now), an1498_past = VALUES(an1498_past) {scope.by('an1498_bucket')}",
        scope.where("an1498_now IS NOT NULL"),
        "| MV_EXPAND an1498_now",
        "| MV_EXPAND an1498_past",
    ]


def inside(plan: Plan) -> str:
    return f"an1498_age >= 0 AND an1498_age <= {plan.window_s * 1000}"


def rising(scope: Scope, condition_text: str) -> list[str]:
    """The times at which the condition begins to hold (`an1498_hit`): each hit gets the last miss before it (-1 for none), and hits
    with the same one are a stretch, of which the first is left."""
    return [
        f"| EVAL an1498_hit = CASE({condition_text}, an1498_now), an1498_miss = CASE({condition_text}, NULL, an1498_now)",
        f"| STATS an1498_hit = VALUES(an1498_hit), an1498_miss = VALUES(an1498_miss) {scope.by()}",
        scope.where("an1498_hit IS NOT NULL"),
        "| MV_EXPAND an1498_hit",
        "| MV_EXPAND an1498_miss",
        "| EVAL an1498_miss = CASE(an1498_miss < an1498_hit, an1498_miss, TO_LONG(-1))",
        f"| STATS an1498_miss = MAX(an1498_miss) {scope.by('an1498_hit')}",
        f"| STATS an1498_hit = MIN(an1498_hit) {scope.by('an1498_miss')}",
    ]


def rising_edge(plan: Plan) -> list[str]:
    """One alert at each of them."""
    return output(plan, "an1498_hit", f"an1498_hit - {plan.window_s * 1000}")
