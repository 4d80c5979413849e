"""sort → algebra, and the order in which events leave the index (Search Reference, "sort"; Search Manual, "Time and search")."""

from __future__ import annotations

import re
from dataclasses import replace

from an1498.replay.algebra import (
    Case,
    Col,
    Expr,
    Extend,
    Filter,
    Limit,
    Lit,
    Relation,
    Select,
    Sort,
    SortKey,
    Window,
    WindowCall,
    call,
)
from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.values import NUMBER_TYPE, TEXT_TYPE, as_number, as_text, let, parse_number, refuse, scalar
from an1498.replay.table import ROW


def newest_first(relation: Relation, has_time: bool, tie: str) -> Relation:
    """Events in reverse time order; of one time, the later arrival first. `tie` is a column that grows with arrival. An event
    without `_time` among events that have one has no place: Splunk always sets it."""
    keys: tuple[SortKey, ...] = (SortKey(tie, descending=True),)
    if not has_time:
        return Sort(relation, keys)
    missing = call("is_null", Col("_time"))
    timed = Extend(relation, (("_time", Case(((missing, refuse(0, "events of which only some have _time", NUMBER_TYPE)),), Col("_time"))),))
    return Sort(timed, (SortKey("_time", descending=True), *keys))


def raw_events(relation: Relation, columns: tuple[str, ...]) -> Relation:
    """All events, newest first, without the arrival number."""
    ordered = newest_first(relation, "_time" in columns, ROW)
    return Select(ordered, tuple((name, Col(name)) for name in columns))


def sort(frame: Frame, command: syntax.SortCommand) -> Frame:
    """Results that lack a field come last in either direction ("treated as having the smallest or largest possible value of
    that field if the order is descending or ascending"); only `limit` results are kept, 10,000 by default."""
    relation = frame.relation
    keys: list[SortKey] = []
    for index, field in enumerate(command.fields):
        name = f"#sort{index}"
        relation, added = _key(frame, relation, field, name)
        # The trailing desc reverses the order of every field ("sort", Optional arguments).
        keys += [SortKey(column, field.descending != command.reverse) for column in added]
    relation = Sort(relation, tuple(keys))
    if command.limit:
        relation = Limit(relation, command.limit)
    return frame.over(Select(relation, tuple((name, Col(name)) for name in frame.columns)))


def _key(frame: Frame, relation: Relation, field: syntax.SortField, name: str) -> tuple[Relation, tuple[str, ...]]:
    value = scalar(frame.value(field.field, field.at), field.at)
    number, word, address = f"{name}n", f"{name}w", f"{name}a"
    match field.kind:
        case "num":
            return Extend(relation, ((number, as_number(value, field.at)),)), (number,)
        case "str":
            return Extend(relation, ((word, as_text(value, field.at)),)), (word,)
        case "ip":
            digits = let(as_text(value, field.at), lambda item: _address(item, field.at))
            return Extend(relation, ((address, digits),)), (address,)
    if value.kind.numeric:
        return Extend(relation, ((number, value.expr),)), (number,)
    return _automatic(relation, value.expr, field.at, name)


def _address(item: Expr, at: int) -> Expr:
    number = call("ipv4_number", item)
    worded = call("and", call("is_not_null", item), call("is_null", number))
    return Case(((worded, refuse(at, "sort by ip() of text that is not an IPv4 address", "BIGINT")),), number)


def _automatic(relation: Relation, value: Expr, at: int, name: str) -> tuple[Relation, tuple[str, ...]]:
    """auto: numbers as numbers, IPv4 addresses as such, other text by code point. Text that begins with a digit and mixtures
    compare pair by pair in a way that the documentation does not settle: refused if there are two such values to order."""
    number, address, word = f"{name}n", f"{name}a", f"{name}w"
    relation = Extend(relation, ((word, value),))
    column = Col(word)
    relation = Extend(relation, ((number, parse_number(column)), (address, call("ipv4_number", column))))
    relation = Extend(relation, ((f"{name}d", _begins_with_digit(column)),))

    def everywhere(condition: Expr) -> WindowCall:
        return WindowCall("bool_and", (call("or", call("is_null", column), condition),), start=None, end=None)

    relation = Window(
        relation,
        (
            (f"{name}N", everywhere(call("is_not_null", Col(number)))),
            (f"{name}A", everywhere(call("is_not_null", Col(address)))),
            (f"{name}W", everywhere(call("not", Col(f"{name}d")))),
            (f"{name}1", WindowCall("min", (column,), start=None, end=None)),
            (f"{name}2", WindowCall("max", (column,), start=None, end=None)),
        ),
    )
    numbers, addresses, words = Col(f"{name}N"), Col(f"{name}A"), Col(f"{name}W")
    single = call("identical", Col(f"{name}1"), Col(f"{name}2"))
    refused = refuse(at, "sort of text that mixes numbers and words (say which with num() or str())", TEXT_TYPE)
    relation = Extend(
        relation,
        (
            (number, Case(((numbers, Col(number)),), Lit(None, NUMBER_TYPE))),
            (address, Case(((numbers, Lit(None, "BIGINT")), (addresses, Col(address))), Lit(None, "BIGINT"))),
            (
                word,
                Case(
                    (
                        (call("or", numbers, addresses), Lit(None, TEXT_TYPE)),
                        (call("or", words, single, call("is_null", column)), column),
                    ),
                    refused,
                ),
            ),
        ),
    )
    return relation, (number, address, word)


def _begins_with_digit(column: Expr) -> Expr:
    return call("perl_search", column, Lit(r"^[-+.]?[0-9]"))


def dedup(frame: Frame, command: syntax.Plain) -> Frame:
    """The first N results (default 1) of each combination of values; results that lack one of the fields are dropped unless
    keepempty (then all of them are kept). `sortby` sorts before that, which "determines which event is retained"."""
    source, at = frame.context.source, command.at
    words = list(command.words)
    if "sortby" in words:
        place = words.index("sortby")
        frame = sort(frame, syntax.SortCommand(_sort_fields(frame, words[place + 1 :], at), 0, False, at))
        words = words[:place]
    consecutive = command.options.get("consecutive", "f").lower() in ("t", "true", "1")
    count = int(words.pop(0)) if words and words[0].isdecimal() else 1
    if not words or count < 1:
        raise source.unsupported(at, "dedup without fields")
    if unknown := set(command.options) - {"keepempty", "consecutive", "keepevents"}:
        raise source.unsupported(at, f"option '{min(unknown)}' of dedup")
    items = tuple((f"#d{i}", scalar(frame.value(name, at), at).expr) for i, name in enumerate(words))
    keys = tuple(name for name, _ in items)
    complete = call("and", *(call("is_not_null", Col(key)) for key in keys))
    relation: Relation = Extend(Extend(frame.relation, items), (("#complete", complete),))
    partition: tuple[str, ...] = ("#complete", *keys)
    if consecutive:
        relation, partition = _runs(relation, keys), ("#complete", "#run")
    number = WindowCall("row_number", partition=partition, start=None, end=0)
    relation = Window(relation, (("#nth", number),))
    first = call("and", Col("#complete"), call("le", Col("#nth"), Lit(count)))
    if command.options.get("keepevents", "f").lower() in ("t", "true", "1"):
        raise source.unsupported(at, "dedup with keepevents")
    keep_empty = command.options.get("keepempty", "f").lower() in ("t", "true", "1")
    relation = Filter(relation, call("or", first, call("not", Col("#complete"))) if keep_empty else first)
    return frame.over(Select(relation, tuple((name, Col(name)) for name in frame.columns)))


def _sort_fields(frame: Frame, words: list[str], at: int) -> tuple[syntax.SortField, ...]:
    """What follows `sortby`: fields, each with `+` or `-` in front (the sign is required)."""
    written = " ".join(words)
    if not re.fullmatch(r"(?:[-+] ?[^\s+-]\S*(?: |$))+", written):
        raise frame.context.source.unsupported(at, "this sortby", "write sortby with a + or - before each field")
    return tuple(syntax.SortField(name, sign == "-", "auto", at) for sign, name in re.findall(r"([-+]) ?(\S+)", written))


def _runs(relation: Relation, keys: tuple[str, ...]) -> Relation:
    """`#run` numbers the runs of adjacent results with the same values; a result that lacks a field ends a run."""
    before = tuple((f"#b{key}", WindowCall("first_value", (Col(key),), start=1, end=1)) for key in keys)
    same = call("and", *(call("identical", Col(key), Col(f"#b{key}")) for key in keys))
    started = Extend(Window(relation, before), (("#new", Case(((same, Lit(0)),), Lit(1))),))
    return Window(started, (("#run", WindowCall("sum", (Col("#new"),), start=None, end=0)),))


def reversed_order(frame: Frame) -> Frame:
    numbered = Window(frame.relation, (("#n", WindowCall("row_number", start=None, end=0)),))
    ordered = Sort(numbered, (SortKey("#n", descending=True),))
    return frame.over(Select(ordered, tuple((name, Col(name)) for name in frame.columns)))


def interleaved(frame: Frame) -> Frame:
    """multisearch returns the events of all its searches newest first."""
    if "_time" not in frame.columns:
        return frame
    ordered = Sort(frame.relation, (SortKey("_time", descending=True),))
    return replace(frame, relation=ordered)
