"""Sequences as window functions: Elasticsearch's sequence matcher, one pair of stages at a time.

Elasticsearch keeps, per join key and stage, the partial sequences in time order. An event of the next stage takes the latest
partial sequence strictly before it and throws away the earlier ones; the taken one goes on to the next stage unless `maxspan`
(measured from its first event, inclusive) is exceeded or an `until` event lies between (x-pack/plugin/eql, SequenceMatcher and
OrdinalGroup.trimBefore; Elastic docs, "EQL syntax reference", sequences). So, with partial sequences and events in one time
order, an event pairs exactly with the row before it, if that row is a partial sequence; at the same position the event comes
first, because a partial sequence that ends with this very event is not before it.

Order is the timestamp, then the tiebreaker (missing ones last), then arrival, which is Elasticsearch's own last resort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from an1498.replay.algebra import (
    ORDER,
    Case,
    Col,
    Expr,
    Extend,
    Filter,
    ListOf,
    Lit,
    Relation,
    Scan,
    Select,
    Sort,
    SortKey,
    Union,
    Unnest,
    Window,
    WindowCall,
    call,
)
from an1498.replay.eql.ast import FieldName, SequenceQuery, Term
from an1498.replay.eql.conditions import event_condition
from an1498.replay.eql.fields import condition_fields
from an1498.replay.eql.values import Kind, Scope, field_value
from an1498.replay.table import ROW

PARTIAL, EVENT, UNTIL = 0, 1, 2
_BIGINT = "BIGINT"


@dataclass(frozen=True, slots=True)
class Layout:
    """Names of the fields with a special role, as the EQL search API's parameters name them."""

    timestamp: str = "@timestamp"
    tiebreaker: str = ""
    category: str = "event.category"


def in_time_order(scan: Scan, layout: Layout) -> Relation:
    """All events with a timestamp in Elasticsearch's order; `_ord` is the position."""
    dated = Filter(scan, call("is_not_null", Col(layout.timestamp)))
    keys = [SortKey(layout.timestamp)]
    if layout.tiebreaker:
        keys.append(SortKey(layout.tiebreaker))
    return Sort(dated, tuple(keys))


def key_names(count: int) -> tuple[str, ...]:
    return tuple(f"key{number}" for number in range(count))


def lower(scope: Scope, query: SequenceQuery, scan: Scan, layout: Layout) -> Relation:
    """Completed sequences in completion order: `rows` (of the stages that are not missing) and the join keys."""
    types = key_types(scope, [*query.terms, *([query.until] if query.until else [])])
    events = in_time_order(scan, layout)
    keys = key_names(len(types))
    until = _stage(scope, query.until, events, layout, types, mandatory=False) if query.until else None
    positive = [term for term in query.terms if not term.missing]
    stages = _stages(scope, positive, events, layout, types)
    found = _first(stages[0], keys)
    for stage in stages[1:]:
        found = _next(found, stage, until, keys, query.maxspan_ms)
    if len(positive) < len(query.terms):
        found = _without_missing(scope, query, found, events, layout, types)
    ordered = Sort(found, (SortKey("position"), *(SortKey(key, nulls_last=False) for key in keys)))
    return Select(ordered, tuple((name, Col(name)) for name in ("rows", *keys)))


# --- one stage ---------------------------------------------------------------------------------------------------------------


def _stages(scope: Scope, terms: Sequence[Term], events: Relation, layout: Layout, types: tuple[str, ...]) -> list[Relation]:
    """Repeated runs are the same relation, so that it is computed once."""
    built: dict[Term, Relation] = {}
    return [built.setdefault(term, built.get(term) or _stage(scope, term, events, layout, types)) for term in terms]


def _stage(scope: Scope, term: Term, events: Relation, layout: Layout, types: tuple[str, ...], *, mandatory: bool = True) -> Relation:
    """The events of one stage: `position`, `time`, `row`, keys (see `keyed`)."""
    fixed: tuple[tuple[str, Expr], ...] = (("position", Col(ORDER)), ("time", Col(layout.timestamp)), ("row", Col(ROW)))
    return keyed(scope, term, events, layout, types, fixed, mandatory=mandatory)


def keyed(
    scope: Scope,
    term: Term,
    events: Relation,
    layout: Layout,
    types: tuple[str, ...],
    fixed: tuple[tuple[str, Expr], ...],
    *,
    mandatory: bool = True,
) -> Relation:
    """The events that a query matches, with the `fixed` columns and one column per join key. A null key drops the event unless
    the key is optional; an array of keys gives one row per value (x-pack/plugin/eql, test_extra.toml, sequenceWithMultivalue_*)."""
    condition = event_condition(scope, term.filter, layout.category)
    columns = [scope.column(key) for key in term.keys]
    present = [
        _has_value(scope, column)
        for key, column in zip(term.keys, columns, strict=True)
        if mandatory and not key.optional and column is not None
    ]
    matching = Filter(events, call("and", condition, *present) if present else condition)
    names = key_names(len(columns))
    keys = [
        (name, Lit(None, sql_type) if column is None else _key(scope, column))
        for name, column, sql_type in zip(names, columns, types, strict=True)
    ]
    selected: Relation = Select(matching, (*fixed, *keys))
    for name, column in zip(names, columns, strict=True):
        if column is not None and scope.type_of(column).array:
            selected = Unnest(selected, name)
    return selected


def _has_value(scope: Scope, column: str) -> Expr:
    if scope.type_of(column).array:
        return call("gt", call("coalesce", call("list_length", Col(column)), Lit(0)), Lit(0))
    return call("is_not_null", Col(column))


def _key(scope: Scope, column: str) -> Expr:
    return call("list_sort", call("list_distinct", Col(column))) if scope.type_of(column).array else Col(column)


def key_types(scope: Scope, terms: Sequence[Term]) -> tuple[str, ...]:
    """The DuckDB type of each join key. At one place all keys must be of one type, or Elasticsearch rejects the search."""
    fields_read = {read for term in terms for read in condition_fields(term.filter.condition)}
    return tuple(_key_type(scope, [term.keys[place] for term in terms], fields_read) for place in range(len(terms[0].keys)))


def _key_type(scope: Scope, keys: Sequence[FieldName], fields_read: set[str]) -> str:
    kinds: dict[Kind, FieldName] = {}
    for key in keys:
        value = field_value(scope, key)
        if value.is_null:
            continue
        if scope.type_of(value.field).array and value.field in fields_read:
            # Elasticsearch copies a condition on a key to every stage, which with several values changes its meaning
            raise scope.unsupported(key.at, f"array field [{key.name}] as a join key and in a condition")
        kinds.setdefault(Kind.STRING if value.kind is Kind.IP else value.kind, key)
    if len(kinds) > 1:
        (one, first), (other, second) = list(kinds.items())[:2]
        problem = f"join key [{second.name}] is a {other.name.lower()} but [{first.name}] is a {one.name.lower()}"
        raise scope.error(second.at, problem)
    return next((kind.sql for kind in kinds), Kind.STRING.sql)


# --- pairs of stages ---------------------------------------------------------------------------------------------------------


def _first(stage: Relation, keys: tuple[str, ...]) -> Relation:
    return Select(
        stage,
        (
            ("position", Col("position")),
            ("start", Col("time")),
            ("times", ListOf((Col("time"),))),
            ("rows", ListOf((Col("row"),))),
            *((key, Col(key)) for key in keys),
        ),
    )


def _next(found: Relation, stage: Relation, until: Relation | None, keys: tuple[str, ...], maxspan_ms: int | None) -> Relation:
    partial = Extend(found, (("role", Lit(PARTIAL)), ("time", Lit(None, _BIGINT)), ("row", Lit(None, _BIGINT))))
    events = Extend(stage, (("role", Lit(EVENT)),))
    merged: Relation = Union((partial, events))
    rank = Case(((call("eq", Col("role"), Lit(EVENT)), Lit(0)), (call("eq", Col("role"), Lit(PARTIAL)), Lit(1))), Lit(2))
    order = (SortKey("position"), SortKey("rank"))
    if until is not None:
        merged = Union((partial, events, Extend(until, (("role", Lit(UNTIL)),))))
    merged = Extend(merged, (("rank", rank),))
    if until is not None:
        is_until = call("eq", Col("role"), Lit(UNTIL))
        last_until = WindowCall("max", (Col("position"),), keys, order, start=None, end=1, where=is_until)
        merged = Filter(Window(merged, (("stopped", last_until),)), call("not", is_until))
    before = {
        name: WindowCall("first_value", (Col(name),), keys, order, start=1, end=1)
        for name in ("role", "position", "start", "times", "rows")
    }
    paired = Window(merged, tuple((f"previous_{name}", window) for name, window in before.items()))
    tests = [call("eq", Col("role"), Lit(EVENT)), call("eq", Col("previous_role"), Lit(PARTIAL))]
    if maxspan_ms is not None:
        tests.append(call("le", call("sub", Col("time"), Col("previous_start")), Lit(maxspan_ms)))
    if until is not None:
        # an until event that is also the pending sequence's last event ends it too
        tests.append(call("coalesce", call("lt", Col("stopped"), Col("previous_position")), Lit(True)))
    return Select(
        Filter(paired, call("and", *tests)),
        (
            ("position", Col("position")),
            ("start", Col("previous_start")),
            ("times", call("list_concat", Col("previous_times"), ListOf((Col("time"),)))),
            ("rows", call("list_concat", Col("previous_rows"), ListOf((Col("row"),)))),
            *((key, Col(key)) for key in keys),
        ),
    )


# --- missing events ----------------------------------------------------------------------------------------------------------


def _without_missing(
    scope: Scope, query: SequenceQuery, found: Relation, events: Relation, layout: Layout, types: tuple[str, ...]
) -> Relation:
    """Keeps sequences for which no missing event occurred (x-pack/plugin/eql, TumblingWindow.doCheckMissingEvents): between two
    events, none strictly between their times; before the first (or after the last), none less than or exactly `maxspan` from
    the sequence's other end; with both, no pair of a leading and a trailing one within `maxspan` of each other."""
    keys = key_names(len(types))
    missing = [(place, term) for place, term in enumerate(query.terms) if term.missing]
    for _, term in missing:
        if any(key.optional for key in term.keys):
            raise scope.unsupported(term.at, "optional join keys together with missing events")
    positive_before = [sum(not term.missing for term in query.terms[:place]) for place in range(len(query.terms))]
    positives = sum(not term.missing for term in query.terms)
    leading: list[Expr] = []
    trailing: list[Expr] = []
    tests: list[Expr] = []
    for place, term in missing:
        marks = _stage(scope, term, events, layout, types)
        passed = positive_before[place]
        name = f"missing{place}"
        if passed == 0:
            found = _nearest(found, marks, _time(1), name, keys, before=True)
            leading.append(Col(name))
        elif passed == positives:
            found = _nearest(found, marks, _time(positives), name, keys, before=False)
            trailing.append(Col(name))
        else:
            found = _nearest(found, marks, _time(passed + 1), name, keys, before=True)
            tests.append(call("coalesce", call("le", Col(name), _time(passed)), Lit(True)))
    span = Lit(query.maxspan_ms)
    if leading or trailing:
        # with neither a leading nor a trailing stage, the first or last event stands for it
        start = call("greatest", *leading) if leading else _time(1)
        end = call("least", *trailing) if trailing else _time(positives)
        tests.append(call("coalesce", call("gt", call("sub", end, start), span), Lit(True)))
    return Filter(found, call("and", *tests))


def _time(number: int) -> Expr:
    """The time of a sequence's n-th event, from 1."""
    return call("list_element", Col("times"), Lit(number))


def _nearest(found: Relation, marks: Relation, time: Expr, name: str, keys: tuple[str, ...], *, before: bool) -> Relation:
    """Adds the time of the last mark strictly before `time`, or of the first strictly after it."""
    sequences = Extend(found, (("role", Lit(PARTIAL)), ("at", time)))
    marked = Extend(marks, (("role", Lit(EVENT)), ("at", Col("time"))))
    # of equal times the marks come after the sequence when looking back, before it when looking forward
    order = (SortKey("at"), SortKey("role", descending=not before))
    is_mark = call("eq", Col("role"), Lit(EVENT))
    if before:
        window = WindowCall("max", (Col("at"),), keys, order, start=None, end=1, where=is_mark)
    else:
        window = WindowCall("min", (Col("at"),), keys, order, start=-1, end=None, where=is_mark)
    both = Window(Union((sequences, marked)), ((name, window),))
    kept = Filter(both, call("eq", Col("role"), Lit(PARTIAL)))
    return Select(kept, tuple((column, Col(column)) for column in (*found.columns, name)))
