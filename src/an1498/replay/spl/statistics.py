"""stats, eventstats and streamstats → algebra (Search Reference, pages of these names)."""

from __future__ import annotations

from dataclasses import replace

from an1498.replay.algebra import (
    Aggregate,
    Case,
    Col,
    Expr,
    Extend,
    Filter,
    GroupBy,
    Lit,
    Relation,
    Select,
    Sort,
    SortKey,
    Unnest,
    Window,
    WindowCall,
    call,
)
from an1498.replay.spl import eval_syntax, syntax
from an1498.replay.spl.aggregates import plan
from an1498.replay.spl.expressions import Expressions
from an1498.replay.spl.frame import Frame, filled, wildcard
from an1498.replay.spl.plans import Plan
from an1498.replay.spl.values import Kind, number_text, refuse, scalar

_TRUE, _FALSE = ("t", "true", "1", "yes"), ("f", "false", "0", "no")
_STREAM_LIMIT = 10_000
_OPTIONS = {
    "stats": {"allnum", "dedup_splitvals"},
    "eventstats": {"allnum"},
    "streamstats": {"allnum", "current", "window", "global", "reset_before", "reset_after", "reset_on_change"},
}


def lower(frame: Frame, command: syntax.Statistics) -> Frame:
    source = frame.context.source
    for option in command.options:
        if option not in _OPTIONS[command.command]:
            raise source.unsupported(command.at, f"option '{option}' of {command.command}")
    if _flag(frame, command, "allnum", False):
        raise source.unsupported(command.at, "allnum=true")
    if "*" in "".join(command.by):
        raise source.unsupported(command.at, "wildcards in a BY clause")
    if any(isinstance(term.argument, str) and "*" in term.argument for term in command.terms):
        command = replace(command, terms=tuple(one for term in command.terms for one in _expanded(frame, term, command.by)))
    names = [term.name for term in command.terms]
    if len(set(names)) != len(names) or set(names) & set(command.by):
        raise source.unsupported(command.at, f"two result columns of one name in {command.command}")
    plans = [(term, plan(Expressions(frame), term, f"#{i}")) for i, term in enumerate(command.terms)]
    if command.command == "stats":
        return _stats(frame, command, plans)
    return _windowed(frame, command, plans)


def _expanded(frame: Frame, term: syntax.AggregateTerm, by: tuple[str, ...]) -> list[syntax.AggregateTerm]:
    """`avg(*delay) AS *` as one term per field that matches ("stats", wildcards); internal fields and BY fields are left out."""
    if not isinstance(term.argument, str) or "*" not in term.argument:
        return [term]
    if frame.open:
        frame.context.read.add("*")
    pattern = wildcard(term.argument)
    default = f"{term.written}({term.argument})"
    if term.name.count("*") != term.argument.count("*"):
        raise frame.context.source.syntax_error(term.at, "the name after AS takes the same wildcards as the argument")
    found = []
    for name in frame.columns:
        match = pattern.fullmatch(name)
        if match is None or name.startswith("_") or name in by:
            continue
        own = term.name == default
        found.append(replace(term, argument=name, name=f"{term.written}({name})" if own else filled(term.name, match.groups())))
    return found


def _prefixed(index: int, suffix: str) -> str:
    return f"#{index}{suffix}r"


def _results(plans: list[tuple[syntax.AggregateTerm, Plan]]) -> list[tuple[str, Kind, Expr]]:
    results = []
    for index, (term, item) in enumerate(plans):
        results.append((term.name, item.kind, item.result(lambda suffix, index=index: Col(_prefixed(index, suffix)))))  # type: ignore[misc]
    return results


def _flag(frame: Frame, command: syntax.Statistics, option: str, default: bool) -> bool:
    value = command.options.get(option)
    if value is None:
        return default
    if isinstance(value, str) and value.lower() in _TRUE + _FALSE:
        return value.lower() in _TRUE
    raise frame.context.source.syntax_error(command.at, f"option '{option}' must be true or false")


def _stats(frame: Frame, command: syntax.Statistics, plans: list[tuple[syntax.AggregateTerm, Plan]]) -> Frame:
    """One row per combination of the BY fields' values, ordered by them; an event that lacks one of them is dropped, an event
    with several values of one belongs to several groups. Without BY there is exactly one row."""
    if _flag(frame, command, "dedup_splitvals", False):
        raise frame.context.source.unsupported(command.at, "dedup_splitvals=true")
    keys = [(name, frame.value(name, command.at)) for name in dict.fromkeys(command.by)]
    inputs = tuple((name, expr) for _, item in plans for name, expr in item.inputs)
    renamed = {name: f"#by{index}" for index, (name, _) in enumerate(keys)}
    relation: Relation = Extend(frame.relation, (*inputs, *((renamed[name], value.expr) for name, value in keys)))
    kinds: dict[str, Kind] = {}
    for name, value in keys:
        if value.kind is Kind.LIST:
            relation = Unnest(relation, renamed[name], keep_empty=False)
        kinds[name] = Kind.TEXT if value.kind is Kind.LIST else value.kind
        relation = Filter(relation, call("is_not_null", Col(renamed[name])))
    primitives = [(_prefixed(i, suffix), aggregate) for i, (_, item) in enumerate(plans) for suffix, aggregate in item.primitives]
    if not keys and not any(term.function in ("count", "c", "dc", "distinct_count") for term, _ in plans):
        primitives.append(("#rows", Aggregate("count_rows")))
    relation = GroupBy(relation, tuple(renamed.values()), tuple(primitives))
    results = _results(plans)
    if primitives and primitives[-1][0] == "#rows":
        # Whether stats without count gives a row for no events is not documented.
        empty = call("eq", Col("#rows"), Lit(0))
        relation = Filter(relation, Case(((empty, refuse(command.at, "stats without count over no events", "BOOLEAN")),), Lit(True)))
    if keys:
        relation = Sort(_sortable(relation, renamed, kinds, command.at), tuple(SortKey(f"#s{name}") for name in renamed.values()))
    selected = [(name, Col(renamed[name])) for name, _ in keys] + [(name, expr) for name, _, expr in results]
    columns = {**kinds, **{name: kind for name, kind, _ in results}}
    return replace(frame, relation=Select(relation, tuple(selected)), columns=columns, open=False)


def _sortable(relation: Relation, renamed: dict[str, str], kinds: dict[str, Kind], at: int) -> Extend:
    """Results come out in the lexicographical order of the BY fields' text; times in their own order."""
    items = []
    for name, column in renamed.items():
        plain = name == "_time" or not kinds[name].numeric
        items.append((f"#s{column}", Col(column) if plain else _order_text(Col(column), at)))
    return Extend(relation, tuple(items))


def _order_text(value: Expr, at: int) -> Expr:
    whole = call("eq", value, call("trunc", value))
    return Case(((whole, number_text(value, at)),), call("format_number", value))


def _windowed(frame: Frame, command: syntax.Statistics, plans: list[tuple[syntax.AggregateTerm, Plan]]) -> Frame:
    """eventstats adds a group's statistics to all its events, streamstats those of the events so far. An event that lacks a BY
    field gets none."""
    source, at = frame.context.source, command.at
    streaming = command.command == "streamstats"
    inputs = [(name, expr) for _, item in plans for name, expr in item.inputs]
    keys = []
    for index, name in enumerate(dict.fromkeys(command.by)):
        keys.append(f"#by{index}")
        inputs.append((f"#by{index}", scalar(frame.value(name, at), at).expr))
    keyed = call("and", *(call("is_not_null", Col(key)) for key in keys))
    relation: Relation = Extend(Extend(frame.relation, tuple(inputs)), (("#keyed", keyed),))
    size = _window_size(frame, command) if streaming else 0
    current = _flag(frame, command, "current", True) if streaming else True
    everywhere = _flag(frame, command, "global", True) if streaming else True
    partition = tuple(keys)
    resets = [option for option in ("reset_before", "reset_after", "reset_on_change") if option in command.options]
    table = frame.context.table
    if streaming and not size and (table is None or table.limits):
        relation = _limited(relation, at)
    if resets:
        if (size and everywhere and keys) or len(resets) > 1:
            raise source.unsupported(at, f"{' with '.join(resets)} in this combination")
        if resets == ["reset_on_change"]:
            relation = _changes(relation, keys) if _flag(frame, command, "reset_on_change", False) else _unchanged(relation)
        else:
            relation = _reset(frame, command, relation, resets[0])
        partition = ("#segment", *partition)
    order: tuple[SortKey, ...] = ()
    shape: tuple[str, int | None, int | None] = ("rows", None, 0 if current else 1)
    if not streaming:
        shape = ("rows", None, None)
    elif size and everywhere and keys:
        # One window of events for all groups: a group's statistics cover those of its events that are in the window.
        numbered = Window(relation, (("#place", WindowCall("row_number", start=None, end=0)), ("#unkeyed", _any_unkeyed())))
        refused = refuse(at, "a global window over events that lack a BY field", "BOOLEAN")
        relation = Filter(numbered, Case(((Col("#unkeyed"), refused),), Lit(True)))
        order = (SortKey("#place"),)
        shape = ("range", size - 1 if current else size, 0 if current else 1)
    elif size:
        shape = ("rows", size - 1 if current else size, 0 if current else 1)
    items = []
    for i, (_, item) in enumerate(plans):
        for suffix, aggregate in item.primitives:
            items.append((_prefixed(i, suffix), _window_call(aggregate, partition, order, shape)))
    relation = Window(relation, tuple(items))
    added = [
        (name, kind, expr if not keys else Case(((Col("#keyed"), expr),), Lit(None, kind.sql_type))) for name, kind, expr in _results(plans)
    ]
    columns = {**frame.columns, **{name: kind for name, kind, _ in added}}
    replaced = {name for name, _, _ in added}
    selected = [(name, Col(name)) for name in frame.columns if name not in replaced] + [(name, expr) for name, _, expr in added]
    return replace(frame, relation=Select(relation, tuple(selected)), columns=columns)


def _window_call(
    aggregate: Aggregate, partition: tuple[str, ...], order: tuple[SortKey, ...], shape: tuple[str, int | None, int | None]
) -> WindowCall:
    # DuckDB's window functions first and last take no FILTER, but can ignore nulls, which is all that the plans filter by.
    seen = {"first": "first_value", "last": "last_value"}.get(aggregate.function)
    return WindowCall(
        seen or aggregate.function,
        aggregate.args,
        partition,
        order,
        "range" if shape[0] == "range" else "rows",
        shape[1],
        shape[2],
        distinct=aggregate.distinct,
        ignore_nulls=seen is not None,
        where=None if seen else aggregate.where,
    )


def _any_unkeyed() -> WindowCall:
    return WindowCall("bool_or", (call("not", Col("#keyed")),), start=None, end=None)


def _window_size(frame: Frame, command: syntax.Statistics) -> int:
    value = command.options.get("window", "0")
    if not isinstance(value, str) or not value.isdecimal():
        raise frame.context.source.syntax_error(command.at, "window must be a number of events")
    if int(value) > _STREAM_LIMIT:
        raise frame.context.source.unsupported(command.at, "a window of more than 10,000 events")
    return int(value)


def _limited(relation: Relation, at: int) -> Filter:
    """Without window= Splunk keeps the last 10,000 events (limits.conf, max_stream_window): more are refused."""
    counted = Window(relation, (("#seen", WindowCall("row_number", start=None, end=0)),))
    refused = refuse(at, "streamstats without window= over more than 10,000 results", "BOOLEAN")
    return Filter(counted, Case(((call("gt", Col("#seen"), Lit(_STREAM_LIMIT)), refused),), Lit(True)))


def _unchanged(relation: Relation) -> Relation:
    return Extend(relation, (("#segment", Lit(0)),))


def _changes(relation: Relation, keys: list[str]) -> Relation:
    """reset_on_change: all statistics begin anew where the BY fields differ from those of the event before that has all of them."""
    before = tuple(
        (f"#before {key}", WindowCall("last_value", (Case(((Col("#keyed"), Col(key)),), Lit(None)),), start=None, end=1, ignore_nulls=True))
        for key in keys
    )
    compared = Window(relation, before) if before else relation
    differs = call("or", *(call("not", call("identical", Col(key), Col(f"#before {key}"))) for key in keys))
    marked = Extend(compared, (("#reset", Case(((call("and", Col("#keyed"), differs), Lit(1)),), Lit(0))),))
    return Window(marked, (("#segment", WindowCall("sum", (Col("#reset"),), start=None, end=0)),))


def _reset(frame: Frame, command: syntax.Statistics, relation: Relation, option: str) -> Relation:
    """reset_before starts anew with the event for which the condition holds, reset_after with the one after it, in all groups
    (streamstats, "Resetting the aggregations")."""
    expression = command.options[option]
    source = frame.context.source
    if isinstance(expression, str):
        raise source.unsupported(command.at, f"{option} with a quoted condition", f"write {option}=(condition)")
    produced = {term.name for term in command.terms}
    if produced & eval_syntax.fields_of(expression):
        raise source.unsupported(command.at, f"{option} that reads a result of the same streamstats")
    condition = Expressions(frame).condition(expression)
    marked = Extend(relation, (("#reset", Case(((condition, Lit(1)),), Lit(0))),))
    end = 0 if option == "reset_before" else 1
    counted = Window(marked, (("#resets", WindowCall("sum", (Col("#reset"),), start=None, end=end)),))
    return Extend(counted, (("#segment", call("coalesce", Col("#resets"), Lit(0))),))
