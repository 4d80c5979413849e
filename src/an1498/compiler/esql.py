"""ES|QL: event searches, and correlations by buckets, because the language has no window functions.

Language rules, from Elastic's "ES|QL reference": a division of integers truncates; CASE without a default gives null; VALUES drops
nulls and duplicates; MV_APPEND is null if either side is; MV_EXPAND of null keeps one row with null; STATS … BY makes a group of
null keys (hence IS NOT NULL before); a query without LIMIT returns 1,000 rows; TO_LONG of a date is milliseconds.

An event at t has bucket t / M. Put the earlier event of a pair into its own bucket and the next, and the later one into its own: then
each pair no further apart than M meets in exactly one bucket.
"""

from __future__ import annotations

from collections.abc import Sequence

from an1498.compiler.conditions import EventCondition, dataset_of, with_dataset
from an1498.compiler.correlation import OPERATORS, Plan, Stage
from an1498.compiler.deviations import ROW_LIMIT
from an1498.compiler.esql_conditions import EsqlConditions, column, string
from an1498.compiler.logic import negation_normal
from an1498.compiler.refusal import Refusal
from an1498.compiler.thresholds import bounds, presence
from an1498.model import CorrelationType, LayoutField

TIME_FIELD = "@timestamp"
# Two numbers in one: a time in milliseconds (41 bits) and a count or stage number below 2^20 fit into a long.
_PACK = 1 << 20
# Milliseconds since the epoch have 13 digits until the year 2286.
_TIME_DIGITS = 13


def event_search(found: EventCondition) -> str:
    """The search of an event rule; the metadata fields let the rule type remove duplicates."""
    if not found.source.index:
        raise Refusal(f"the log source {found.source.product}/{found.source.service} without an index", "set its index in the layout")
    return f"FROM {found.source.index} METADATA _id, _index, _version\n| WHERE {stage_text(found)}\n| LIMIT {ROW_LIMIT}"


def stage_text(found: EventCondition) -> str:
    """The condition alone, for `Search.stages`."""
    return found.text("esql", _render)


def _render(found: EventCondition) -> str:
    restricted = with_dataset(found)
    return EsqlConditions(restricted.source).text_of(negation_normal(restricted.tree))


def correlation_search(plan: Plan) -> str:
    """The search of a correlation. Raises Refusal."""
    match plan.correlation.type:
        case CorrelationType.TEMPORAL_ORDERED:
            lines = _ordered(plan)
        case CorrelationType.EVENT_COUNT:
            lines = _event_count(plan)
        case CorrelationType.VALUE_COUNT:
            lines = _value_count(plan)
        case CorrelationType.TEMPORAL:
            lines = _temporal(plan)
        case kind:
            raise Refusal(f"the correlation type {kind}", "use temporal_ordered, temporal, event_count or value_count")
    return "\n".join(lines)


# --- selection -----------------------------------------------------------------------------------------------------------------


def _from(plan: Plan) -> str:
    indices: list[str] = []
    for stage in plan.stages:
        if not stage.source.index:
            raise Refusal(f"the log source {stage.source.product}/{stage.source.service} without an index", "set its index in the layout")
        if stage.source.index not in indices:
            indices.append(stage.source.index)
    return f"FROM {','.join(indices)}"


def _selection(plan: Plan) -> list[str]:
    """The events of any stage, with the group's columns."""
    texts = list(dict.fromkeys(stage_text(stage.condition) for stage in plan.stages))
    where = texts[0] if len(texts) == 1 else "\n    OR ".join(f"({text})" for text in texts)
    return [_from(plan), f"| WHERE {where}"]


def _staged(plan: Plan) -> list[str]:
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
        return [*_selection(plan), f"| EVAL an1498_stage = CASE({cases})", *_keys(plan)]
    flags = [f"CASE({test}, {stage.number}, 0)" for test, stage in zip(tests, plan.stages, strict=True)]
    stages = flags[0]
    for flag in flags[1:]:
        stages = f"MV_APPEND({stages}, {flag})"
    return [
        *_selection(plan),
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
        assignments.append(f"{name} = {_per_stage(plan.stages, rows)}")
    present = " AND ".join(f"{name} IS NOT NULL" for name in plan.keys)
    return ["| EVAL " + ", ".join(assignments), f"| WHERE {present}"]


def _per_stage(stages: Sequence[Stage], rows: Sequence[LayoutField], text: bool = False) -> str:
    """The stage's own field; as text where the stages' types differ."""
    as_text = text or len({row.type for row in rows}) > 1
    names = [f"TO_STRING({column(row.indexed)})" if as_text else column(row.indexed) for row in rows]
    if len(set(names)) == 1:
        return names[0]
    usual = max(names, key=names.count)
    cases = [f"an1498_stage == {stage.number}, {name}" for stage, name in zip(stages, names, strict=True) if name != usual]
    return f"CASE({', '.join([*cases, usual])})"


def _by(plan: Plan, *more: str) -> str:
    return "BY " + ", ".join((*plan.keys, *more))


def _output(plan: Plan, time: str, first: str) -> list[str]:
    groups = ", ".join(f"{column(group)} = {name}" for name, group in zip(plan.keys, plan.groups, strict=True))
    return [
        f"| EVAL @timestamp = TO_DATETIME({time}), first_time = TO_DATETIME({first}), {groups}",
        f"| KEEP @timestamp, {', '.join(map(column, plan.groups))}, first_time",
        "| SORT @timestamp",
        f"| LIMIT {ROW_LIMIT}",
    ]


# --- temporal_ordered ------------------------------------------------------------------------------------------------------------


def _ordered(plan: Plan) -> list[str]:
    """Stage by stage, nearest pairs: the last earlier event before each later one, then the first later one after each earlier one.

    With more than two stages the pairing stays inside windows of two buckets, and each event is in two of them, so that every sequence
    lies in one window whole; a completed pair's first event is the latest possible one, so MAX carries it along."""
    last = len(plan.stages)
    reach = plan.reach_s * 1000
    columns = [f"an1498_s{stage.number}" for stage in plan.stages]
    lines = [*_staged(plan), f"| EVAL an1498_order = {_order(plan)}"]
    if last == 2:
        box = "an1498_bucket"
        lines.append(
            f"| EVAL {box} = CASE(an1498_stage == 1, MV_APPEND(an1498_order / {reach}, an1498_order / {reach} + 1), an1498_order / {reach})"
        )
    else:
        box = "an1498_window"
        lines.append(f"| EVAL {box} = MV_APPEND(an1498_order / {reach} - 1, an1498_order / {reach})")
    split = ", ".join(
        f"{name} = CASE(an1498_stage == {stage.number}, an1498_order)" for name, stage in zip(columns, plan.stages, strict=True)
    )
    lines += [
        f"| MV_EXPAND {box}",
        f"| EVAL {split}",
        "| STATS " + ", ".join(f"{name} = VALUES({name})" for name in columns) + f" {_by(plan, box)}",
        "| WHERE " + " AND ".join(f"{name} IS NOT NULL" for name in columns),
    ]
    first = columns[0]
    for number in range(2, last + 1):
        earlier, later = columns[number - 2], columns[number - 1]
        carried = [f"{name} = VALUES({name})" for name in columns[number:]]
        start = [f"{first} = MAX({first})"] if number > 2 else []
        by = _by(plan) if last == 2 else _by(plan, box)
        # Real times: the offset of the later stage is taken off again; the first stage has none.
        span = (
            f"{later} - {first}"
            if not plan.stages[number - 1].offset_s
            else f"{later} - {plan.stages[number - 1].offset_s * 1000} - {first}"
        )
        lines += [
            f"| MV_EXPAND {later}",
            *([f"| MV_EXPAND {earlier}"] if number == 2 else []),
            f"| WHERE {earlier} < {later} AND {span} <= {plan.window_s * 1000}",
            "| STATS " + ", ".join([f"{earlier} = MAX({earlier})", *start, *carried]) + f" {by}, {later}",
            "| STATS " + ", ".join([f"{later} = MIN({later})", *start, *carried]) + f" {by}, {earlier}",
        ]
    if last > 2:
        lines.append(f"| STATS {first} = MAX({first}) {_by(plan, columns[-1])}")
    offset = plan.stages[-1].offset_s * 1000
    return lines + _output(plan, f"{columns[-1]} - {offset}" if offset else columns[-1], first)


def _order(plan: Plan) -> str:
    """The time in milliseconds, shifted by the stage's clock offset."""
    if not any(stage.offset_s for stage in plan.stages):
        return "TO_LONG(@timestamp)"
    cases = ", ".join(f"an1498_stage == {stage.number}, {stage.offset_s * 1000}" for stage in plan.stages if stage.offset_s)
    return f"TO_LONG(@timestamp) + CASE({cases}, 0)"


# --- sliding windows -------------------------------------------------------------------------------------------------------------


def _paired(plan: Plan, past: str) -> list[str]:
    """Each event time of a group (`an1498_now`) beside everything in the buckets that its window touches (`an1498_past`)."""
    window = plan.window_s * 1000
    return [
        f"| EVAL an1498_bucket = MV_APPEND(an1498_time / {window}, an1498_time / {window} + 1), an1498_past = {past}",
        "| MV_EXPAND an1498_bucket",
        f"| EVAL an1498_now = CASE(an1498_bucket == an1498_time / {window}, an1498_time)",
        f"| STATS an1498_now = VALUES(an1498_now), an1498_past = VALUES(an1498_past) {_by(plan, 'an1498_bucket')}",
        "| WHERE an1498_now IS NOT NULL",
        "| MV_EXPAND an1498_now",
        "| MV_EXPAND an1498_past",
    ]


def _inside(plan: Plan) -> str:
    return f"an1498_age >= 0 AND an1498_age <= {plan.window_s * 1000}"


def _event_count(plan: Plan) -> list[str]:
    plan.branches()
    lines = [
        *_counted(plan),
        "| EVAL an1498_time = TO_LONG(@timestamp)",
        f"| STATS an1498_n = COUNT(*) {_by(plan, 'an1498_time')}",
        *_paired(plan, f"an1498_time * {_PACK} + an1498_n"),
        f"| EVAL an1498_age = an1498_now - an1498_past / {_PACK}",
        f"| WHERE {_inside(plan)}",
        f"| STATS an1498_count = SUM(an1498_past % {_PACK}) {_by(plan, 'an1498_now')}",
    ]
    return lines + _rising_edge(plan, bounds(plan, "an1498_count", _SPACED))


def _value_count(plan: Plan) -> list[str]:
    """Distinct by grouping, because COUNT_DISTINCT is approximate. An event without the value is an event time all the same."""
    plan.branches()
    lines = [
        *_counted(plan, values=True),
        "| EVAL an1498_time = TO_LONG(@timestamp)",
        *_paired(plan, "CONCAT(TO_STRING(an1498_time), an1498_value)"),
        f"| EVAL an1498_age = an1498_now - TO_LONG(SUBSTRING(an1498_past, 1, {_TIME_DIGITS}))",
        f"| EVAL an1498_value = CASE({_inside(plan)}, SUBSTRING(an1498_past, {_TIME_DIGITS + 1}))",
        f"| STATS an1498_n = COUNT(*) {_by(plan, 'an1498_now', 'an1498_value')}",
        f"| STATS an1498_count = COUNT(an1498_value) {_by(plan, 'an1498_now')}",
    ]
    return lines + _rising_edge(plan, bounds(plan, "an1498_count", _SPACED))


def _temporal(plan: Plan) -> list[str]:
    """Which rules have an event in the window."""
    seen = [f"an1498_seen_{stage.number}" for stage in plan.stages]
    flags = ", ".join(
        f"{name} = MAX(CASE({_inside(plan)} AND an1498_past % {_PACK} == {stage.number}, 1, 0))"
        for name, stage in zip(seen, plan.stages, strict=True)
    )
    lines = [
        *_staged(plan),
        "| EVAL an1498_time = TO_LONG(@timestamp)",
        *_paired(plan, f"an1498_time * {_PACK} + an1498_stage"),
        f"| EVAL an1498_age = an1498_now - an1498_past / {_PACK}",
        f"| STATS {flags} {_by(plan, 'an1498_now')}",
        "| EVAL an1498_count = " + " + ".join(seen),
    ]
    return lines + _rising_edge(plan, presence(plan, "(an1498_seen_{} == 1)", "an1498_count", _SPACED))


_SPACED = {name: f" {operator} " for name, operator in OPERATORS.items()}


def _counted(plan: Plan, values: bool = False) -> list[str]:
    """The events of any rule, one row each, with group and counted value; a source's rules share their fields (`Plan.branches`)."""
    branches = plan.branches()
    lines = _selection(plan)
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
    keys = [f"{name} = {_per_stage(firsts, [stage.keys[index] for stage in firsts])}" for index, name in enumerate(plan.keys)]
    present = " AND ".join(f"{name} IS NOT NULL" for name in plan.keys)
    lines += ["| EVAL " + ", ".join(keys), f"| WHERE {present}"]
    if values:
        lines.append(f"| EVAL an1498_value = {_value(firsts)}")
    return lines


def _value(stages: Sequence[Stage]) -> str:
    """The counted value as text; a combination with each part's length before it, so that combinations stay apart. Null for none."""
    parts = [_per_stage(stages, [stage.values[index] for stage in stages], text=True) for index in range(len(stages[0].values))]
    if len(parts) == 1:
        return parts[0]
    return "CONCAT(" + ', ":", '.join(f'TO_STRING(LENGTH({part})), ":", {part}' for part in parts) + ")"


def _rising_edge(plan: Plan, condition_text: str) -> list[str]:
    """Hits with the same last miss before them are one stretch: its first hit is the alert. -1 stands for no miss before."""
    return [
        f"| EVAL an1498_hit = CASE({condition_text}, an1498_now), an1498_miss = CASE({condition_text}, NULL, an1498_now)",
        f"| STATS an1498_hit = VALUES(an1498_hit), an1498_miss = VALUES(an1498_miss) {_by(plan)}",
        "| WHERE an1498_hit IS NOT NULL",
        "| MV_EXPAND an1498_hit",
        "| MV_EXPAND an1498_miss",
        "| EVAL an1498_miss = CASE(an1498_miss < an1498_hit, an1498_miss, TO_LONG(-1))",
        f"| STATS an1498_miss = MAX(an1498_miss) {_by(plan, 'an1498_hit')}",
        f"| STATS an1498_hit = MIN(an1498_hit) {_by(plan, 'an1498_miss')}",
        *_output(plan, "an1498_hit", f"an1498_hit - {plan.window_s * 1000}"),
    ]
